// The answer of get_recent_errors: what failed lately, as far as the caller may know.
import { ERROR_CODES, type ErrorCode } from '../errors/error-code.ts';
import { ToolError } from '../errors/tool-error.ts';
import { recentErrorsOf, type RecentError } from '../state/recent-errors.ts';
import { serverNameOf } from '../state/servers.ts';
import type { Caller } from './access.ts';
import { isoTime, rounded } from './figures.ts';
import type { ErrorsOutput } from './answers.ts';

/** What was asked for. */
export interface ErrorsQuestion {
  readonly tool?: string | undefined;
  readonly code?: ErrorCode | undefined;
  /** Wall-clock time as text. */
  readonly since?: string | undefined;
  readonly trace_id?: string | undefined;
  readonly limit?: number | undefined;
}

const DEFAULT_LIMIT = 10;

/**
 * The latest failed calls that match.
 *
 * @throws {ToolError} `PERMISSION_DENIED` where the caller has to name a trace and does not.
 */
export function errorsAnswer(
  server: object,
  { tool, code, since, trace_id: traceId, limit = DEFAULT_LIMIT }: ErrorsQuestion,
  { scope, sessionId }: Caller,
  link: (traceId: string) => string | null,
): { output: ErrorsOutput; text: string } {
  if (scope === 'trace' && traceId === undefined) {
    throw new ToolError(
      'PERMISSION_DENIED',
      'Without a session, errors are shown by trace only: pass the trace_id that your failed call was answered with.',
    );
  }
  const after = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
  const matches = (error: RecentError) =>
    error.at >= after &&
    (tool === undefined || error.target === tool) &&
    (code === undefined || error.code === code) &&
    (traceId === undefined || error.traceId === traceId) &&
    // whoever holds the id of a trace may know of it; else it is the session's own
    (scope !== 'session' || traceId !== undefined || error.sessionId === sessionId);
  const found = [...recentErrorsOf(serverNameOf(server)).newestFirst()].filter(matches);
  const output: ErrorsOutput = {
    scope,
    errors: found.slice(0, limit).map((error) => answerOf(error, link)),
    more: Math.max(0, found.length - limit),
  };
  return { output, text: textOf(output) };
}

function answerOf(error: RecentError, link: (traceId: string) => string | null): ErrorsOutput['errors'][number] {
  return {
    time: isoTime(error.at) ?? '',
    method: error.method,
    tool: error.method === 'tools/call' ? (error.target ?? null) : null,
    code: error.code,
    outcome: error.outcome,
    message: error.message,
    advice: ERROR_CODES[error.code].advice,
    duration_ms: rounded(error.durationMs) ?? 0,
    trace_id: error.traceId ?? null,
    link: error.traceId === undefined ? null : link(error.traceId),
  };
}

function textOf({ errors, more }: ErrorsOutput): string {
  if (errors.length === 0) return 'No failed call is remembered that matches.';
  const lines = errors.map(({ time, tool, method, code, message, trace_id: traceId }) => {
    return `${time} ${tool ?? method} ${code}: ${message}${traceId === null ? '' : ` (trace ${traceId})`}`;
  });
  if (more > 0) lines.push(`${more} more.`);
  return lines.join('\n');
}
