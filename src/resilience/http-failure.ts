// Which HTTP responses are failures of the service, and what they say of the next try. Pure.
import { ERROR_CODES } from '../errors/error-code.ts';
import { httpFailureOf } from '../errors/http-failure.ts';
import { read } from '../errors/read.ts';
import type { Failure } from './failure.ts';

/**
 * For `failOn`: a response is a failure if its status is from 500 on, or one that another try may mend (408, 423, 425, 429).
 * `Retry-After` is understood, as seconds or a date. Any other result is none, a 404 for one: the service has answered.
 *
 * @param result a `Response` of fetch, or any object with a `status` and `headers`.
 */
export function httpFailure(result: unknown): Failure | false {
  const status = read(result, 'status');
  const failure = typeof status === 'number' ? httpFailureOf(result, Date.now) : undefined;
  if (failure === undefined || (!failure.retryable && Number(status) < 500)) return false;
  return { ...failure, fault: ERROR_CODES[failure.code].fault };
}
