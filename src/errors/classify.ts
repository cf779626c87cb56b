// Any thrown value to a code of the closed set. Pure; never throws, whatever the value's getters do.
import { ERROR_CODES, type ErrorCode, type Fault } from './error-code.ts';
import { isToolError } from './tool-error.ts';

/** What is known of a failure. */
export interface Classification {
  readonly code: ErrorCode;
  readonly fault: Fault;
  readonly retryable: boolean;
  /** When to try again, in ms from now, where the failure says so. */
  readonly retryAfterMs: number | undefined;
}

/** Says what a thrown value means. What nobody knows is an `INTERNAL_ERROR`. */
export function classify(thrown: unknown): Classification {
  if (isToolError(thrown)) {
    const { code, retryable, retryAfterMs } = thrown;
    return { code, fault: ERROR_CODES[code].fault, retryable, retryAfterMs };
  }
  return of('INTERNAL_ERROR');
}

function of(code: ErrorCode, retryAfterMs?: number): Classification {
  const { fault, retryable } = ERROR_CODES[code];
  return { code, fault, retryable, retryAfterMs };
}
