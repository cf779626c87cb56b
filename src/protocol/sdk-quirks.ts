// The SDK generations put one mistake on the wire in different shapes; here the shapes become one reading. Pure.
import type { ErrorCode } from '../errors/error-code.ts';
import { isRecord, type ResponseMessage } from './message.ts';
import type { Operation } from './operation.ts';
import { protocolError, type Ending } from './outcome.ts';

const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;

const PREFIX = /^MCP error -32602: /;

/**
 * Corrects what an answer says, for the side that answered.
 *
 * - Both SDKs answer for a target that does not exist as for bad parameters: it is `RESOURCE_NOT_FOUND`.
 * - SDK v1 answers an unknown or disabled tool with a result, v2 with a JSON-RPC error: both are the caller's mistake.
 * - SDK v1 blames the caller (-32602) where the handler of a tool returned nothing, or a task could not be created: that
 *   is the server's failure.
 * - SDK v1 blames the server (-32603) where the caller named no tool: that is the caller's mistake.
 */
export function readAnswer(operation: Operation, response: ResponseMessage, ending: Ending): Ending {
  const { method, target, entered } = operation;
  const tool = method === 'tools/call';
  if (ending.outcome === 'tool_error' && tool && !entered) {
    const text = textOf(response.result);
    if (text !== undefined && saysNotFound(target, text)) return notFound(text);
  }
  if (ending.statusCode === INVALID_PARAMS && tool && entered && !threwInvalidParams(operation)) {
    return protocolError(INVALID_PARAMS, ending.message, false, 'INTERNAL_ERROR');
  }
  if (ending.statusCode === INVALID_PARAMS && ending.message !== undefined && saysNotFound(target, ending.message)) {
    return notFound(ending.message);
  }
  if (ending.statusCode === INTERNAL_ERROR && tool && target === undefined) {
    return protocolError(INTERNAL_ERROR, ending.message, true, 'VALIDATION_ERROR');
  }
  return ending;
}

function threwInvalidParams({ thrown }: Operation): boolean {
  try {
    return isRecord(thrown?.value) && thrown.value['code'] === INVALID_PARAMS;
  } catch {
    return false;
  }
}

/** The code of a failed result that the SDK made itself; undefined for one that the tool returned. */
export function codeOfSdkResult(operation: Operation, result: unknown): ErrorCode | undefined {
  const text = textOf(result)?.replace(PREFIX, '');
  if (text === undefined) return undefined;
  const refused = `Invalid arguments for tool ${operation.target}: `;
  if (text.startsWith(refused) || text.startsWith(`Input validation error: ${refused}`)) return 'VALIDATION_ERROR';
  const undone = text.startsWith('Output validation error: ') || text.startsWith('Invalid tools/call result');
  return undone ? 'INTERNAL_ERROR' : undefined;
}

function notFound(message: string): Ending {
  return protocolError(INVALID_PARAMS, message, true, 'RESOURCE_NOT_FOUND');
}

function saysNotFound(target: string | undefined, message: string): boolean {
  if (target === undefined) return false;
  const said = message.replace(PREFIX, '');
  if (said === `Resource not found: ${target}`) return true;
  return ['Tool', 'Prompt', 'Resource'].some(
    (kind) => said === `${kind} ${target} not found` || said === `${kind} ${target} disabled`,
  );
}

function textOf(result: unknown): string | undefined {
  const content = isRecord(result) ? result['content'] : undefined;
  const first: unknown = Array.isArray(content) ? content[0] : undefined;
  const text = isRecord(first) ? first['text'] : undefined;
  return typeof text === 'string' ? text : undefined;
}
