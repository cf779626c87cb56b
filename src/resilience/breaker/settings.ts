// The options of a circuit breaker, what they may be, and their defaults. Pure.
import {
  boolean,
  checkOptions,
  durationMs,
  functionRule,
  objectRule,
  shown,
  wholeNumber,
  type OptionRules,
} from '../../options.ts';
import { numberFrom, orFalse } from '../policy-options.ts';
import type { Predicate } from '../user-code.ts';
import { Consecutive } from './consecutive.ts';
import { CountWindow } from './count-window.ts';
import type { Strategy } from './strategy.ts';
import { TimeWindow } from './time-window.ts';

/** When the share of failed or slow calls opens the breaker. */
export interface BreakerWindow {
  /** The sliding time that is looked at, in ms. Not together with `calls`. @default 30_000 */
  readonly durationMs?: number | undefined;
  /** How many of the latest calls are looked at, whenever they were. Not together with `durationMs`. */
  readonly calls?: number | undefined;
  /** Fewer calls than these open nothing. @default 10 */
  readonly minimumCalls?: number | undefined;
  /** The share of failures from which on it opens, above 0 and up to 1. @default 0.5 */
  readonly failureRatio?: number | undefined;
  /** From how many ms on a call is slow; a slow probe is a failed one. @default none is */
  readonly slowMs?: number | undefined;
  /** The share of slow calls from which on it opens, above 0 and up to 1. @default 0.5 */
  readonly slowRatio?: number | undefined;
}

/** When a breaker opens, for how long, and how it closes again. */
export interface CircuitBreakerSettings {
  /** So many failures in a row open it; false for any number. @default 5 */
  readonly failures?: number | false | undefined;
  /** A window of which a share opens it; false for none. @default half of at least 10 calls in 30 s */
  readonly window?: BreakerWindow | false | undefined;
  /** How long it stays open before it lets probes through, in ms. @default 30_000 */
  readonly resetAfterMs?: number | undefined;
  /** By how much longer it stays open each time its probes fail. @default 2 */
  readonly resetMultiplier?: number | undefined;
  /** The longest time that it stays open, in ms. @default 300_000 */
  readonly maxResetAfterMs?: number | undefined;
  /** By which share chance makes that time longer or shorter, 0 to 1. @default 0.1 */
  readonly resetJitter?: number | undefined;
  /** How many probes it lets through when half-open; all must succeed. @default 1 */
  readonly probes?: number | undefined;
  /**
   * How long a probe may take before another one is let through in its place, in ms.
   *
   * @default 10_000; in `policy` its `attemptTimeoutMs`
   */
  readonly probeTimeoutMs?: number | undefined;
  /** Whether the server is of no use without what this guards: open, it makes health unhealthy. @default false */
  readonly critical?: boolean | undefined;
  /**
   * Whether an error is a failure of what is guarded. Refusals by a policy and calls that the caller withdrew never are.
   *
   * @default any error that is not the caller's own mistake
   */
  readonly when?: Predicate | undefined;
}

/** What the settings of a breaker may be. */
export const BREAKER_RULES: OptionRules<CircuitBreakerSettings> = {
  failures: orFalse(wholeNumber(1, 1_000_000)),
  window: orFalse(objectRule),
  resetAfterMs: durationMs(1),
  resetMultiplier: numberFrom(1, 1_000),
  maxResetAfterMs: durationMs(1),
  resetJitter: numberFrom(0, 1),
  probes: wholeNumber(1, 1_000_000),
  probeTimeoutMs: durationMs(1),
  critical: boolean,
  when: functionRule,
};

/** What a window may be. */
export const WINDOW_RULES: OptionRules<BreakerWindow> = {
  durationMs: durationMs(10),
  calls: wholeNumber(1, 1_000_000),
  minimumCalls: wholeNumber(1, 1_000_000),
  failureRatio: numberFrom(0.001, 1),
  slowMs: durationMs(1),
  slowRatio: numberFrom(0.001, 1),
};

/** A window with its defaults filled in. */
export interface WindowInForce {
  readonly durationMs?: number;
  readonly calls?: number;
  readonly minimumCalls: number;
  readonly failureRatio: number;
  readonly slowMs: number | false;
  readonly slowRatio: number;
}

/** The settings of a breaker with their defaults filled in. */
export interface BreakerInForce {
  readonly failures: number | false;
  readonly window: WindowInForce | false;
  readonly resetAfterMs: number;
  readonly resetMultiplier: number;
  readonly maxResetAfterMs: number;
  readonly resetJitter: number;
  readonly probes: number;
  readonly probeTimeoutMs: number;
  readonly critical: boolean;
}

/** What a breaker takes from the policy it is part of. */
export interface BreakerDefaults {
  readonly windowMs?: number;
  readonly probeTimeoutMs?: number;
}

/**
 * Fills in the defaults, and checks what belongs together.
 *
 * @param fn whose option the settings are, for messages.
 * @throws {TypeError | RangeError} for settings that contradict each other.
 */
export function breakerInForce(
  fn: string,
  settings: CircuitBreakerSettings,
  defaults: BreakerDefaults,
): BreakerInForce {
  const { failures = 5, resetAfterMs = 30_000, resetMultiplier = 2, resetJitter = 0.1, probes = 1 } = settings;
  const { maxResetAfterMs = Math.max(300_000, resetAfterMs), critical = false } = settings;
  const { probeTimeoutMs = defaults.probeTimeoutMs ?? 10_000 } = settings;
  const window = windowInForce(fn, settings.window ?? {}, defaults.windowMs ?? 30_000);
  if (failures === false && window === false) {
    throw new TypeError(`${fn}: options "failures" and "window" must not both be false: nothing would open it`);
  }
  if (maxResetAfterMs < resetAfterMs) {
    throw new RangeError(
      `${fn}: option "maxResetAfterMs" must be at least "resetAfterMs" (${resetAfterMs}), got ${shown(maxResetAfterMs)}`,
    );
  }
  return {
    failures,
    window,
    resetAfterMs,
    resetMultiplier,
    maxResetAfterMs,
    resetJitter,
    probes,
    probeTimeoutMs,
    critical,
  };
}

function windowInForce(fn: string, window: BreakerWindow | false, defaultMs: number): WindowInForce | false {
  if (window === false) return false;
  checkOptions<BreakerWindow>(`${fn}: window`, window, WINDOW_RULES);
  const { durationMs: duration, calls, minimumCalls = Math.min(10, calls ?? 10) } = window;
  const { failureRatio = 0.5, slowMs = false, slowRatio = 0.5 } = window;
  if (calls !== undefined && duration !== undefined) {
    throw new TypeError(`${fn}: window: options "calls" and "durationMs" exclude each other; choose one`);
  }
  if (calls !== undefined && minimumCalls > calls) {
    throw new RangeError(
      `${fn}: window: option "minimumCalls" must be at most "calls" (${calls}), got ${shown(minimumCalls)}`,
    );
  }
  const extent = calls === undefined ? { durationMs: duration ?? defaultMs } : { calls };
  return { ...extent, minimumCalls, failureRatio, slowMs, slowRatio };
}

/** What these settings judge by. */
export function strategiesOf({ failures, window }: BreakerInForce): readonly Strategy[] {
  const strategies: Strategy[] = failures === false ? [] : [new Consecutive(failures)];
  if (window === false) return strategies;
  const { calls, durationMs: duration = 0 } = window;
  strategies.push(calls === undefined ? new TimeWindow(duration, window) : new CountWindow(calls, window));
  return strategies;
}
