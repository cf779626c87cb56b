// Withdrawn or out of time: two ends that look alike, since both come as an abort. Pure.
import { read, readString } from './read.ts';
import type { ErrorCode } from './error-code.ts';

// DOMException; p-cancelable and got; axios; the clients of AWS
const ABORT_NAMES: ReadonlySet<string> = new Set(['AbortError', 'CancelError', 'CanceledError', 'CancelledError']);
const ABORT_CODES: ReadonlySet<string> = new Set(['ABORT_ERR', 'ERR_CANCELED', 'UND_ERR_ABORTED']);
// DOMException, got and ky; p-timeout; undici; mssql and others
const TIMEOUT_NAMES: ReadonlySet<string> = new Set([
  'TimeoutError',
  'RequestTimeoutError',
  'ConnectTimeoutError',
  'HeadersTimeoutError',
  'BodyTimeoutError',
]);

/**
 * `CANCELLED` or `TIMEOUT` for an abort, undefined for anything else.
 *
 * An abort says little of its reason. Where it names one, that decides; else the caller's signal does: what was aborted
 * while the caller waited on ran into a limit of the server's own.
 *
 * @param signal the caller's, where it is known.
 */
export function codeOfAbort(thrown: unknown, signal: AbortSignal | undefined): ErrorCode | undefined {
  const name = readString(thrown, 'name');
  if (name !== undefined && TIMEOUT_NAMES.has(name)) return 'TIMEOUT';
  const code = readString(thrown, 'code');
  const aborted = (name !== undefined && ABORT_NAMES.has(name)) || (code !== undefined && ABORT_CODES.has(code));
  if (!aborted) {
    // fetch and others throw the very reason that the caller aborted with, whatever it is
    return signal?.aborted === true && thrown !== undefined && thrown === signal.reason ? 'CANCELLED' : undefined;
  }
  const reason = readString(read(thrown, 'cause'), 'name');
  if (reason !== undefined && TIMEOUT_NAMES.has(reason)) return 'TIMEOUT';
  return signal === undefined || signal.aborted ? 'CANCELLED' : 'TIMEOUT';
}
