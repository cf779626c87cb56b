// What HTTP refuses before any server sees it, as an operation of its own: for the doors that stand before the server.
import { complainAboutFailure } from '../diagnostics.ts';
import { isRecord } from '../protocol/message.ts';
import { targetKindOf } from '../protocol/method.ts';
import { Operation } from '../protocol/operation.ts';
import { endingOf, type Ending } from '../protocol/outcome.ts';
import { OTHER } from '../telemetry/names.ts';
import { ATTR_HTTP_RESPONSE_STATUS_CODE } from '../telemetry/semconv.ts';
import type { Signals } from '../telemetry/signals.ts';
import { HTTP, headersOf } from './wire.ts';

const HTTP_ONLY = -32_000;

/** A request that no server has seen. */
export interface RefusedRequest {
  /** Readings of the monotonic clock, in ms. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The MCP method, where it can be told. */
  readonly method: string | undefined;
  /** A header of the request, by its name in small letters. */
  readonly header: (name: string) => string | undefined;
  readonly ending: Ending;
  /** The HTTP status, where one was answered. */
  readonly status: number | undefined;
}

/** Records it as a span and a measurement. Never throws. */
export function recordRefusal(signals: Signals, refused: RefusedRequest): void {
  try {
    const { method = OTHER, header, ending, status } = refused;
    const target = header('mcp-name');
    const targetKind = targetKindOf(method);
    const operation = new Operation('in', method, target, undefined, refused.startedAt);
    const label = target === undefined || targetKind === undefined || targetKind === 'resource' ? undefined : OTHER;
    const kind = signals.kindsOver(HTTP).of(method, label);
    const version = header('mcp-protocol-version');
    const headers = {
      traceparent: header('traceparent'),
      tracestate: header('tracestate'),
      baggage: header('baggage'),
    };
    const span = signals.start(operation, kind, {
      version,
      sessionId: header('mcp-session-id'),
      jsonrpc: undefined,
      meta: undefined,
      headers: headersOf({ requestInfo: { headers } }),
      connectedUnder: undefined,
    });
    if (status !== undefined) span.span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
    operation.decide(ending, refused.endedAt);
    signals.end(operation, span, kind, ending, version);
  } catch (error) {
    complainAboutFailure('recording a refused request', error);
  }
}

/**
 * How a refused request ended: what the JSON-RPC code says counts. Without one, or with the one that the SDKs give to all that
 * HTTP alone refuses, a 4xx is the caller's mistake by the conventions of HTTP, and leaves a server's span without an error.
 *
 * @param error what the body has as its JSON-RPC error.
 */
export function refusalEnding(status: number, error: unknown): Ending {
  const ending = endingOf({ id: '', error: isRecord(error) ? error : {} }, true);
  if (status >= 500) return { ...ending, errorType: ending.errorType ?? String(status) };
  const { statusCode } = ending;
  return statusCode === undefined || statusCode === HTTP_ONLY ? { ...ending, errorType: undefined } : ending;
}
