// The latest traces that this process holds spans of: a ring with a byte budget, in which traces with an error and slow ones
// outlive the others. Who fills it decides what a span is; here it has a size and can be read.
import { shared } from './shared.ts';

/** What happened during a span. */
export interface RecentEvent {
  readonly name: string;
  /** Since the start of the span, in ms. */
  readonly offsetMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A span as it is read. */
export interface RecentSpan {
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** The instrumentation that made it; undefined where the SDK does not say, or an older copy of toolspan read it. */
  readonly scope?: string | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** Wall-clock time, in ms since 1970. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Whether its status says that it failed. */
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly RecentEvent[];
}

/** A span as it is kept: read only when somebody asks. */
export interface HeldSpan {
  readonly traceId: string;
  /** How much it takes, roughly. */
  readonly bytes: number;
  /** Whether its trace is to be kept longer: it failed, or was slow. */
  readonly remarkable: boolean;
  read(): RecentSpan;
}

/** What is kept of one trace. */
export interface RecentTrace {
  readonly spans: readonly HeldSpan[];
  /** How many more spans it had than are kept of one trace. */
  readonly left: number;
}

interface Kept {
  readonly spans: HeldSpan[];
  left: number;
  bytes: number;
}

const DEFAULT_MAX_BYTES = 8 * 1_024 * 1_024;
const TRACE_BYTES = 256;
const MAX_SPANS = 500;
// Most traces are ordinary and read by nobody; keeping few of them keeps the garbage collector's work small.
const ORDINARY_SHARE = 1 / 16;
// One trace alone, so that it cannot push out all others; what has failed in it is kept beyond that.
const TRACE_SHARE = 1 / 32;
const COMPACT_AFTER = 1_024;

/**
 * The latest traces. Every span goes through here, so an ordinary one is put at the end of a queue and nothing else;
 * spans are brought together by trace where one of them is remarkable, and when somebody asks.
 */
export class RecentTraces {
  #maxBytes: number;
  #ordinary: (HeldSpan | undefined)[] = [];
  // beside them, so that an old span is forgotten without being looked at
  #sizes: number[] = [];
  #oldest = 0;
  #ordinaryBytes = 0;
  readonly #remarkable = new Map<string, Kept>();
  #remarkableBytes = 0;

  constructor(maxBytes: number = DEFAULT_MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** How much they take, roughly. */
  get bytes(): number {
    return this.#ordinaryBytes + this.#remarkableBytes;
  }

  /** Changes the budget, in bytes. */
  limitTo(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#forgetOrdinary();
    this.#forgetRemarkable();
  }

  /** Adds a span that has ended. */
  add(span: HeldSpan): void {
    const kept = this.#remarkable.get(span.traceId);
    if (kept !== undefined) {
      this.#keep(kept, span);
    } else if (span.remarkable) {
      const trace: Kept = { spans: [], left: 0, bytes: TRACE_BYTES };
      this.#remarkable.set(span.traceId, trace);
      this.#remarkableBytes += TRACE_BYTES;
      // its other spans have ended before; they leave the queue when their time comes
      for (const earlier of this.#ordinaryOf(span.traceId)) this.#keep(trace, earlier);
      this.#keep(trace, span);
    } else {
      this.#ordinary.push(span);
      this.#sizes.push(span.bytes);
      this.#ordinaryBytes += span.bytes;
      if (this.#ordinaryBytes > this.#maxBytes * ORDINARY_SHARE) this.#forgetOrdinary();
      return;
    }
    this.#forgetRemarkable();
  }

  /** What is kept of a trace. */
  get(traceId: string): RecentTrace | undefined {
    const kept = this.#remarkable.get(traceId);
    if (kept !== undefined) return kept;
    const spans = this.#ordinaryOf(traceId);
    return spans.length === 0 ? undefined : { spans, left: 0 };
  }

  #ordinaryOf(traceId: string): HeldSpan[] {
    const found: HeldSpan[] = [];
    for (let at = this.#oldest; at < this.#ordinary.length; at++) {
      const span = this.#ordinary[at];
      if (span?.traceId === traceId) found.push(span);
    }
    return found;
  }

  #keep(trace: Kept, span: HeldSpan): void {
    const room = trace.spans.length < MAX_SPANS && trace.bytes + span.bytes <= this.#maxBytes * TRACE_SHARE;
    if (!room && !(span.remarkable && trace.spans.length < 2 * MAX_SPANS)) {
      trace.left++;
      return;
    }
    trace.spans.push(span);
    trace.bytes += span.bytes;
    this.#remarkableBytes += span.bytes;
  }

  #forgetOrdinary(): void {
    const most = this.#maxBytes * ORDINARY_SHARE;
    while (this.#ordinaryBytes > most && this.#oldest < this.#ordinary.length) {
      this.#ordinaryBytes -= this.#sizes[this.#oldest] as number;
      this.#ordinary[this.#oldest++] = undefined;
    }
    if (this.#oldest < COMPACT_AFTER) return;
    this.#ordinary = this.#ordinary.slice(this.#oldest);
    this.#sizes = this.#sizes.slice(this.#oldest);
    this.#oldest = 0;
  }

  #forgetRemarkable(): void {
    const most = this.#maxBytes * (1 - ORDINARY_SHARE);
    for (const [traceId, { bytes }] of this.#remarkable) {
      if (this.#remarkableBytes <= most) break;
      this.#remarkable.delete(traceId);
      this.#remarkableBytes -= bytes;
    }
  }
}

interface TraceHolding {
  readonly traces: RecentTraces;
  /** How many processors fill it. */
  fillers: number;
}

const holding = shared<TraceHolding>('recent-traces', () => ({ traces: new RecentTraces(), fillers: 0 }));

/** The latest traces of this process. */
export const recentTraces: RecentTraces = holding.traces;

/** Whether anything puts spans into it. */
export function tracesAreHeld(): boolean {
  return holding.fillers > 0;
}

/** Says that something puts spans into it from now on; returns what takes that back. */
export function fillTraces(): () => void {
  holding.fillers++;
  let filling = true;
  return () => {
    if (filling) holding.fillers--;
    filling = false;
  };
}
