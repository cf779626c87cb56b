// Calls counted by tool and by time, from the spans of one side.
import type { SpanSegment } from '../store/span-segment.ts';
import type { SpanStore } from '../store/span-store.ts';
import { Durations } from './durations.ts';
import type { CallSeries, Heatmap, OperationStats, Window } from './shapes.ts';

export type Side = 'server' | 'client';

const SERVER = 2;
const CLIENT = 3;
const FAILURES = new Set(['tool_error', 'protocol_error', 'aborted', 'expired']);
const NS_PER_MS = 1e6;
const SPARKS = 30;
// 0.1 ms to about 100 s, three rows for each power of ten
const HEAT_BOUNDS_MS: readonly number[] = Array.from({ length: 19 }, (_, i) => 0.1 * 10 ** (i / 3));

/** A call that is counted. */
export interface Call {
  readonly segment: SpanSegment;
  readonly row: number;
  readonly startMs: number;
  readonly durationNs: number;
  readonly error: boolean;
}

/** Which side is counted: the server's, unless only clients report. */
export function sideOf(store: SpanStore): Side {
  let side: Side = 'server';
  for (const segment of store.segments) {
    for (let row = 0; row < segment.rows; row++) {
      if (segment.textId('method', row) === 0) continue;
      if (segment.kind[row] === SERVER) return 'server';
      if (segment.kind[row] === CLIENT) side = 'client';
    }
  }
  return side;
}

/** The kind of the spans of a side. */
export function kindOf(side: Side): number {
  return side === 'server' ? SERVER : CLIENT;
}

/** Visits the MCP operations of one side that began in the window; notifications are none. */
export function eachCall(store: SpanStore, { fromMs, toMs }: Window, side: Side, visit: (call: Call) => void): void {
  const wanted = kindOf(side);
  for (const segment of store.segments) {
    const failing = failureIds(segment);
    const skipped = new Map<number, boolean>();
    for (let row = 0; row < segment.rows; row++) {
      const startMs = segment.startMs[row] ?? 0;
      if (segment.kind[row] !== wanted || startMs < fromMs || startMs > toMs || !segment.isLive(row)) continue;
      const method = segment.textId('method', row);
      let skip = skipped.get(method);
      if (skip === undefined) {
        skip = method === 0 || segment.index.text(method).startsWith('notifications/');
        skipped.set(method, skip);
      }
      if (skip) continue;
      const error = failing.has(segment.textId('outcome', row)) || segment.failed(row);
      visit({ segment, row, startMs, durationNs: segment.durationNs[row] ?? 0, error });
    }
  }
}

// outcomes are few: their numbers in this segment are found once
function failureIds(segment: SpanSegment): ReadonlySet<number> {
  const ids = new Set<number>();
  const seen = new Set<number>();
  for (let row = 0; row < segment.rows; row++) {
    const id = segment.textId('outcome', row);
    if (seen.has(id)) continue;
    seen.add(id);
    if (FAILURES.has(segment.index.text(id))) ids.add(id);
  }
  return ids;
}

/** Sums up calls. */
export class CallCounter {
  readonly #name: string;
  readonly #isTool: boolean;
  readonly #window: Window;
  readonly #durations = new Durations();
  readonly #outcomes = new Map<string, number>();
  readonly #sparks: number[] = Array.from({ length: SPARKS }, () => 0);
  #errors = 0;
  #retries = 0;
  #lastMs = 0;

  constructor(name: string, isTool: boolean, window: Window) {
    this.#name = name;
    this.#isTool = isTool;
    this.#window = window;
  }

  add({ segment, row, startMs, durationNs, error }: Call): void {
    this.#durations.add(durationNs);
    if (error) this.#errors++;
    this.#retries += segment.retries[row] ?? 0;
    this.#lastMs = Math.max(this.#lastMs, startMs);
    const outcome = segment.text('outcome', row) || (error ? 'error' : 'ok');
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    const spark = binOf(startMs, this.#window, SPARKS);
    this.#sparks[spark] = (this.#sparks[spark] ?? 0) + 1;
  }

  read(): OperationStats {
    const quantile = (q: number) => this.#durations.quantileMs(q) ?? 0;
    return {
      name: this.#name,
      isTool: this.#isTool,
      calls: this.#durations.count,
      errors: this.#errors,
      outcomes: Object.fromEntries(this.#outcomes),
      p50Ms: quantile(0.5),
      p95Ms: quantile(0.95),
      p99Ms: quantile(0.99),
      maxMs: this.#durations.maxNs / NS_PER_MS,
      totalMs: this.#durations.totalNs / NS_PER_MS,
      retries: this.#retries,
      lastMs: this.#lastMs,
      sparkline: this.#sparks,
    };
  }
}

/** Counts each operation by itself, and all together. */
export class OperationCounters {
  readonly #window: Window;
  readonly #total: CallCounter;
  readonly #counters = new Map<string, CallCounter>();
  readonly #cache = new Map<SpanSegment, Map<number, CallCounter>>();

  constructor(window: Window) {
    this.#window = window;
    this.#total = new CallCounter('', false, window);
  }

  add(call: Call): void {
    this.#total.add(call);
    const { segment, row } = call;
    const id = segment.textId('tool', row) || segment.textId('method', row);
    let ofSegment = this.#cache.get(segment);
    if (ofSegment === undefined) {
      ofSegment = new Map();
      this.#cache.set(segment, ofSegment);
    }
    let counter = ofSegment.get(id);
    if (counter === undefined) {
      const name = segment.index.text(id);
      const isTool = segment.textId('tool', row) !== 0;
      const key = `${isTool ? 'tool' : 'method'} ${name}`;
      counter = this.#counters.get(key) ?? new CallCounter(name, isTool, this.#window);
      this.#counters.set(key, counter);
      ofSegment.set(id, counter);
    }
    counter.add(call);
  }

  read(): { total: OperationStats; operations: OperationStats[] } {
    const operations = [...this.#counters.values()].map((counter) => counter.read());
    return { total: this.#total.read(), operations: operations.toSorted((a, b) => b.calls - a.calls) };
  }
}

/** Counts calls by time. */
export class TimeCounters {
  readonly #window: Window;
  readonly #bins: { durations: Durations; errors: number; retries: number }[];

  constructor(window: Window, bins: number) {
    this.#window = window;
    this.#bins = Array.from({ length: bins }, () => ({ durations: new Durations(), errors: 0, retries: 0 }));
  }

  add({ segment, row, startMs, durationNs, error }: Call): void {
    const bin = this.#bins[binOf(startMs, this.#window, this.#bins.length)];
    if (bin === undefined) return;
    bin.durations.add(durationNs);
    if (error) bin.errors++;
    bin.retries += segment.retries[row] ?? 0;
  }

  read(): CallSeries {
    const quantiles = (q: number) => this.#bins.map(({ durations }) => durations.quantileMs(q) ?? null);
    return {
      timesMs: binTimes(this.#window, this.#bins.length),
      calls: this.#bins.map(({ durations }) => durations.count),
      errors: this.#bins.map(({ errors }) => errors),
      retries: this.#bins.map(({ retries }) => retries),
      p50Ms: quantiles(0.5),
      p95Ms: quantiles(0.95),
      p99Ms: quantiles(0.99),
    };
  }
}

/** Counts calls by time and duration. */
export class HeatCounters {
  readonly #window: Window;
  readonly #bins: number;
  readonly #counts: number[][];
  readonly #errors: number[][];

  constructor(window: Window, bins: number) {
    this.#window = window;
    this.#bins = bins;
    const rows = () => HEAT_BOUNDS_MS.map(() => Array.from({ length: bins }, () => 0));
    this.#counts = rows();
    this.#errors = rows();
  }

  add({ startMs, durationNs, error }: Call): void {
    const ms = durationNs / NS_PER_MS;
    const found = HEAT_BOUNDS_MS.findIndex((bound) => ms <= bound);
    const row = found < 0 ? HEAT_BOUNDS_MS.length - 1 : found;
    const bin = binOf(startMs, this.#window, this.#bins);
    const add = (rows: number[][]) => {
      const counts = rows[row];
      if (counts !== undefined) counts[bin] = (counts[bin] ?? 0) + 1;
    };
    add(this.#counts);
    if (error) add(this.#errors);
  }

  read(): Heatmap {
    return {
      timesMs: binTimes(this.#window, this.#bins),
      boundsMs: HEAT_BOUNDS_MS,
      counts: this.#counts,
      errors: this.#errors,
    };
  }
}

/** The part of a window in which a moment lies. */
export function binOf(ms: number, { fromMs, toMs }: Window, bins: number): number {
  return Math.max(0, Math.min(bins - 1, Math.floor(((ms - fromMs) / (toMs - fromMs)) * bins)));
}

/** When each part of a window begins. */
export function binTimes({ fromMs, toMs }: Window, bins: number): number[] {
  return Array.from({ length: bins }, (_, i) => fromMs + ((toMs - fromMs) * i) / bins);
}
