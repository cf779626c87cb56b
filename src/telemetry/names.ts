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
/** `export_failed`, `queue_full` or `stderr_full`. */
export const ATTR_TOOLSPAN_DROP_REASON = 'toolspan.drop.reason';

/** The health of the process and of its checks: one series a state, 1 or 0. */
export const METRIC_TOOLSPAN_HEALTH_STATUS = 'toolspan.health.status';
/** `healthy`, `degraded` or `unhealthy`; of a check also `unknown`. */
export const ATTR_TOOLSPAN_HEALTH_STATE = 'toolspan.health.state';
/** The name of a check; absent for the whole process. */
export const ATTR_TOOLSPAN_HEALTH_CHECK = 'toolspan.health.check';

/** Stands for every name that the peer chose freely, so that labels stay bounded. */
export const OTHER = '_other';

/** Name of our instrumentation scope. */
export const SCOPE_NAME = 'toolspan';
