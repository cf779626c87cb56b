// Everything that was received, within bounds of bytes and time. It must not know how it came nor who looks at it.
import { checkOptions, durationMs, type OptionRule } from '../../options.ts';
import type { Batch } from '../otlp/batches.ts';
import { readLogs } from '../otlp/read-logs.ts';
import { readSpans } from '../otlp/read-spans.ts';
import type { Signal } from '../otlp/schema.ts';
import { LogStore } from './log-store.ts';
import { MetricStore } from './metric-store.ts';
import { Resources } from './resources.ts';
import { SpanStore } from './span-store.ts';

/** Options of a `Store`. */
export interface StoreOptions {
  /**
   * Most bytes that are held; the oldest whole traces and log records go first.
   *
   * @default 268_435_456 (256 MiB)
   */
  readonly maxBytes?: number | undefined;
  /**
   * How long a record is held, in ms.
   *
   * @default 86_400_000 (a day)
   */
  readonly maxAgeMs?: number | undefined;
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: (() => number) | undefined;
}

/** What became of a request. */
export interface Accepted {
  readonly received: number;
  /** Records that were not taken, so that a part of the request was refused. */
  readonly rejected: number;
  /** Why, in one sentence. */
  readonly reason: string;
}

/** What is held and what is not any more. */
export interface Fill {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly spans: number;
  readonly traces: number;
  readonly logs: number;
  readonly instruments: number;
  readonly received: Readonly<Record<Signal, number>>;
  readonly rejected: Readonly<Record<Signal, number>>;
  readonly evictedTraces: number;
}

/** What happened since the last time somebody asked. */
export type Listener = (signal: Signal, traceIds: ReadonlySet<string>) => void;

/** A span or log record of more than this is refused. */
export const MAX_RECORD_BYTES: number = 1024 * 1024;

const MIN_BYTES = 1024 * 1024;
const DAY_MS = 86_400_000;
// a segment is the smallest piece that can go
const SEGMENTS_AT_LEAST = 16;
const CUTS_PER_AGE = 24;
const METRIC_SHARE = 0.25;

const bytes: OptionRule = {
  allows: (value) => typeof value === 'number' && value >= MIN_BYTES && Number.isFinite(value),
  expected: `a number of bytes of at least ${MIN_BYTES}`,
  outOfRange: (value) => typeof value === 'number',
};

export class Store {
  readonly resources: Resources = new Resources();
  readonly spans: SpanStore = new SpanStore();
  readonly logs: LogStore = new LogStore();
  readonly metrics: MetricStore = new MetricStore(this.resources);
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly now: () => number;
  readonly #listeners = new Set<Listener>();
  readonly #received = { traces: 0, metrics: 0, logs: 0 };
  readonly #rejected = { traces: 0, metrics: 0, logs: 0 };
  #evictedTraces = 0;
  #cutAt = Number.NEGATIVE_INFINITY;

  /** @throws {TypeError | RangeError} a bad option. */
  constructor(options: StoreOptions = {}) {
    checkOptions<StoreOptions>('Store', options, {
      maxBytes: bytes,
      maxAgeMs: durationMs(1_000, 365 * DAY_MS),
      now: { allows: (value) => typeof value === 'function', expected: 'a function' },
    });
    this.maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
    this.maxAgeMs = options.maxAgeMs ?? DAY_MS;
    this.now = options.now ?? Date.now;
  }

  get fill(): Fill {
    return {
      bytes: this.spans.bytes + this.logs.bytes + this.metrics.bytes,
      maxBytes: this.maxBytes,
      spans: this.spans.size,
      traces: this.spans.traces.size,
      logs: this.logs.size,
      instruments: this.metrics.instruments.size,
      received: { ...this.#received },
      rejected: { ...this.#rejected },
      evictedTraces: this.#evictedTraces,
    };
  }

  /**
   * Takes the body of an export request.
   *
   * @param nowMs when it came.
   *
   * @throws {MalformedError} bytes that are no such request; then nothing of it is kept.
   */
  add(signal: Signal, body: Buffer, nowMs: number = this.now()): Accepted {
    const changed = new Set<string>();
    const accepted = this.#take(signal, body, nowMs, changed);
    this.#received[signal] += accepted.received;
    this.#rejected[signal] += accepted.rejected;
    this.maintain();
    for (const listener of this.#listeners) listener(signal, changed);
    return accepted;
  }

  /** Calls the listener after each request that was taken; answers what stops that. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets go of what is too old or too much. Called after each request; a quiet store needs it now and then. */
  maintain(nowMs: number = this.now()): void {
    if (nowMs - this.#cutAt > this.maxAgeMs / CUTS_PER_AGE) {
      this.#cutAt = nowMs;
      this.spans.cut(nowMs);
      this.logs.cut(nowMs);
      this.metrics.expire(nowMs - this.maxAgeMs);
    }
    const expired = nowMs - this.maxAgeMs;
    while ((this.spans.oldestEndedAt ?? nowMs) < expired) this.#evictedTraces += this.spans.evictOldest();
    while ((this.logs.oldestEndedAt ?? nowMs) < expired) this.logs.evictOldest();
    this.metrics.shrink(this.maxBytes * METRIC_SHARE);
    while (this.spans.bytes + this.logs.bytes + this.metrics.bytes > this.maxBytes) {
      const [spans, logs] = [this.spans.evictableSince, this.logs.evictableSince];
      if (spans === undefined && logs === undefined) return;
      if (logs === undefined || (spans !== undefined && spans <= logs)) {
        this.#evictedTraces += this.spans.evictOldest();
      } else this.logs.evictOldest();
    }
  }

  /** Forgets everything. */
  clear(): void {
    for (const records of [this.spans, this.logs]) {
      records.cut(this.now());
      while (records.evictableSince !== undefined) records.evictOldest();
    }
    this.spans.transitions.length = 0;
    this.metrics.shrink(0);
    for (const listener of this.#listeners) listener('traces', new Set());
  }

  #take(signal: Signal, body: Buffer, nowMs: number, changed: Set<string>): Accepted {
    if (signal === 'metrics') {
      const { points, rejected } = this.metrics.add(body, nowMs);
      const reason = 'too many instruments or label sets, or one name for two kinds of instrument';
      return { received: points, rejected, reason: rejected > 0 ? reason : '' };
    }
    return signal === 'traces' ? this.#takeSpans(body, nowMs, changed) : this.#takeLogs(body, nowMs, changed);
  }

  #takeSpans(body: Buffer, nowMs: number, changed: Set<string>): Accepted {
    let [received, rejected, reason] = [0, 0, ''];
    const segmentBytes = this.maxBytes / SEGMENTS_AT_LEAST;
    for (const { resource, scope, records } of this.#withSources(readSpans(body))) {
      for (const span of records) {
        received++;
        const problem = problemOf(span.raw, segmentBytes, span.traceId !== '' && span.spanIdHigh + span.spanIdLow > 0);
        if (problem !== '') {
          rejected++;
          reason = problem;
        } else if (this.spans.add(span, resource, scope, nowMs, segmentBytes)) changed.add(span.traceId);
      }
    }
    return { received, rejected, reason };
  }

  #takeLogs(body: Buffer, nowMs: number, changed: Set<string>): Accepted {
    let [received, rejected, reason] = [0, 0, ''];
    const segmentBytes = this.maxBytes / SEGMENTS_AT_LEAST;
    for (const { resource, scope, records } of this.#withSources(readLogs(body))) {
      for (const log of records) {
        received++;
        const problem = problemOf(log.raw, segmentBytes, true);
        if (problem !== '') {
          rejected++;
          reason = problem;
          continue;
        }
        this.logs.add(log, resource, scope, nowMs, segmentBytes);
        if (log.traceId !== '') changed.add(log.traceId);
      }
    }
    return { received, rejected, reason };
  }

  // all are read before any record is kept: what is malformed is refused as a whole
  #withSources<T>(batches: readonly Batch<T>[]) {
    return batches.map(({ resource, scope, records }) => ({
      resource: this.resources.resource(resource),
      scope: this.resources.scope(scope),
      records,
    }));
  }
}

function problemOf(raw: Buffer, segmentBytes: number, hasIds: boolean): string {
  if (!hasIds) return 'expected a trace id of 16 bytes and a span id of 8, not all zero';
  const limit = Math.min(MAX_RECORD_BYTES, segmentBytes);
  return raw.length > limit ? `expected at most ${limit} bytes a record, got ${raw.length}` : '';
}
