// The retry: more attempts where they may help, with growing delays, within a deadline and a budget; abortable at any moment.
// Pure.
import {
  checkOptions,
  durationMs,
  functionRule,
  objectRule,
  oneOf,
  shown,
  wholeNumber,
  type OptionRules,
} from '../options.ts';
import { backoffMs, JITTERS, type BackoffSettings, type Jitter } from './backoff.ts';
import type { Call, Layer, Next, PolicyStep } from './call.ts';
import type { Clock } from './clock.ts';
import { discard } from './discard.ts';
import { Monitor, RETRY_RESULTS, type RetryResult } from './events.ts';
import { failureOfResult, isWithdrawn, thrownEnd, type Ended, type FailOn } from './failure.ts';
import { LayeredPolicy, type Policy } from './layered-policy.ts';
import type { Lifetime } from './lifetime.ts';
import {
  COMMON_RULES,
  numberFrom,
  orFalse,
  surroundings,
  type CommonOptions,
  type Surroundings,
} from './policy-options.ts';
import { refusalOf } from './refusal.ts';
import { enter } from './registry.ts';
import { BUDGET_RULES, RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
import { zeroes, type PolicySnapshot } from './snapshot.ts';

/** When and how often a call is tried again. */
export interface RetrySettings {
  /** How many calls are made at most, the first included. @default 3 */
  readonly attempts?: number | undefined;
  /** The delay before the first retry, before chance shortens it, in ms. @default 200 */
  readonly initialDelayMs?: number | undefined;
  /** The longest delay, in ms; only what a server asks for may be longer. @default 5_000 */
  readonly maxDelayMs?: number | undefined;
  /** By how much each delay is longer than the one before. @default 2 */
  readonly multiplier?: number | undefined;
  /** How chance spreads the delays. @default 'full' */
  readonly jitter?: Jitter | undefined;
  /**
   * The time from the start of the call after which no attempt begins, in ms. A retry that would come later is not waited
   * for, `Retry-After` included.
   *
   * @default 30_000; in `policy` its `timeoutMs`
   */
  readonly deadlineMs?: number | undefined;
  /** How many retries the policy may make altogether; false for any number. @default 20 % of calls, at least 10 a minute */
  readonly budget?: RetryBudgetOptions | false | undefined;
  /**
   * Whether an error may be retried. Refusals by a policy and calls that the caller withdrew never are.
   *
   * @default as its classification says
   */
  readonly when?: ((error: unknown) => boolean) | undefined;
}

/** Options of `retry`. All have a default. */
export interface RetryOptions extends RetrySettings, CommonOptions {
  /** Which results are failures. @default none */
  readonly failOn?: FailOn | undefined;
}

/** What the settings of a retry may be. */
export const RETRY_RULES: OptionRules<RetrySettings> = {
  attempts: wholeNumber(1, 1_000),
  initialDelayMs: durationMs(0),
  maxDelayMs: durationMs(0),
  multiplier: numberFrom(1, 1_000),
  jitter: oneOf(...JITTERS),
  deadlineMs: durationMs(1),
  budget: orFalse(objectRule),
  when: functionRule,
};

/**
 * A retry. It makes up to `attempts` calls, as long as they fail in a way that another one may mend; then the last error is
 * thrown as it was, or the last result returned.
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export function retry(options: RetryOptions = {}): Policy {
  checkOptions<RetryOptions>('retry', options, { ...COMMON_RULES, ...RETRY_RULES, failOn: functionRule });
  const monitor = new Monitor('retry', options.name);
  const layer = new Attempts('retry', options, options.failOn, surroundings(options), monitor);
  return enter(new LayeredPolicy(monitor, [layer], options.failOn));
}

/** Calls what is further inside until it succeeds, or no more attempt makes sense. */
export class Attempts implements Layer {
  readonly #attempts: number;
  readonly #backoff: BackoffSettings;
  readonly #deadlineMs: number;
  readonly #budget: RetryBudget | undefined;
  readonly #when: ((error: unknown) => boolean) | undefined;
  readonly #failOn: FailOn | undefined;
  readonly #around: Surroundings;
  readonly #monitor: Monitor;
  readonly #results = zeroes(RETRY_RESULTS);
  #retries = 0;

  /** @param fn whose option the settings are, for messages. */
  constructor(fn: string, settings: RetrySettings, failOn: FailOn | undefined, around: Surroundings, monitor: Monitor) {
    const { attempts = 3, initialDelayMs = 200, multiplier = 2, jitter = 'full', deadlineMs = 30_000 } = settings;
    const { maxDelayMs = Math.max(5_000, initialDelayMs), budget = {}, when } = settings;
    if (maxDelayMs < initialDelayMs) {
      throw new RangeError(
        `${fn}: option "maxDelayMs" must be at least "initialDelayMs" (${initialDelayMs}), got ${shown(maxDelayMs)}`,
      );
    }
    if (budget !== false) checkOptions<RetryBudgetOptions>(`${fn}: budget`, budget, BUDGET_RULES);
    this.#attempts = attempts;
    this.#backoff = { initialDelayMs, maxDelayMs, multiplier, jitter };
    this.#deadlineMs = deadlineMs;
    this.#budget = budget === false ? undefined : new RetryBudget(budget);
    this.#when = when;
    this.#failOn = failOn;
    this.#around = around;
    this.#monitor = monitor;
  }

  async execute(call: Call, next: Next): Promise<unknown> {
    const startedAt = call.at(this.#around.clock);
    this.#budget?.countCall(startedAt);
    const deadline = Math.min(startedAt + this.#deadlineMs, call.lifetime?.endsAt ?? Number.POSITIVE_INFINITY);
    let attempt = call;
    let delayMs = this.#backoff.initialDelayMs;
    for (;;) {
      let ended: Ended;
      try {
        const result = await next(attempt);
        const failure = failureOfResult(result, this.#failOn);
        if (failure === undefined) {
          this.#results[attempt === call ? 'not_needed' : 'recovered']++;
          return result;
        }
        ended = { threw: false, value: result, failure };
      } catch (error) {
        ended = thrownEnd(error);
      }
      const backoff = backoffMs(this.#backoff, attempt.attempt, delayMs, this.#around.random);
      // a server that says when it will be ready is not asked earlier
      delayMs = Math.max(backoff, ended.failure.retryAfterMs ?? 0);
      let stopped = this.#whyStop(attempt, ended, delayMs, deadline);
      if (stopped === undefined) {
        await this.#pause(attempt, ended, delayMs);
        stopped = whyOver(attempt);
        if (stopped !== undefined) ended = thrownEnd(attempt.lifetime?.reason);
      }
      if (stopped !== undefined) {
        this.#giveUp(stopped, attempt, ended);
        if (ended.threw) throw ended.value;
        return ended.value;
      }
      attempt = attempt.again();
    }
  }

  describe(): PolicyStep {
    return {
      policy: 'retry',
      attempts: this.#attempts,
      ...this.#backoff,
      deadlineMs: this.#deadlineMs,
      budget: this.#budget?.settings ?? false,
    };
  }

  report(): Pick<PolicySnapshot, 'retry'> {
    return { retry: { attempts: this.#retries, calls: { ...this.#results } } };
  }

  #whyStop(attempt: Call, ended: Ended, delayMs: number, deadline: number): RetryResult | undefined {
    const over = whyOver(attempt);
    if (over !== undefined) return over;
    if (attempt.options.idempotent === false || !this.#isRetryable(ended)) return 'not_retryable';
    if (attempt.attempt >= this.#attempts) return 'exhausted';
    const now = this.#around.clock.now();
    if (now + delayMs >= deadline) return 'deadline';
    return this.#budget === undefined || this.#budget.take(now) ? undefined : 'budget';
  }

  #isRetryable({ threw, value, failure }: Ended): boolean {
    if (!threw) return failure.retryable;
    return refusalOf(value) === undefined && (this.#when === undefined ? failure.retryable : this.#when(value));
  }

  // Ends when the delay is over, or the call.
  async #pause(attempt: Call, { threw, value, failure }: Ended, delayMs: number): Promise<void> {
    this.#retries++;
    this.#monitor.tell({
      type: 'retry',
      policy: this.#monitor.name,
      attempt: attempt.attempt + 1,
      delayMs,
      code: failure.code,
      error: threw ? value : undefined,
    });
    if (!threw) discard(value);
    if (delayMs > 0) await sleep(this.#around.clock, delayMs, attempt.lifetime);
  }

  #giveUp(result: RetryResult, { attempt }: Call, { threw, value, failure }: Ended): void {
    this.#results[result]++;
    if (result !== 'exhausted' && result !== 'budget' && result !== 'deadline') return;
    this.#monitor.tell({
      type: 'retry.gave_up',
      policy: this.#monitor.name,
      result,
      attempts: attempt,
      code: failure.code,
      error: threw ? value : undefined,
    });
  }
}

// A call whose life is over is tried no more: withdrawn, or out of time.
function whyOver(call: Call): 'cancelled' | 'deadline' | undefined {
  if (call.lifetime?.ended !== true) return undefined;
  return isWithdrawn(call) ? 'cancelled' : 'deadline';
}

function sleep(clock: Clock, ms: number, lifetime: Lifetime | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(resolve, ms);
    lifetime?.watch(() => {
      clock.clearTimeout(timer);
      resolve();
    });
  });
}
