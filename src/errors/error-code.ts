// The closed set of error codes: whose fault each is, whether a retry may help, and what an agent should do. Pure.

/**
 * Why a call failed.
 *
 * - `VALIDATION_ERROR`: the arguments are wrong.
 * - `AUTHENTICATION_FAILED`: the caller is not known to the server or to what it depends on.
 * - `PERMISSION_DENIED`: the caller is known and may not do this.
 * - `RESOURCE_NOT_FOUND`: what was asked for does not exist.
 * - `RATE_LIMIT_EXCEEDED`: too many calls; later ones succeed.
 * - `TIMEOUT`: no answer within the time limit.
 * - `UNAVAILABLE`: a dependency cannot be reached, or is being spared (open breaker, full bulkhead).
 * - `CANCELLED`: the caller withdrew the call.
 * - `INTERNAL_ERROR`: the server failed, and no other code says how.
 */
export type ErrorCode =
  | 'VALIDATION_ERROR'
  | 'AUTHENTICATION_FAILED'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_NOT_FOUND'
  | 'RATE_LIMIT_EXCEEDED'
  | 'TIMEOUT'
  | 'UNAVAILABLE'
  | 'CANCELLED'
  | 'INTERNAL_ERROR';

/** Who has to change something so that the call succeeds. */
export type Fault = 'caller' | 'server' | 'dependency';

/** What is true of every error of one code. */
export interface ErrorTraits {
  readonly fault: Fault;
  /** Whether the same call may succeed later, unless the error itself says otherwise. */
  readonly retryable: boolean;
  /** What an agent should do: one sentence, in the imperative. */
  readonly advice: string;
}

/** The codes with their traits. */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorTraits>> = {
  VALIDATION_ERROR: { fault: 'caller', retryable: false, advice: 'Correct the arguments and call again.' },
  AUTHENTICATION_FAILED: {
    fault: 'caller',
    retryable: false,
    advice: 'Sign in or renew the credentials, then call again.',
  },
  PERMISSION_DENIED: {
    fault: 'caller',
    retryable: false,
    advice: 'Do not repeat this call; ask for access or do without it.',
  },
  RESOURCE_NOT_FOUND: {
    fault: 'caller',
    retryable: false,
    advice: 'Check the name or id; the same call will fail again.',
  },
  RATE_LIMIT_EXCEEDED: { fault: 'caller', retryable: true, advice: 'Wait, then call again less often.' },
  TIMEOUT: { fault: 'dependency', retryable: true, advice: 'Try again later, or ask for less.' },
  UNAVAILABLE: { fault: 'dependency', retryable: true, advice: 'Wait, then call again.' },
  CANCELLED: { fault: 'caller', retryable: false, advice: 'The call was withdrawn; call again if it is still needed.' },
  INTERNAL_ERROR: { fault: 'server', retryable: false, advice: 'Do not repeat this call; report the trace id.' },
};

/** Whether a value is one of the codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}
