// How an operation ended: the closed set of outcomes, and what an answer says about it. Pure.
import { ERROR_CODES, type ErrorCode, type Fault } from '../errors/error-code.ts';
import { codeOfJsonRpc } from '../errors/error-names.ts';
import { errorMetaOf } from '../errors/error-result.ts';
import { isRecord, type ResponseMessage } from './message.ts';

/**
 * How an operation ended; the first outcome wins and is never overwritten.
 *
 * - `ok`: answered with a result, or (a notification) handed over.
 * - `tool_error`: answered with a result that has `isError: true`.
 * - `protocol_error`: answered with a JSON-RPC error, or (a notification) its handler threw.
 * - `input_required`: answered with a request for more input (2026-07-28); not an error.
 * - `cancelled`: the one who asked withdrew the question.
 * - `aborted`: the connection closed, or the message could not be delivered, first.
 * - `expired`: no outcome within `maxOperationMs`.
 */
export type Outcome = 'ok' | 'tool_error' | 'protocol_error' | 'input_required' | 'cancelled' | 'aborted' | 'expired';

/** What is known of an operation's end. */
export interface Ending {
  readonly outcome: Outcome;
  /** Why the one who worked on it failed (`error.type`); undefined where nobody failed, or only the caller did. */
  readonly errorType?: string | undefined;
  /** What kind of failure it was, where that is known. */
  readonly errorCode?: ErrorCode | undefined;
  /** Who has to change something so that it succeeds; known with the code. */
  readonly fault?: Fault | undefined;
  /** The code of a JSON-RPC error. */
  readonly statusCode?: number | undefined;
  /** The message of a JSON-RPC error; never the content of a result. */
  readonly message?: string | undefined;
}

/** Whether what was asked for was done, as far as it can be without more input. */
export function succeeded({ outcome }: Ending): boolean {
  return outcome === 'ok' || outcome === 'input_required';
}

/** Codes that say the caller made a mistake; they leave a server's span without an error. */
const CALLER_MISTAKES: ReadonlySet<number> = new Set([-32700, -32600, -32601, -32602, -32002]);

/** True for a JSON-RPC code that blames the caller, by the MCP semantic conventions. */
export function blamesCaller(code: number): boolean {
  return CALLER_MISTAKES.has(code);
}

// https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation
const URL_ELICITATION_REQUIRED = -32_042;

/** Whether this JSON-RPC error, or what was thrown for one, asks for something: that is no failure. */
export function isUrlElicitation(error: unknown): boolean {
  return isRecord(error) && error['code'] === URL_ELICITATION_REQUIRED;
}

const OK: Ending = { outcome: 'ok' };
const INPUT_REQUIRED: Ending = { outcome: 'input_required' };
const TOOL_ERROR: Ending = { outcome: 'tool_error', errorType: 'tool_error' };

/**
 * What an answer says, read literally.
 *
 * @param answered `true` on the side that answers: there a caller's mistake is no error of ours. The side that
 *   asked has failed whatever the code.
 */
export function endingOf(response: ResponseMessage, answered: boolean): Ending {
  if (isRecord(response.error)) {
    const code = typeof response.error.code === 'number' ? response.error.code : undefined;
    const message = typeof response.error.message === 'string' ? response.error.message : undefined;
    return protocolError(code, message, answered && code !== undefined && blamesCaller(code));
  }
  const result = response.result;
  if (!isRecord(result)) return OK;
  if (result['isError'] === true) return toolError(errorMetaOf(result)?.code);
  return result['resultType'] === 'input_required' ? INPUT_REQUIRED : OK;
}

/** The ending of a tool call answered with `isError`. */
export function toolError(errorCode: ErrorCode | undefined, fault?: Fault): Ending {
  if (errorCode === undefined) return TOOL_ERROR;
  return { ...TOOL_ERROR, errorCode, fault: fault ?? ERROR_CODES[errorCode].fault };
}

/** The ending of an operation answered with a JSON-RPC error. */
export function protocolError(
  code: number | undefined,
  message: string | undefined,
  callersMistake: boolean,
  errorCode: ErrorCode | undefined = code === undefined ? undefined : codeOfJsonRpc(code),
): Ending {
  return {
    outcome: 'protocol_error',
    statusCode: code,
    message,
    errorType: callersMistake ? undefined : String(code ?? '_OTHER'),
    errorCode,
    fault: errorCode === undefined ? undefined : ERROR_CODES[errorCode].fault,
  };
}
