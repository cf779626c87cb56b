// The errors that policies make themselves. They wear a mark, so that every policy they pass on their way up, be it of another
// copy of this package, tells a call that was refused from one that failed. Pure.
import { read } from '../errors/read.ts';
import { ToolError } from '../errors/tool-error.ts';

/** Who refused a call without making it. */
export type Refusal = 'circuit_breaker' | 'bulkhead' | 'rate_limit';

const REFUSAL = Symbol.for('toolspan.refusal.v1');
const TIME_LIMIT = Symbol.for('toolspan.time-limit.v1');
const MAX_CAUSES = 5;

/** The error of a call that is refused. It is neither retried nor counted by any breaker. */
export function refusal(by: Refusal, message: string, retryAfterMs: number): ToolError {
  const code = by === 'rate_limit' ? 'RATE_LIMIT_EXCEEDED' : 'UNAVAILABLE';
  return Object.assign(new ToolError(code, message, { retryAfterMs }), { [REFUSAL]: by });
}

/** The error of a call that has run into a time limit. It is a failure like any other. */
export function timeLimitError(message: string): ToolError {
  return Object.assign(new ToolError('TIMEOUT', message), { [TIME_LIMIT]: true });
}

/** Who refused the call, where an error or one of its causes says so. Never throws. */
export function refusalOf(error: unknown): Refusal | undefined {
  let next = error;
  for (let depth = 0; depth <= MAX_CAUSES && next !== undefined; depth++) {
    const by = markOf(next, REFUSAL);
    if (by === 'circuit_breaker' || by === 'bulkhead' || by === 'rate_limit') return by;
    next = read(next, 'cause');
  }
  return undefined;
}

/** Whether an error is that of a policy's time limit. Never throws. */
export function isTimeLimit(error: unknown): boolean {
  return markOf(error, TIME_LIMIT) === true;
}

function markOf(value: unknown, mark: symbol): unknown {
  try {
    return (value as Readonly<Record<symbol, unknown>> | null | undefined)?.[mark];
  } catch {
    return undefined;
  }
}
