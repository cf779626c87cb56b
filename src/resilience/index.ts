// The public surface of `toolspan/resilience`. Loads no OpenTelemetry, no MCP package and no zod.
export type { Jitter } from './backoff.ts';
export type { BreakerWindow, CircuitBreakerSettings } from './breaker/settings.ts';
export { bulkhead, type BulkheadOptions, type BulkheadSettings } from './bulkhead.ts';
export type { CallContext, PolicyStep, RunOptions } from './call.ts';
export {
  circuitBreaker,
  type BreakerControl,
  type CircuitBreaker,
  type CircuitBreakerOptions,
} from './circuit-breaker.ts';
export type { Clock, Random } from './clock.ts';
export type {
  BreakerState,
  CallOutcome,
  PolicyEvent,
  PolicyListener,
  RetryResult,
  TimeoutScope,
  TransitionReason,
} from './events.ts';
export type { FailOn, Failure } from './failure.ts';
export { fallback, type Fallback, type FallbackAnswer, type FallbackOptions } from './fallback.ts';
export { httpFailure } from './http-failure.ts';
export type { Policy } from './layered-policy.ts';
export type { CommonOptions } from './policy-options.ts';
export { policy, type NamedPolicy, type PolicyOptions } from './policy.ts';
export { rateLimit, type RateLimitOptions, type RateLimitSettings } from './rate-limit.ts';
export { isTimeLimit, refusalOf, type Refusal } from './refusal.ts';
export { announcedPolicies, breakerSnapshots, onPolicy, type AnnouncedPolicy, type PolicyWatcher } from './registry.ts';
export type { RetryBudgetOptions } from './retry-budget.ts';
export { retry, type RetryOptions, type RetrySettings } from './retry.ts';
export type { BreakerSnapshot, PolicySnapshot } from './snapshot.ts';
export { timeout, type TimeoutOptions } from './timeout.ts';
export { wrap, type FallbackOf } from './wrap.ts';
