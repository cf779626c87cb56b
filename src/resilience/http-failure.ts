// Which HTTP responses are failures of the service, and what they say of the next try. Pure.
import { ERROR_CODES, type ErrorCode } from '../errors/error-code.ts';
import type { Failure } from './failure.ts';

const CODES: Readonly<Record<number, ErrorCode>> = { 408: 'TIMEOUT', 429: 'RATE_LIMIT_EXCEEDED', 504: 'TIMEOUT' };
// Not Implemented, HTTP Version Not Supported: no waiting helps
const HOPELESS: ReadonlySet<number> = new Set([501, 505]);
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * For `failOn`: a response is a failure if its status is 408, 429 or from 500 on. `Retry-After` is understood, as seconds or
 * a date. Any other result is none, a 404 for one: the service has answered.
 *
 * @param result a `Response` of fetch, or any object with a `status` and `headers`.
 */
export function httpFailure(result: unknown): Failure | false {
  if (typeof result !== 'object' || result === null) return false;
  const { status, headers } = result as { status?: unknown; headers?: unknown };
  if (typeof status !== 'number' || !(status === 408 || status === 429 || (status >= 500 && status < 600)))
    return false;
  const code = CODES[status] ?? 'UNAVAILABLE';
  const retryable = !HOPELESS.has(status);
  return {
    code,
    fault: ERROR_CODES[code].fault,
    retryable,
    retryAfterMs: retryable ? retryAfterMs(retryAfterOf(headers)) : undefined,
  };
}

function retryAfterOf(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  return headers instanceof Headers ? headers.get('retry-after') : (headers as Record<string, unknown>)['retry-after'];
}

// https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
function retryAfterMs(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value).trim();
  const ms = /^\d{1,10}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}
