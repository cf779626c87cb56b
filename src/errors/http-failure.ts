// Failures that carry an HTTP status, whichever client made them: a fetch Response, undici, axios, got, ky, AWS, octokit. Pure.
import { ERROR_CODES, type ErrorCode } from './error-code.ts';
import { isArray, read } from './read.ts';

/** What an HTTP failure says. */
export interface HttpFailure {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** From `Retry-After`, in ms from now. */
  readonly retryAfterMs: number | undefined;
}

const MAX_RETRY_AFTER_MS = 86_400_000;

// https://www.rfc-editor.org/rfc/rfc9110#section-15; a status that is not here is the server's own mistake in asking
const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'VALIDATION_ERROR',
  401: 'AUTHENTICATION_FAILED',
  403: 'PERMISSION_DENIED',
  404: 'RESOURCE_NOT_FOUND',
  408: 'TIMEOUT',
  409: 'VALIDATION_ERROR',
  410: 'RESOURCE_NOT_FOUND',
  412: 'VALIDATION_ERROR',
  413: 'VALIDATION_ERROR',
  422: 'VALIDATION_ERROR',
  423: 'UNAVAILABLE',
  425: 'UNAVAILABLE',
  429: 'RATE_LIMIT_EXCEEDED',
  504: 'TIMEOUT',
};
// Not Implemented, HTTP Version Not Supported: no waiting helps
const HOPELESS: ReadonlySet<number> = new Set([501, 505]);

/** What the HTTP status of a failure means; undefined where it carries none from 400 to 599. */
export function httpFailureOf(thrown: unknown, now: () => number): HttpFailure | undefined {
  const response = read(thrown, 'response');
  const status = statusOf(thrown) ?? statusOf(response) ?? asStatus(read(read(thrown, '$metadata'), 'httpStatusCode'));
  if (status === undefined) return undefined;
  const code = CODES[status] ?? (status >= 500 ? 'UNAVAILABLE' : 'INTERNAL_ERROR');
  const retryable = ERROR_CODES[code].retryable && !HOPELESS.has(status);
  const after = retryAfterMs(read(thrown, 'headers'), now) ?? retryAfterMs(read(response, 'headers'), now);
  return { code, retryable, retryAfterMs: retryable ? after : undefined };
}

function statusOf(value: unknown): number | undefined {
  return asStatus(read(value, 'status')) ?? asStatus(read(value, 'statusCode'));
}

function asStatus(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599 ? value : undefined;
}

/**
 * When `Retry-After` allows another try, in ms from now: seconds or a date, https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3.
 * At most one day; undefined where there is none that can be read.
 */
function retryAfterMs(headers: unknown, now: () => number): number | undefined {
  const text = headerOf(headers, 'retry-after')?.trim();
  if (text === undefined || text === '' || text.length > 64) return undefined;
  let ms = Number.NaN;
  if (/^\d{1,10}(\.\d{1,3})?$/.test(text)) ms = Number(text) * 1_000;
  // a date begins with the day of the week; Date.parse would find one in nearly anything
  else if (/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) ms = Date.parse(text) - now();
  return Number.isFinite(ms) ? Math.min(Math.max(0, Math.round(ms)), MAX_RETRY_AFTER_MS) : undefined;
}

// Headers of fetch and axios have get(), those of got and undici are objects, with lists in places.
function headerOf(headers: unknown, name: string): string | undefined {
  const get = read(headers, 'get');
  let value: unknown;
  try {
    value = typeof get === 'function' ? get.call(headers, name) : read(headers, name);
  } catch {
    return undefined;
  }
  value ??= read(headers, 'Retry-After');
  if (isArray(value)) value = value[0];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
}
