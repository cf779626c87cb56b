// Trace context in `_meta` (SEP-414) and in HTTP headers: W3C traceparent, tracestate and baggage, read and written by hand
// so that it works whatever propagator the application has set for its HTTP calls.
import {
  baggageEntryMetadataFromString,
  createTraceState,
  isSpanContextValid,
  propagation,
  type BaggageEntry,
  type Context,
  type SpanContext,
} from '@opentelemetry/api';
import { BAGGAGE, TRACEPARENT, TRACESTATE } from '../protocol/meta.ts';
import { spanContextIn } from './span-context.ts';

/** Where the three keys may stand: a `_meta` object, or what was read of HTTP headers. */
export type Carrier = Readonly<Record<string, unknown>>;

const MAX_TRACESTATE = 512;
const MAX_BAGGAGE = 8_192;
const MAX_BAGGAGE_ENTRIES = 64;

// https://www.w3.org/TR/trace-context-2/#traceparent-header: later versions may append fields, version ff is invalid
const TRACEPARENT_FORM = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The caller's span, or undefined where the carrier has none that is valid. */
export function callerOf(carrier: Carrier): SpanContext | undefined {
  const traceparent = carrier[TRACEPARENT];
  if (typeof traceparent !== 'string' || traceparent.length > 256) return undefined;
  const parts = TRACEPARENT_FORM.exec(traceparent);
  if (parts === null || (parts[1] === '00' && parts[5] !== undefined)) return undefined;
  const caller: SpanContext = {
    traceId: parts[2] as string,
    spanId: parts[3] as string,
    traceFlags: Number.parseInt(parts[4] as string, 16) & 1,
    isRemote: true,
  };
  if (!isSpanContextValid(caller)) return undefined;
  const state = carrier[TRACESTATE];
  if (typeof state !== 'string' || state.length === 0 || state.length > MAX_TRACESTATE) return caller;
  return { ...caller, traceState: createTraceState(state) };
}

/** The context with the carrier's baggage in it, https://www.w3.org/TR/baggage/; the same context where there is none. */
export function withBaggage(base: Context, carrier: Carrier): Context {
  const text = carrier[BAGGAGE];
  if (typeof text !== 'string' || text.length === 0 || text.length > MAX_BAGGAGE) return base;
  const entries: Record<string, BaggageEntry> = {};
  let count = 0;
  for (const member of text.split(',')) {
    const parsed = baggageMember(member);
    if (parsed === undefined || count >= MAX_BAGGAGE_ENTRIES) continue;
    entries[parsed.key] = parsed.entry;
    count++;
  }
  return count === 0 ? base : propagation.setBaggage(base, propagation.createBaggage(entries));
}

function baggageMember(member: string): { key: string; entry: BaggageEntry } | undefined {
  const [pair = '', ...properties] = member.split(';');
  const equals = pair.indexOf('=');
  if (equals <= 0) return undefined;
  try {
    const key = decodeURIComponent(pair.slice(0, equals).trim());
    const value = decodeURIComponent(pair.slice(equals + 1).trim());
    if (properties.length === 0) return { key, entry: { value } };
    return { key, entry: { value, metadata: baggageEntryMetadataFromString(properties.join(';').trim()) } };
  } catch {
    return undefined; // a broken percent-escape: the entry is dropped, the rest stays
  }
}

/** The keys that name the span of a context and its trace; undefined where there is no valid span. */
export function traceContextFor(context: Context): Record<string, string> | undefined {
  const span = spanContextIn(context);
  if (span === undefined) return undefined;
  const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
  const meta: Record<string, string> = { [TRACEPARENT]: `00-${span.traceId}-${span.spanId}-${flags}` };
  const state = span.traceState?.serialize();
  if (state !== undefined && state !== '') meta[TRACESTATE] = state;
  return meta;
}

/** The keys to write into `_meta` so that the receiver joins this trace; undefined where there is no valid span. */
export function metaFor(context: Context): Record<string, string> | undefined {
  const meta = traceContextFor(context);
  if (meta === undefined) return undefined;
  const baggage = propagation.getBaggage(context);
  if (baggage !== undefined) {
    const text = baggageText(baggage.getAllEntries());
    if (text !== '') meta[BAGGAGE] = text;
  }
  return meta;
}

function baggageText(entries: [string, BaggageEntry][]): string {
  let text = '';
  for (const [key, { value, metadata }] of entries.slice(0, MAX_BAGGAGE_ENTRIES)) {
    const suffix = metadata === undefined ? '' : `;${metadata.toString()}`;
    const member = `${encoded(key)}=${encoded(value)}${suffix}`;
    if (text.length + member.length + 1 > MAX_BAGGAGE) break;
    text = text === '' ? member : `${text},${member}`;
  }
  return text;
}

// half a surrogate pair has no encoding
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
