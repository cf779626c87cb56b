// The retry budget: however much fails, retries add only so much to the load. Pure.
import { durationMs, wholeNumber, type OptionRules } from '../options.ts';
import { numberFrom } from './policy-options.ts';
import { SlidingCounts } from './sliding-counts.ts';

/** How many retries a policy may make. */
export interface RetryBudgetOptions {
  /** Retries allowed for each call, as a share. @default 0.2 */
  readonly ratio?: number | undefined;
  /** Retries that are allowed however few calls there are. @default 10 */
  readonly min?: number | undefined;
  /** The sliding time in which calls and retries are counted, in ms. @default 60_000 */
  readonly perMs?: number | undefined;
}

/** What the options of a budget may be. */
export const BUDGET_RULES: OptionRules<RetryBudgetOptions> = {
  ratio: numberFrom(0, 10),
  min: wholeNumber(0, 1_000_000),
  perMs: durationMs(1),
};

const CALLS = 0;
const RETRIES = 1;

/** Retries up to `max(min, ratio * calls)` of the sliding time. */
export class RetryBudget {
  readonly settings: { readonly ratio: number; readonly min: number; readonly perMs: number };
  readonly #counts: SlidingCounts;

  constructor({ ratio = 0.2, min = 10, perMs = 60_000 }: RetryBudgetOptions) {
    this.settings = { ratio, min, perMs };
    this.#counts = new SlidingCounts(perMs, 2);
  }

  /** Counts a call, as it begins. */
  countCall(at: number): void {
    this.#counts.add(at, CALLS);
  }

  /** Takes one retry out of the budget; false where none is left. */
  take(at: number): boolean {
    const { ratio, min } = this.settings;
    const retries = this.#counts.sum(at, RETRIES);
    if (retries + 1 > Math.max(min, ratio * this.#counts.sum(at, CALLS))) return false;
    this.#counts.add(at, RETRIES);
    return true;
  }
}
