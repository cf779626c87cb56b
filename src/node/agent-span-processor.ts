// Keeps the latest spans of this process in memory, within a byte budget, for the agent's tools. It loads no SDK, so it fits
// into a TracerProvider of any version.
import type { HrTime } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { isOwnSpan } from '../state/own-tools.ts';
import { fillTraces, recentTraces, type HeldSpan, type RecentSpan } from '../state/recent-traces.ts';
import { ATTR_TOOLSPAN_OUTCOME } from '../telemetry/names.ts';

// kind and status of the API, whose enums an application's copy may have elsewhere
const KINDS = ['internal', 'server', 'client', 'producer', 'consumer'] as const;
const SERVER = 1;
const ERROR = 2;

const SPAN_BYTES = 512;
const ATTRIBUTE_BYTES = 48;
const EVENT_BYTES = 128;
const LINK_BYTES = 256;

/** Hands every span that ends to the ring of recent traces. */
export class AgentSpanProcessor implements SpanProcessor {
  readonly #slowMs: number;
  readonly #stop = fillTraces();

  /** @param slowMs a call that takes this long is kept longer, in ms. */
  constructor(slowMs: number) {
    this.#slowMs = slowMs;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    // who asks about a trace is no part of it
    if (isOwnSpan(span.name)) return;
    recentTraces.add(new Held(span, isRemarkable(span, this.#slowMs)));
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    this.#stop();
    return Promise.resolve();
  }
}

function isRemarkable({ kind, status, attributes, startTime, endTime }: ReadableSpan, slowMs: number): boolean {
  if ((status.code as number) === ERROR) return true;
  const outcome = attributes[ATTR_TOOLSPAN_OUTCOME];
  if (outcome !== undefined && outcome !== 'ok' && outcome !== 'input_required') return true;
  return (kind as number) === SERVER && milliseconds(endTime) - milliseconds(startTime) >= slowMs;
}

/** A span that has ended, as it is: what it says is read when somebody asks. */
class Held implements HeldSpan {
  readonly traceId: string;
  readonly bytes: number;
  readonly remarkable: boolean;
  readonly #span: ReadableSpan;

  constructor(span: ReadableSpan, remarkable: boolean) {
    this.#span = span;
    this.traceId = span.spanContext().traceId;
    this.remarkable = remarkable;
    let bytes = SPAN_BYTES + span.name.length + (span.status.message?.length ?? 0) + sizeOf(span.attributes);
    for (const { name, attributes } of span.events) bytes += EVENT_BYTES + name.length + sizeOf(attributes);
    for (const { attributes } of span.links) bytes += LINK_BYTES + sizeOf(attributes);
    this.bytes = bytes;
  }

  read(): RecentSpan {
    const span = this.#span;
    const startedAt = milliseconds(span.startTime);
    return {
      spanId: span.spanContext().spanId,
      parentSpanId: span.parentSpanContext?.spanId,
      scope: scopeOf(span),
      name: span.name,
      kind: KINDS[span.kind] ?? 'internal',
      startedAt,
      durationMs: milliseconds(span.duration),
      failed: (span.status.code as number) === ERROR,
      attributes: span.attributes,
      events: span.events.map(({ name, time, attributes = {} }) => ({
        name,
        offsetMs: milliseconds(time) - startedAt,
        attributes,
      })),
    };
  }
}

// SDK 1.x has it under another name.
function scopeOf(span: ReadableSpan): string | undefined {
  const { instrumentationScope, instrumentationLibrary } = span as Partial<
    Record<'instrumentationScope' | 'instrumentationLibrary', { readonly name: string }>
  >;
  return (instrumentationScope ?? instrumentationLibrary)?.name;
}

// Keys and short values are shared by many spans; long texts are what fills the memory.
function sizeOf(attributes: Readonly<Record<string, unknown>> = {}): number {
  let bytes = 0;
  for (const key in attributes) {
    const value = attributes[key];
    bytes += ATTRIBUTE_BYTES;
    if (typeof value === 'string') bytes += value.length;
    else if (Array.isArray(value)) bytes += 32 * value.length + JSON.stringify(value).length;
  }
  return bytes;
}

function milliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1_000 + nanoseconds / 1e6;
}
