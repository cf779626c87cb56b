// The fallback: another answer where the call has none. Pure.
import { boolean, checkOptions, functionRule, type OptionRules } from '../options.ts';
import { ToolError } from '../errors/tool-error.ts';
import type { Call, Layer, Next, PolicyStep } from './call.ts';
import { discard } from './discard.ts';
import { Monitor } from './events.ts';
import { failureOfResult, isWithdrawn, thrownEnd, type Ended, type FailOn } from './failure.ts';
import { LayeredPolicy, type Policy } from './layered-policy.ts';
import { COMMON_RULES, type CommonOptions } from './policy-options.ts';
import { enter } from './registry.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** Another answer, or a function that makes one of the error and the `input` that the call was given. */
export type FallbackAnswer<F> = F | ((error: unknown, input: unknown) => F | PromiseLike<F>);

/** Options of `fallback`. All have a default. */
export interface FallbackOptions extends CommonOptions {
  /**
   * Which errors are answered by the fallback. A call that the caller withdrew never is.
   *
   * @default all but the caller's own mistakes
   */
  readonly when?: ((error: unknown) => boolean) | undefined;
  /** Which results are failures, and answered by the fallback. @default none */
  readonly failOn?: FailOn | undefined;
  /** Whether it answers at all. @default true */
  readonly enabled?: boolean | undefined;
}

/** A fallback that can be switched off and on at run time. */
export interface Fallback<F> extends Policy<F> {
  enabled: boolean;
}

const RULES: OptionRules<FallbackOptions> = {
  ...COMMON_RULES,
  when: functionRule,
  failOn: functionRule,
  enabled: boolean,
};

/**
 * A fallback. Where a call fails it answers in its place. A fallback that fails too is thrown as a `ToolError` with the code
 * of the first failure, whose `cause` is an `AggregateError` of both.
 *
 * @param answer a value, or a function that is given the error; of a failed result, a `ToolError` that says what it means, and the `input` of the call.
 * @throws {TypeError | RangeError} for a bad option.
 */
export function fallback<F>(answer: FallbackAnswer<F>, options: FallbackOptions = {}): Fallback<F> {
  checkOptions<FallbackOptions>('fallback', options, RULES);
  const monitor = new Monitor('fallback', options.name);
  return enter(new FallbackPolicy<F>(monitor, new Substitute(answer, options, monitor), options.failOn));
}

class FallbackPolicy<F> extends LayeredPolicy<F> implements Fallback<F> {
  readonly #substitute: Substitute;

  constructor(monitor: Monitor, substitute: Substitute, failOn: FailOn | undefined) {
    super(monitor, [substitute], failOn);
    this.#substitute = substitute;
  }

  get enabled(): boolean {
    return this.#substitute.enabled;
  }

  set enabled(enabled: boolean) {
    this.#substitute.enabled = enabled;
  }
}

/** Answers in the place of what is further inside, where that fails. */
export class Substitute implements Layer {
  enabled: boolean;
  readonly #answer: unknown;
  readonly #when: ((error: unknown) => boolean) | undefined;
  readonly #failOn: FailOn | undefined;
  readonly #monitor: Monitor;

  constructor(answer: unknown, { when, failOn, enabled = true }: FallbackOptions, monitor: Monitor) {
    this.enabled = enabled;
    this.#answer = answer;
    this.#when = when;
    this.#failOn = failOn;
    this.#monitor = monitor;
  }

  async execute(call: Call, next: Next): Promise<unknown> {
    let ended: Ended;
    try {
      const result = await next(call);
      const failure = failureOfResult(result, this.#failOn);
      if (failure === undefined || !this.enabled) return result;
      ended = { threw: false, value: result, failure };
    } catch (error) {
      ended = thrownEnd(error);
      if (!this.enabled || !this.#answersTo(call, ended)) throw error;
    }
    return this.#substitute(call, ended);
  }

  describe(): PolicyStep {
    return { policy: 'fallback' };
  }

  report(): Pick<PolicySnapshot, 'fallbackEnabled'> {
    return { fallbackEnabled: this.enabled };
  }

  #answersTo(call: Call, { value, failure }: Ended): boolean {
    if (isWithdrawn(call)) return false;
    // too many calls are the caller's doing, but no mistake
    return this.#when === undefined ? failure.fault !== 'caller' || failure.retryable : this.#when(value);
  }

  async #substitute(call: Call, { threw, value, failure }: Ended): Promise<unknown> {
    const policy = this.#monitor.name;
    const { code, retryable, retryAfterMs } = failure;
    const error = threw ? value : new ToolError(code, 'The result counts as a failure', { retryable, retryAfterMs });
    if (!threw) discard(value);
    call.fellBack = true;
    this.#monitor.tell({ type: 'fallback', policy, code, error });
    if (typeof this.#answer !== 'function') return this.#answer;
    try {
      return await (this.#answer as (error: unknown, input: unknown) => unknown)(error, call.options.input);
    } catch (second) {
      throw new ToolError(code, `${policy ?? 'The call'} failed, and so did its fallback`, {
        retryable,
        retryAfterMs,
        cause: new AggregateError([error, second]),
      });
    }
  }
}
