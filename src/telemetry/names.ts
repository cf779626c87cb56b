// Our own names, for what the conventions do not name. docs/telemetry.md lists them; a test compares the two.

/** How the operation ended: the closed set `Outcome`. On spans and on the operation histograms. */
export const ATTR_TOOLSPAN_OUTCOME = 'toolspan.outcome';

/** The `ErrorCode` of a failed operation. On spans, log records and the operation histograms. */
export const ATTR_TOOLSPAN_ERROR_CODE = 'toolspan.error.code';

/** How long a tool call took, in ms. On log records. */
export const ATTR_TOOLSPAN_DURATION_MS = 'toolspan.duration_ms';
/** How many characters of text the arguments of a tool call hold. On log records. */
export const ATTR_TOOLSPAN_INPUT_LENGTH = 'toolspan.input_length';
/** How many characters of text and data the result of a tool call holds. On log records. */
export const ATTR_TOOLSPAN_RESULT_LENGTH = 'toolspan.result_length';

/** Requests that are being worked on, by method. */
export const METRIC_TOOLSPAN_SERVER_ACTIVE_REQUESTS = 'toolspan.server.active_requests';

/** What of our telemetry was lost, by signal and reason. */
export const METRIC_TOOLSPAN_TELEMETRY_DROPPED = 'toolspan.telemetry.dropped';
/** `traces`, `metrics` or `logs`. */
export const ATTR_TOOLSPAN_SIGNAL = 'toolspan.signal';
/** `export_failed`, `rejected`, `not_encoded`, `queue_full` or `stderr_full`. */
export const ATTR_TOOLSPAN_DROP_REASON = 'toolspan.drop.reason';

/** Span event: a request that was withdrawn has been answered all the same. */
export const EVENT_TOOLSPAN_LATE_ANSWER = 'toolspan.late_answer';

/** What passed through the proxy unread, by reason. */
export const METRIC_TOOLSPAN_PROXY_UNOBSERVED = 'toolspan.proxy.unobserved';
/** `not_json`, `too_long`, `too_many` or `encoded`. */
export const ATTR_TOOLSPAN_UNOBSERVED_REASON = 'toolspan.unobserved.reason';

/** The health of the process and of its checks: one series a state, 1 or 0. */
export const METRIC_TOOLSPAN_HEALTH_STATUS = 'toolspan.health.status';
/** `healthy`, `degraded` or `unhealthy`; of a check also `unknown`. */
export const ATTR_TOOLSPAN_HEALTH_STATE = 'toolspan.health.state';
/** The name of a check; absent for the whole process. */
export const ATTR_TOOLSPAN_HEALTH_CHECK = 'toolspan.health.check';

/** The name of a policy. On all metrics and span events of policies. */
export const ATTR_TOOLSPAN_POLICY_NAME = 'toolspan.policy.name';
/** How a call ended as its policy saw it: the closed set `CallOutcome`. */
export const ATTR_TOOLSPAN_POLICY_OUTCOME = 'toolspan.policy.outcome';
/** When to come back, as a refused call is told, in ms. */
export const ATTR_TOOLSPAN_RETRY_AFTER_MS = 'toolspan.retry_after_ms';

/** Calls by policy and outcome. */
export const METRIC_TOOLSPAN_POLICY_CALLS = 'toolspan.policy.calls';

/** Span event: a call is tried again. */
export const EVENT_TOOLSPAN_RETRY = 'toolspan.retry';
/** Span event: a call is not tried again, though that might have helped. */
export const EVENT_TOOLSPAN_RETRY_GAVE_UP = 'toolspan.retry.gave_up';
/** The attempt that follows, or the last one that was made; the first is 1. */
export const ATTR_TOOLSPAN_RETRY_ATTEMPT = 'toolspan.retry.attempt';
/** How long the attempt is waited for, in ms. */
export const ATTR_TOOLSPAN_RETRY_DELAY_MS = 'toolspan.retry.delay_ms';
/** What came of a call that could be retried: the closed set `RetryResult`. */
export const ATTR_TOOLSPAN_RETRY_RESULT = 'toolspan.retry.result';
/** Attempts after the first, by policy. */
export const METRIC_TOOLSPAN_RETRY_ATTEMPTS = 'toolspan.retry.attempts';
/** Calls that could be retried, by policy and result. */
export const METRIC_TOOLSPAN_RETRY_CALLS = 'toolspan.retry.calls';

/** Span event: a circuit breaker goes from one state to another. */
export const EVENT_TOOLSPAN_CIRCUIT_BREAKER_TRANSITION = 'toolspan.circuit_breaker.transition';
/** Span event: a circuit breaker refuses a call. */
export const EVENT_TOOLSPAN_CIRCUIT_BREAKER_REJECTED = 'toolspan.circuit_breaker.rejected';
/** A state of a circuit breaker: `closed`, `open`, `half_open` or `isolated`. */
export const ATTR_TOOLSPAN_CIRCUIT_BREAKER_STATE = 'toolspan.circuit_breaker.state';
/** The state before. */
export const ATTR_TOOLSPAN_CIRCUIT_BREAKER_FROM = 'toolspan.circuit_breaker.from';
/** The state after. */
export const ATTR_TOOLSPAN_CIRCUIT_BREAKER_TO = 'toolspan.circuit_breaker.to';
/** Why: the closed set `TransitionReason`. */
export const ATTR_TOOLSPAN_CIRCUIT_BREAKER_REASON = 'toolspan.circuit_breaker.reason';
/** Failures that were counted. */
export const ATTR_TOOLSPAN_CIRCUIT_BREAKER_FAILURES = 'toolspan.circuit_breaker.failures';
/** Calls that were counted. */
export const ATTR_TOOLSPAN_CIRCUIT_BREAKER_CALLS = 'toolspan.circuit_breaker.calls';
/** The `ErrorCode` of the last failure that was counted. */
export const ATTR_TOOLSPAN_CIRCUIT_BREAKER_LAST_ERROR_CODE = 'toolspan.circuit_breaker.last_error_code';
/** How long it stays open, in ms. */
export const ATTR_TOOLSPAN_CIRCUIT_BREAKER_RESET_AFTER_MS = 'toolspan.circuit_breaker.reset_after_ms';
/** 1 for the state that a circuit breaker is in, 0 for each other one, by policy. */
export const METRIC_TOOLSPAN_CIRCUIT_BREAKER_STATE = 'toolspan.circuit_breaker.state';
/** Transitions by policy, from and to. */
export const METRIC_TOOLSPAN_CIRCUIT_BREAKER_TRANSITIONS = 'toolspan.circuit_breaker.transitions';
/** Seconds in each state, by policy: a short opening falls between two readings of the state. */
export const METRIC_TOOLSPAN_CIRCUIT_BREAKER_TIME_IN_STATE = 'toolspan.circuit_breaker.time_in_state';

/** Span event: a time limit is over. */
export const EVENT_TOOLSPAN_TIMEOUT = 'toolspan.timeout';
/** `total` or `attempt`. */
export const ATTR_TOOLSPAN_TIMEOUT_SCOPE = 'toolspan.timeout.scope';
/** The limit, in ms. */
export const ATTR_TOOLSPAN_TIMEOUT_LIMIT_MS = 'toolspan.timeout.limit_ms';

/** Span event: a bulkhead refuses a call. */
export const EVENT_TOOLSPAN_BULKHEAD_REJECTED = 'toolspan.bulkhead.rejected';
/** Calls that run under a bulkhead, by policy; on the span event too. */
export const METRIC_TOOLSPAN_BULKHEAD_RUNNING = 'toolspan.bulkhead.running';
/** Calls that wait for a bulkhead, by policy; on the span event too. */
export const METRIC_TOOLSPAN_BULKHEAD_WAITING = 'toolspan.bulkhead.waiting';
/** How long calls waited that had to, by policy. */
export const METRIC_TOOLSPAN_BULKHEAD_WAIT_DURATION = 'toolspan.bulkhead.wait_duration';

/** Span event: a rate limit refuses a call. */
export const EVENT_TOOLSPAN_RATE_LIMIT_REJECTED = 'toolspan.rate_limit.rejected';

/** Span event: a fallback answers. */
export const EVENT_TOOLSPAN_FALLBACK = 'toolspan.fallback';

/** Stands for every name that the peer chose freely, so that labels stay bounded. */
export const OTHER = '_other';

/** Name of our instrumentation scope. */
export const SCOPE_NAME = 'toolspan';
