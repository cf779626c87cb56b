// The policy in one call: all parts in one fixed order, which keeps them from working against each other.
import {
  checkOptions,
  functionRule,
  nonEmptyString,
  objectRule,
  shown,
  type OptionRule,
  type OptionRules,
} from '../options.ts';
import { Breaker } from './breaker/breaker.ts';
import { BREAKER_RULES, breakerInForce, type CircuitBreakerSettings } from './breaker/settings.ts';
import { BULKHEAD_RULES, Slots, type BulkheadSettings } from './bulkhead.ts';
import { BreakerPolicy, type BreakerControl, type CircuitBreaker } from './circuit-breaker.ts';
import type { Clock, Random } from './clock.ts';
import { Monitor } from './events.ts';
import type { FailOn } from './failure.ts';
import { Substitute, type FallbackAnswer } from './fallback.ts';
import { LayeredPolicy, type Policy, type ReportingLayer } from './layered-policy.ts';
import {
  anything,
  checkWithRequired,
  COMMON_RULES,
  orFalse,
  surroundings,
  type Surroundings,
} from './policy-options.ts';
import { RATE_LIMIT_RULES, TokenBuckets, type RateLimitSettings } from './rate-limit.ts';
import { enter } from './registry.ts';
import { Attempts, RETRY_RULES, type RetrySettings } from './retry.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { limitRule, TimeLimit } from './timeout.ts';

/** Options of `policy`. What is left out or false is not there, but for the time limits. */
export interface PolicyOptions<F = never> {
  /** How long the whole call may take, in ms, waiting and retries included. @default 30_000 */
  readonly timeoutMs?: number | false | undefined;
  /**
   * How long one attempt may take, in ms.
   *
   * @default 10_000 where there is a retry or a breaker and `timeoutMs` is longer
   */
  readonly attemptTimeoutMs?: number | false | undefined;
  /** When and how often the call is tried again. @default false */
  readonly retry?: RetrySettings | false | undefined;
  /** When calls are refused because earlier ones failed; a `circuitBreaker` may be shared by several policies. @default false */
  readonly breaker?: CircuitBreakerSettings | CircuitBreaker | false | undefined;
  /** How many calls may run at a time. @default false */
  readonly bulkhead?: BulkheadSettings | false | undefined;
  /** How many calls may be made in which time. @default false */
  readonly rateLimit?: RateLimitSettings | false | undefined;
  /** What answers where the call fails: a value, or a function that is given the error. @default none */
  readonly fallback?: FallbackAnswer<F> | undefined;
  /** Which results are failures: `httpFailure` for responses of fetch. @default none */
  readonly failOn?: FailOn | undefined;
  /** Where time comes from. @default the clock of this process */
  readonly clock?: Clock | undefined;
  /** Where chance comes from: numbers from 0 up to 1. @default Math.random */
  readonly random?: Random | undefined;
}

/** A policy made by `policy`. */
export interface NamedPolicy<F = never> extends Policy<F> {
  readonly name: string;
  /** Its circuit breaker, where it has one. */
  readonly breaker: BreakerControl | undefined;
  /** Whether its fallback answers; may be set at run time where it has one. */
  fallbackEnabled: boolean;
  /** How it stands. */
  snapshot(): PolicySnapshot;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_ATTEMPT_TIMEOUT_MS = 10_000;
const DEFAULT_WINDOW_MS = 30_000;

const part: OptionRule = orFalse(objectRule);
const timeLimit: OptionRule = orFalse(limitRule);

/** What the options of a policy may be. */
export const POLICY_RULES: OptionRules<PolicyOptions<unknown>> = {
  timeoutMs: timeLimit,
  attemptTimeoutMs: timeLimit,
  retry: part,
  breaker: part,
  bulkhead: part,
  rateLimit: part,
  fallback: anything,
  failOn: functionRule,
  clock: COMMON_RULES.clock,
  random: COMMON_RULES.random,
};

/**
 * A policy under a name. A call passes, in this order: fallback, total time limit, rate limit, bulkhead, retry, breaker,
 * time limit of an attempt. `describe()` shows what is there.
 *
 * The same name with the same options, functions and fallback values aside, is the same policy; the first one's functions
 * are used.
 *
 * @throws {TypeError | RangeError} for a bad option, for options that contradict each other, and for a name that is taken.
 */
export function policy<F = never>(name: string, options: PolicyOptions<F> = {}): NamedPolicy<F> {
  checkWithRequired('policy', { name }, { name: nonEmptyString }, 'name');
  return enter(new ComposedPolicy<F>(name, options)) as NamedPolicy<F>;
}

/** Checks options without making a policy of them. @throws {TypeError | RangeError} for a bad option. */
export function checkPolicyOptions(fn: string, options: PolicyOptions<unknown>): void {
  partsOf(fn, options, new Monitor('policy', undefined));
}

class ComposedPolicy<F> extends LayeredPolicy<F> {
  readonly breaker: BreakerControl | undefined;
  readonly #substitute: Substitute | undefined;

  constructor(name: string, options: PolicyOptions<unknown>) {
    const monitor = new Monitor('policy', name);
    const { layers, own, breaker, substitute } = partsOf(`policy "${name}"`, options, monitor);
    super(monitor, layers, options.failOn, own);
    this.breaker = breaker;
    this.#substitute = substitute;
  }

  get fallbackEnabled(): boolean {
    return this.#substitute?.enabled === true;
  }

  set fallbackEnabled(enabled: boolean) {
    if (typeof enabled !== 'boolean')
      throw new TypeError(`fallbackEnabled must be true or false, got ${shown(enabled)}`);
    if (this.#substitute !== undefined) this.#substitute.enabled = enabled;
    else if (enabled) throw new TypeError(`policy "${this.name}" was made without a fallback, so none can be enabled`);
  }
}

interface Parts {
  readonly layers: readonly ReportingLayer[];
  readonly own: readonly ReportingLayer[];
  readonly breaker: BreakerControl | undefined;
  readonly substitute: Substitute | undefined;
}

function partsOf(fn: string, options: PolicyOptions<unknown>, monitor: Monitor): Parts {
  checkOptions<PolicyOptions<unknown>>(fn, options, POLICY_RULES);
  const { bulkhead = false, rateLimit = false, failOn } = options;
  const around = surroundings(options);
  const { totalMs, attemptMs } = timeLimitsOf(fn, options);
  const substitute = options.fallback === undefined ? undefined : new Substitute(options.fallback, { failOn }, monitor);
  const breaker = breakerOf(fn, options, attemptMs || totalMs, around, monitor);
  if (rateLimit !== false) checkWithRequired(`${fn}: rateLimit`, rateLimit, RATE_LIMIT_RULES, 'permits');
  if (bulkhead !== false) checkOptions<BulkheadSettings>(`${fn}: bulkhead`, bulkhead, BULKHEAD_RULES);
  const before: readonly (ReportingLayer | undefined)[] = [
    substitute,
    totalMs === false ? undefined : new TimeLimit('total', totalMs, around.clock, monitor),
    rateLimit === false ? undefined : new TokenBuckets(rateLimit, around.clock, monitor),
    bulkhead === false ? undefined : new Slots(bulkhead, around.clock, monitor),
    attemptsOf(fn, options, totalMs, around, monitor),
  ];
  const after = attemptMs === false ? undefined : new TimeLimit('attempt', attemptMs, around.clock, monitor);
  const present = (layer: ReportingLayer | undefined): layer is ReportingLayer => layer !== undefined;
  return {
    layers: [...before, ...(breaker?.layers ?? []), after].filter(present),
    own: [...before, breaker?.own, after].filter(present),
    breaker: breaker?.control,
    substitute,
  };
}

function timeLimitsOf(
  fn: string,
  {
    timeoutMs: totalMs = DEFAULT_TIMEOUT_MS,
    attemptTimeoutMs: attemptMs,
    retry = false,
    breaker = false,
  }: PolicyOptions<unknown>,
): { totalMs: number | false; attemptMs: number | false } {
  const total = totalMs === false ? Number.POSITIVE_INFINITY : totalMs;
  if (attemptMs === undefined) {
    const wanted = (retry !== false || breaker !== false) && total > DEFAULT_ATTEMPT_TIMEOUT_MS;
    return { totalMs, attemptMs: wanted && DEFAULT_ATTEMPT_TIMEOUT_MS };
  }
  if (attemptMs !== false && attemptMs > total) {
    throw new RangeError(
      `${fn}: option "attemptTimeoutMs" must be at most "timeoutMs" (${total}), got ${shown(attemptMs)}`,
    );
  }
  return { totalMs, attemptMs };
}

function attemptsOf(
  fn: string,
  { retry = false, failOn }: PolicyOptions<unknown>,
  totalMs: number | false,
  around: Surroundings,
  monitor: Monitor,
): Attempts | undefined {
  if (retry === false) return undefined;
  checkOptions<RetrySettings>(`${fn}: retry`, retry, RETRY_RULES);
  const deadlineMs = retry.deadlineMs ?? (totalMs || DEFAULT_TIMEOUT_MS);
  return new Attempts(`${fn}: retry`, { ...retry, deadlineMs }, failOn, around, monitor);
}

interface BreakerPart {
  readonly layers: readonly ReportingLayer[];
  /** Undefined where it is shared, and answers for itself. */
  readonly own: Breaker | undefined;
  readonly control: BreakerControl;
}

function breakerOf(
  fn: string,
  { breaker = false, failOn }: PolicyOptions<unknown>,
  limitMs: number | false,
  around: Surroundings,
  monitor: Monitor,
): BreakerPart | undefined {
  if (breaker === false) return undefined;
  if (breaker instanceof BreakerPolicy) return { layers: breaker.layers, own: undefined, control: breaker };
  const settings = breaker as CircuitBreakerSettings;
  checkOptions<CircuitBreakerSettings>(`${fn}: breaker`, settings, BREAKER_RULES);
  // a window that is shorter than two attempts never sees enough of them
  const inForce = breakerInForce(`${fn}: breaker`, settings, {
    windowMs: Math.max(DEFAULT_WINDOW_MS, 2 * (limitMs || 0)),
    ...(limitMs !== false && { probeTimeoutMs: limitMs }),
  });
  const { window } = inForce;
  if (window !== false && window.durationMs !== undefined && limitMs !== false && window.durationMs < 2 * limitMs) {
    throw new RangeError(
      `${fn}: breaker: window: option "durationMs" must be at least twice the time limit of an attempt (${limitMs}), got ${shown(window.durationMs)}`,
    );
  }
  const own = new Breaker(inForce, { ...around, monitor, failOn, when: settings.when });
  return { layers: [own], own, control: new BreakerPolicy(new Monitor('policy', undefined), own, failOn) };
}
