// Whole traces out of single spans: a span processor that hands on a trace when nothing in it is open any more.
import type { TelemetryOptions } from '../node/index.ts';

type SpanProcessor = NonNullable<TelemetryOptions['spanProcessors']>[number];
type Span = Parameters<SpanProcessor['onStart']>[0];
/** A span that has ended. */
export type ReadableSpan = Parameters<SpanProcessor['onEnd']>[0];

const QUIET_MS = 40;
const MAX_SPANS = 1_000;
const MAX_TRACES = 1_000;

interface Growing {
  readonly spans: ReadableSpan[];
  open: number;
  quiet: NodeJS.Timeout | undefined;
}

/** Collects spans into traces; bounded, and never in the way of the process's end. */
export class LiveTraces implements SpanProcessor {
  readonly #onTrace: (spans: readonly ReadableSpan[]) => void;
  readonly #growing = new Map<string, Growing>();

  constructor(onTrace: (spans: readonly ReadableSpan[]) => void) {
    this.#onTrace = onTrace;
  }

  onStart(span: Span): void {
    const { traceId } = span.spanContext();
    const trace = this.#growing.get(traceId) ?? this.#begin(traceId);
    trace.open++;
    clearTimeout(trace.quiet);
  }

  onEnd(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    const trace = this.#growing.get(traceId);
    if (trace === undefined) return;
    trace.open--;
    if (trace.spans.length < MAX_SPANS) trace.spans.push(span);
    // a server may still have something to say after its client has its answer
    if (trace.open === 0) trace.quiet = setTimeout(() => this.#finish(traceId), QUIET_MS).unref();
  }

  /** Hands on what is there of every trace. */
  forceFlush(): Promise<void> {
    for (const traceId of this.#growing.keys()) this.#finish(traceId);
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }

  #begin(traceId: string): Growing {
    const [oldest] = this.#growing.keys();
    if (this.#growing.size >= MAX_TRACES && oldest !== undefined) this.#finish(oldest);
    const trace: Growing = { spans: [], open: 0, quiet: undefined };
    this.#growing.set(traceId, trace);
    return trace;
  }

  #finish(traceId: string): void {
    const trace = this.#growing.get(traceId);
    if (trace === undefined) return;
    clearTimeout(trace.quiet);
    this.#growing.delete(traceId);
    if (trace.spans.length > 0) this.#onTrace(trace.spans);
  }
}
