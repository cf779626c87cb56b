// The mapping of errors to results, for tools that catch what went wrong themselves.
import { context } from '@opentelemetry/api';
import { runningCall } from '../context.ts';
import { errorResult, type ErrorContext, type ErrorResult } from '../errors/error-result.ts';
import { spanContextIn } from '../telemetry/span-context.ts';
import { Failures } from './failures.ts';

/**
 * The result of a tool call that failed: a first line that an agent can act on, and code, details, whether and when to try
 * again, and the trace id in `_meta["toolspan/error"]`.
 *
 * A tool that throws needs none of this: `instrumentServer` does the same with what is thrown. Inside a call of an
 * instrumented server the error is recorded with the call, and the options of the server hold.
 *
 * @param error what was caught: a `ToolError` says what it says, anything else is classified.
 * @param given what differs from the options of the server, or is known without one.
 */
export function handleError(error: unknown, given: ErrorContext = {}): ErrorResult {
  const call = runningCall();
  const traceId = spanContextIn(context.active())?.traceId;
  const usual = call?.failures instanceof Failures ? call.failures.contextOf(traceId) : { traceId };
  const told = Object.entries(given).filter(([, value]) => value !== undefined);
  const result = errorResult(error, { ...usual, ...Object.fromEntries(told) });
  if (call?.noteCaught === undefined) call?.noteThrown(error);
  else call.noteCaught(error, result);
  return result;
}
