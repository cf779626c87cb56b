// The circuit breaker as its user holds it.
import { checkOptions, functionRule } from '../options.ts';
import { Breaker } from './breaker/breaker.ts';
import { BREAKER_RULES, breakerInForce, type CircuitBreakerSettings } from './breaker/settings.ts';
import { Monitor, type BreakerState } from './events.ts';
import type { FailOn } from './failure.ts';
import { LayeredPolicy, type Policy } from './layered-policy.ts';
import { COMMON_RULES, surroundings, type CommonOptions } from './policy-options.ts';
import { enter } from './registry.ts';
import type { BreakerSnapshot } from './snapshot.ts';

/** Options of `circuitBreaker`. All have a default. */
export interface CircuitBreakerOptions extends CircuitBreakerSettings, CommonOptions {
  /** Which results are failures. @default none */
  readonly failOn?: FailOn | undefined;
}

/** What can be read of a circuit breaker and done to it, beside running calls. */
export interface BreakerControl {
  /** Its state at this moment: no call has to happen for an open breaker to become half-open. */
  readonly state: BreakerState;
  /** How it stands at this moment. */
  status(): BreakerSnapshot;
  /** Opens it by hand: it refuses every call until `reset`. */
  isolate(): void;
  /** Closes it by hand, whatever its state. */
  reset(): void;
}

/** A circuit breaker. */
export interface CircuitBreaker extends Policy, BreakerControl {}

/**
 * A circuit breaker. While what it guards works it is closed and calls pass. It opens after `failures` in a row, or where the
 * share of failed or slow calls in its `window` is too large; then calls are refused with a `ToolError` UNAVAILABLE, whose
 * `retryAfterMs` says when the next is let through. After `resetAfterMs` it is half-open: as many calls as `probes` pass, and
 * close it if all succeed, or open it for longer.
 *
 * @throws {TypeError | RangeError} for a bad option, and for options that contradict each other.
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  const rules = { ...COMMON_RULES, ...BREAKER_RULES, failOn: functionRule };
  checkOptions<CircuitBreakerOptions>('circuitBreaker', options, rules);
  const { failOn, when } = options;
  const monitor = new Monitor('circuitBreaker', options.name);
  const settings = breakerInForce('circuitBreaker', options, {});
  return enter(
    new BreakerPolicy(monitor, new Breaker(settings, { ...surroundings(options), monitor, failOn, when }), failOn),
  );
}

/** A policy of a breaker alone. */
export class BreakerPolicy extends LayeredPolicy implements CircuitBreaker {
  readonly #breaker: Breaker;

  constructor(monitor: Monitor, breaker: Breaker, failOn: FailOn | undefined) {
    super(monitor, [breaker], failOn);
    this.#breaker = breaker;
  }

  get state(): BreakerState {
    return this.status().state;
  }

  status(): BreakerSnapshot {
    return this.#breaker.snapshot();
  }

  isolate(): void {
    this.#breaker.set('isolated');
  }

  reset(): void {
    this.#breaker.set('closed');
  }
}
