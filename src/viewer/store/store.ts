// Everything that was received, within bounds of bytes and time. It must not know how it came nor who looks at it.
import { checkOptions, durationMs, type OptionRule } from '../../options.ts';
import type { Batch } from '../otlp/batches.ts';
import { nothingLeftOut, type LeftOut } from '../otlp/left-out.ts';
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
const NO_IDS = 'expected a trace id of 16 bytes and a span id of 8, not all zero';
/** The share of the bound that metrics may take. */
export const METRIC_SHARE = 0.25;
const RESOURCE_SHARE = 1 / 16;

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
      bytes: this.#bytes,
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
   * @param leftOut records that it had and that are not in the body.
   *
   * @throws {MalformedError} bytes that are no such request; then nothing of it is kept.
   */
  add(signal: Signal, body: Buffer, nowMs: number = this.now(), leftOut: LeftOut = nothingLeftOut()): Accepted {
    const changed = new Set<string>();
    const accepted = this.#take(signal, body, nowMs, changed);
    accepted.refuse(leftOut.count, leftOut.reason);
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
    this.resources.shrink(this.maxBytes * RESOURCE_SHARE);
    while (this.#bytes > this.maxBytes) {
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
    this.resources.shrink(0);
    for (const listener of this.#listeners) listener('traces', new Set());
  }

  get #bytes(): number {
    return this.spans.bytes + this.logs.bytes + this.metrics.bytes + this.resources.bytes;
  }

  get #segmentBytes(): number {
    return this.maxBytes / SEGMENTS_AT_LEAST;
  }

  // a segment is to hold some of them, and its records
  get #sourceLimit(): number {
    return Math.min(MAX_RECORD_BYTES, this.#segmentBytes / 4);
  }

  #take(signal: Signal, body: Buffer, nowMs: number, changed: Set<string>): Tally {
    if (signal === 'metrics') {
      const { points, rejected } = this.metrics.add(body, nowMs, this.#sourceLimit);
      const reason =
        'too many instruments or label sets, one name for two kinds of instrument, or a resource too large';
      const tally = new Tally();
      tally.received = points - rejected;
      tally.refuse(rejected, reason);
      return tally;
    }
    return signal === 'traces' ? this.#takeSpans(body, nowMs, changed) : this.#takeLogs(body, nowMs, changed);
  }

  #takeSpans(body: Buffer, nowMs: number, changed: Set<string>): Tally {
    const tally = new Tally();
    for (const { resource, scope, records } of this.#withSources(readSpans(body), tally)) {
      for (const span of records) {
        const hasIds = span.traceId !== '' && span.spanIdHigh + span.spanIdLow > 0;
        if (!tally.takes(hasIds ? this.#problemOf(span.raw) : NO_IDS)) continue;
        if (this.spans.add(span, resource, scope, nowMs, this.#segmentBytes)) changed.add(span.traceId);
      }
    }
    return tally;
  }

  #takeLogs(body: Buffer, nowMs: number, changed: Set<string>): Tally {
    const tally = new Tally();
    for (const { resource, scope, records } of this.#withSources(readLogs(body), tally)) {
      for (const log of records) {
        if (!tally.takes(this.#problemOf(log.raw))) continue;
        this.logs.add(log, resource, scope, nowMs, this.#segmentBytes);
        if (log.traceId !== '') changed.add(log.traceId);
      }
    }
    return tally;
  }

  #problemOf(raw: Buffer): string {
    const limit = Math.min(MAX_RECORD_BYTES, this.#segmentBytes);
    return raw.length > limit ? `expected at most ${limit} bytes a record, got ${raw.length}` : '';
  }

  // all are read before any record is kept: what is malformed is refused as a whole
  #withSources<T>(batches: readonly Batch<T>[], tally: Tally) {
    const limit = this.#sourceLimit;
    return batches.flatMap(({ resource, scope, records, leftOut }) => {
      tally.refuse(leftOut.count, leftOut.reason);
      const length = Math.max(resource.length, scope.length);
      if (length > limit) {
        tally.refuse(records.length, `expected at most ${limit} bytes a resource or scope, got ${length}`);
        return [];
      }
      return { resource: this.resources.resource(resource), scope: this.resources.scope(scope), records };
    });
  }
}

/** Counts what was taken of a request. */
class Tally implements Accepted {
  received = 0;
  rejected = 0;
  reason = '';

  /** Counts a record; false where there is a problem with it. */
  takes(problem: string): boolean {
    if (problem !== '') this.refuse(1, problem);
    else this.received++;
    return problem === '';
  }

  refuse(count: number, problem: string): void {
    if (count === 0) return;
    this.received += count;
    this.rejected += count;
    this.reason = problem;
  }
}
