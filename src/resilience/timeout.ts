// The time limit: aborts the signal and rejects when it is over, whatever the function does. Pure.
import { durationMs, type OptionRule } from '../options.ts';
import type { Call, Layer, Next, PolicyStep } from './call.ts';
import type { Clock } from './clock.ts';
import { Monitor, type TimeoutScope } from './events.ts';
import { LayeredPolicy, type Policy } from './layered-policy.ts';
import { Lifetime } from './lifetime.ts';
import { checkWithRequired, COMMON_RULES, surroundings, type CommonOptions } from './policy-options.ts';
import { timeLimitError } from './refusal.ts';
import { enter } from './registry.ts';

/** Options of `timeout`. */
export interface TimeoutOptions extends CommonOptions {
  /** How long a call may take, in ms. */
  readonly limitMs: number;
}

/** What a time limit may be. */
export const limitRule: OptionRule = durationMs(1);

/**
 * A time limit. A call that takes longer is rejected with a `ToolError` TIMEOUT and its signal is aborted; what it still
 * returns is dropped. A caller's abort is passed on as what it is, never as a timeout.
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export function timeout(options: TimeoutOptions): Policy {
  checkWithRequired<TimeoutOptions>('timeout', options, { ...COMMON_RULES, limitMs: limitRule }, 'limitMs');
  const monitor = new Monitor('timeout', options.name);
  const layer = new TimeLimit('total', options.limitMs, surroundings(options).clock, monitor);
  return enter(new LayeredPolicy(monitor, [layer]));
}

/** Ends what is further inside when its time is over. */
export class TimeLimit implements Layer {
  readonly #scope: TimeoutScope;
  readonly #limitMs: number;
  readonly #clock: Clock;
  readonly #monitor: Monitor;

  constructor(scope: TimeoutScope, limitMs: number, clock: Clock, monitor: Monitor) {
    this.#scope = scope;
    this.#limitMs = limitMs;
    this.#clock = clock;
    this.#monitor = monitor;
  }

  async execute(call: Call, next: Next): Promise<unknown> {
    const clock = this.#clock;
    const lifetime = new Lifetime(call.lifetime, call.at(clock) + this.#limitMs);
    const timer = clock.setTimeout(() => this.#end(lifetime), this.#limitMs);
    try {
      return await next(call.within(lifetime));
    } finally {
      clock.clearTimeout(timer);
    }
  }

  describe(): PolicyStep {
    return { policy: 'timeout', scope: this.#scope, limitMs: this.#limitMs };
  }

  #end(lifetime: Lifetime): void {
    if (lifetime.ended) return;
    const limitMs = this.#limitMs;
    const policy = this.#monitor.name;
    lifetime.end(timeLimitError(`${policy ?? 'The call'} did not answer within ${limitMs} ms`));
    this.#monitor.tell({ type: 'timeout', policy, scope: this.#scope, limitMs });
  }
}
