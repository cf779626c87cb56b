// All spans, by segment and by trace. Traces go whole and oldest first: with a segment go all that began in it.
import type { IncomingSpan, Transition } from '../otlp/read-spans.ts';
import type { Resource, Scope } from './resources.ts';
import { ROWS } from './segment.ts';
import { Segments, type Place } from './segments.ts';
import { SpanSegment } from './span-segment.ts';
import { TraceRecord } from './trace-record.ts';

const MAX_TRANSITIONS = 2_000;
const NOISY_METHODS = new Set(['ping', 'logging/setLevel', 'server/discover', 'initialize']);
const NOISY_TOOLS = new Set(['get_server_health', 'get_server_metrics', 'get_recent_errors', 'get_trace']);
// of a record, its list of spans and its entry in the map
const BYTES_PER_TRACE = 320;
const BYTES_PER_REFERENCE = 8;

/** A change of a breaker with the span that saw it. */
export interface SeenTransition extends Transition {
  readonly service: string;
  readonly traceId: string;
}

/** A span by its place. */
export type SpanPlace = Place<SpanSegment>;

export class SpanStore {
  readonly traces: Map<string, TraceRecord> = new Map();
  readonly transitions: SeenTransition[] = [];
  readonly #segments = new Segments((number, since) => new SpanSegment(number, since));
  #searches = 0;
  #references = 0;
  #live = 0;

  get bytes(): number {
    return this.#segments.bytes + this.traces.size * BYTES_PER_TRACE + this.#references * BYTES_PER_REFERENCE;
  }

  /** Spans that count. */
  get size(): number {
    return this.#live;
  }

  /** Oldest first. */
  get segments(): readonly SpanSegment[] {
    return this.#segments.list;
  }

  /** Keeps a span; false where the very same one is there already. */
  add(span: IncomingSpan, resource: Resource, scope: Scope, nowMs: number, maxSegmentBytes: number): boolean {
    let trace = this.traces.get(span.traceId);
    const key = `${span.spanIdHigh} ${span.spanIdLow}`;
    const known =
      trace?.find(key, (place) => {
        const { segment, row } = this.place(place);
        return segment.hasSpanId(row, span.spanIdHigh, span.spanIdLow);
      }) ?? -1;
    const old = trace === undefined || known < 0 ? undefined : this.place(trace.spans[known] ?? -1);
    if (old?.segment.raw(old.row).equals(span.raw) === true) return false;
    const segment = this.#segments.openFor(span.raw.length, nowMs, maxSegmentBytes);
    if (trace === undefined) {
      trace = new TraceRecord(span.traceId, segment.number);
      this.traces.set(span.traceId, trace);
    }
    const row = segment.add(span, trace, resource, scope);
    const place = segment.number * ROWS + row;
    if (old !== undefined) {
      // a later arrival knows more, as when a span is sent as it starts and again as it ends
      old.segment.kill(old.row);
      trace.replace(known, place);
    } else {
      this.#live++;
      this.#references++;
      trace.add(place, key, (other) => this.#key(other));
    }
    trace.startMs = Math.min(trace.startMs, span.startMs);
    trace.endMs = Math.max(trace.endMs, span.startMs + span.durationNs / 1e6);
    trace.failed ||= span.failed;
    if (span.method !== '') {
      trace.operations++;
      if (isNoise(span)) trace.noise++;
    }
    trace.updatedMs = nowMs;
    for (const transition of span.transitions) {
      this.transitions.push({ ...transition, service: resource.service, traceId: span.traceId });
      if (this.transitions.length > MAX_TRANSITIONS) this.transitions.shift();
    }
    return true;
  }

  /** The number of a search, unlike that of every other. */
  nextSearch(): number {
    return ++this.#searches;
  }

  /** Where a span lies, by its number. */
  place(number: number): SpanPlace {
    const place = this.#segments.place(number);
    if (place === undefined) throw new RangeError(`span ${number} is no longer stored`);
    return place;
  }

  get evictableSince(): number | undefined {
    return this.#segments.evictableSince;
  }

  get oldestEndedAt(): number | undefined {
    return this.#segments.oldestEndedAt;
  }

  cut(nowMs: number): void {
    this.#segments.cut(nowMs);
  }

  /** Forgets the oldest segment and every trace that began in it; answers how many traces those were. */
  evictOldest(): number {
    const [oldest] = this.#segments.list;
    if (oldest === undefined || this.#segments.evictableSince === undefined) return 0;
    let evicted = 0;
    for (const trace of new Set(oldest.traces)) {
      if (trace.segment !== oldest.number || this.traces.get(trace.id) !== trace) continue;
      for (const number of trace.spans) {
        const { segment, row } = this.place(number);
        segment.kill(row);
      }
      this.traces.delete(trace.id);
      this.#references -= trace.spans.length;
      this.#live -= trace.spans.length;
      evicted++;
    }
    this.#segments.shift();
    return evicted;
  }

  #key(number: number): string {
    const { segment, row } = this.place(number);
    return segment.spanKey(row);
  }
}

// what is sent to look after a connection or a server, and hides what is done with it
function isNoise({ method, tool }: IncomingSpan): boolean {
  return NOISY_METHODS.has(method) || method.startsWith('notifications/') || NOISY_TOOLS.has(tool);
}
