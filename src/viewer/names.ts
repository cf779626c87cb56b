// Names of toolspan's own signals that the viewer gives a meaning to; those of operations are the telemetry room's.
// Everything else is shown as it came.

export const ATTR_ERROR_CODE = 'toolspan.error.code';
export const ATTR_POLICY = 'toolspan.policy.name';
export const ATTR_BREAKER_FROM = 'toolspan.circuit_breaker.from';
export const ATTR_BREAKER_TO = 'toolspan.circuit_breaker.to';
export const ATTR_BREAKER_REASON = 'toolspan.circuit_breaker.reason';

export const EVENT_RETRY = 'toolspan.retry';
export const EVENT_BREAKER_TRANSITION = 'toolspan.circuit_breaker.transition';

export const METRIC_BREAKER_STATE = 'toolspan.circuit_breaker.state';
