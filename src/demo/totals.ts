// What the demo has seen so far: calls by outcome, and how long they took.
import type { Outcome } from '../protocol/outcome.ts';

const MAX_DURATIONS = 10_000;

/** The totals of a run. */
export interface Totals {
  readonly traces: number;
  readonly spans: number;
  /** Requests that the server answered or lost, by outcome. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  /** Of the latest 10,000 requests, in ms. */
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** Counts as traces come in. */
export class RunningTotals {
  #traces = 0;
  #spans = 0;
  readonly #outcomes = new Map<Outcome, number>();
  readonly #durations: number[] = [];

  addTrace(spans: number): void {
    this.#traces++;
    this.#spans += spans;
  }

  addRequest(outcome: Outcome, durationMs: number): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.#durations.push(durationMs);
    if (this.#durations.length > MAX_DURATIONS) this.#durations.shift();
  }

  read(): Totals {
    const sorted = this.#durations.toSorted((a, b) => a - b);
    const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
    return {
      traces: this.#traces,
      spans: this.#spans,
      outcomes: Object.fromEntries(this.#outcomes),
      p50Ms: quantile(0.5),
      p95Ms: quantile(0.95),
    };
  }
}

/** The totals in one line. */
export function totalsLine({ outcomes, p50Ms, p95Ms }: Totals): string {
  const requests = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const parts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return [`${requests} requests`, ...parts, `p50 ${p50Ms.toFixed(0)} ms`, `p95 ${p95Ms.toFixed(0)} ms`].join(' · ');
}
