// Our own names, for what the conventions do not name. docs/telemetry.md lists them; a test compares the two.

/** How the operation ended: the closed set `Outcome`. On spans and on the operation histograms. */
export const ATTR_TOOLSPAN_OUTCOME = 'toolspan.outcome';

/** Requests that are being worked on, by method. */
export const METRIC_TOOLSPAN_SERVER_ACTIVE_REQUESTS = 'toolspan.server.active_requests';

/** What of our telemetry was lost, by signal and reason. */
export const METRIC_TOOLSPAN_TELEMETRY_DROPPED = 'toolspan.telemetry.dropped';
/** `traces`, `metrics` or `logs`. */
export const ATTR_TOOLSPAN_SIGNAL = 'toolspan.signal';
/** `export_failed` or `queue_full`. */
export const ATTR_TOOLSPAN_DROP_REASON = 'toolspan.drop.reason';

/** What passed through the proxy unread, by reason. */
export const METRIC_TOOLSPAN_PROXY_UNOBSERVED = 'toolspan.proxy.unobserved';
/** `not_json`, `too_long` or `encoded`. */
export const ATTR_TOOLSPAN_UNOBSERVED_REASON = 'toolspan.unobserved.reason';

/** Stands for every name that the peer chose freely, so that labels stay bounded. */
export const OTHER = '_other';

/** Name of our instrumentation scope. */
export const SCOPE_NAME = 'toolspan';
