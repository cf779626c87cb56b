// The SDK generations put one mistake on the wire in different shapes; here the shapes become one reading. Pure.
import { isRecord, type ResponseMessage } from './message.ts';
import type { Operation } from './operation.ts';
import { protocolError, type Ending } from './outcome.ts';

const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;

/**
 * Corrects what an answer to `tools/call` says, for the side that answered.
 *
 * - SDK v1 answers an unknown or disabled tool with a result, v2 with a JSON-RPC error: both are the caller's mistake.
 * - SDK v1 blames the caller (-32602) where the handler returned nothing, or a task could not be created: that is the
 *   server's failure.
 * - SDK v1 blames the server (-32603) where the caller named no tool: that is the caller's mistake.
 */
export function readToolAnswer(operation: Operation, response: ResponseMessage, ending: Ending): Ending {
  if (operation.method !== 'tools/call') return ending;
  if (ending.outcome === 'tool_error' && !operation.entered) {
    const message = unknownToolMessage(operation.target, response.result);
    if (message !== undefined) return protocolError(INVALID_PARAMS, message, true);
  }
  if (ending.statusCode === INVALID_PARAMS && operation.entered && !threwInvalidParams(operation)) {
    return protocolError(INVALID_PARAMS, ending.message, false);
  }
  if (ending.statusCode === INTERNAL_ERROR && operation.target === undefined) {
    return protocolError(INTERNAL_ERROR, ending.message, true);
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

function unknownToolMessage(tool: string | undefined, result: unknown): string | undefined {
  const content = isRecord(result) ? result['content'] : undefined;
  const first: unknown = Array.isArray(content) ? content[0] : undefined;
  const text = isRecord(first) ? first['text'] : undefined;
  if (text === `MCP error -32602: Tool ${tool} not found` || text === `MCP error -32602: Tool ${tool} disabled`) {
    return text;
  }
  return undefined;
}
