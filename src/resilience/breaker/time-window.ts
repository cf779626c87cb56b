// Opens where the share of failed or slow calls of a sliding time is too large. Pure.
import { SlidingCounts } from '../sliding-counts.ts';
import { tooMany, type Shares } from './shares.ts';
import type { Counts, Strategy } from './strategy.ts';

const CALLS = 0;
const FAILURES = 1;
const SLOW = 2;

export class TimeWindow implements Strategy {
  readonly #shares: Shares;
  readonly #counts: SlidingCounts;

  constructor(durationMs: number, shares: Shares) {
    this.#shares = shares;
    this.#counts = new SlidingCounts(durationMs, 3);
  }

  succeeded(at: number, slow: boolean): 'ratio' | 'slow_ratio' | undefined {
    this.#counts.add(at, CALLS);
    if (!slow) return undefined;
    this.#counts.add(at, SLOW);
    return this.#verdict(at);
  }

  failed(at: number, slow: boolean): 'ratio' | 'slow_ratio' | undefined {
    this.#counts.add(at, CALLS);
    this.#counts.add(at, FAILURES);
    if (slow) this.#counts.add(at, SLOW);
    return this.#verdict(at);
  }

  counts(at: number): Counts {
    return { calls: this.#counts.sum(at, CALLS), failures: this.#counts.sum(at, FAILURES) };
  }

  clear(): void {
    this.#counts.clear();
  }

  #verdict(at: number): 'ratio' | 'slow_ratio' | undefined {
    const { calls, failures } = this.counts(at);
    return tooMany(this.#shares, calls, failures, this.#counts.sum(at, SLOW));
  }
}
