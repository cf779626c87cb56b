// The one mapping of a failure to the wire: a tool result with a first line that an agent can act on, and the facts in
// `_meta`. Not in structuredContent: the client of SDK v1 holds that against the output schema even where a call failed. Pure.
import { cut } from '../redaction/cut.ts';
import { redactor } from '../redaction/current.ts';
import { classify, type Classification, type ClassifyOptions } from './classify.ts';
import { ERROR_CODES, isErrorCode, type ErrorCode } from './error-code.ts';
import { messageOf, read } from './read.ts';
import { isToolError } from './tool-error.ts';

/**
 * What a failed call tells the client.
 *
 * - `typed`: code, advice and trace id; a plain exception keeps the text that the MCP SDK would send.
 * - `strict`: the text of what is not a `ToolError` never reaches the client; it gets a fixed text, code and trace id.
 * - `passthrough`: what the MCP SDK would send, to the byte.
 */
export type ErrorMode = 'typed' | 'strict' | 'passthrough';

/** What is known of the call that failed, and how much of it may be told. */
export interface ErrorContext extends ClassifyOptions {
  /** @default 'typed' */
  readonly mode?: ErrorMode | undefined;
  /** The trace in which the failure can be found. @default none */
  readonly traceId?: string | undefined;
}

/** A tool result that says that the call failed, of the shape of `CallToolResult` in both MCP SDKs. */
export interface ErrorResult {
  [key: string]: unknown;
  content: { type: 'text'; text: string }[];
  isError: true;
  _meta?: Record<string, unknown>;
}

/** What stands in `_meta["toolspan/error"]`. */
export interface ErrorMeta {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;
  readonly retry_after_ms?: number;
  readonly trace_id?: string;
}

/** The key in the `_meta` of a result. */
export const ERROR_META_KEY = 'toolspan/error';

const MAX_MESSAGE = 2_000;

/** The result for a thrown value. Never throws. */
export function errorResult(thrown: unknown, context: ErrorContext = {}): ErrorResult {
  if (context.mode === 'passthrough') return resultOf([messageOf(thrown)]);
  const failure = classify(thrown, context);
  const own = isToolError(thrown);
  if (!own && context.mode !== 'strict') {
    return explained([messageOf(thrown)], messageOf(thrown), failure, context.traceId);
  }
  const message = own ? messageOf(thrown) : fixedMessage(failure.code);
  return {
    ...resultOf([lineOf(failure, message, context.traceId)]),
    _meta: { [ERROR_META_KEY]: metaOf(own ? failure : { ...failure, details: undefined }, message, context.traceId) },
  };
}

/** A failed result that somebody else made, with its texts kept and the code, advice and trace id added. */
export function explainedResult(result: object, failure: Classification, traceId: string | undefined): object {
  const content = read(result, 'content');
  const kept: readonly unknown[] = Array.isArray(content) ? content : [];
  const text = read(kept[0], 'text');
  const message = typeof text === 'string' ? text : fixedMessage(failure.code);
  const added = explained([], message, failure, traceId);
  return {
    ...result,
    content: [...kept, ...added.content],
    _meta: { ...(read(result, '_meta') as object | undefined), ...added._meta },
  };
}

/** What `_meta["toolspan/error"]` of a result says; undefined where there is none that can be trusted to be one. */
export function errorMetaOf(result: unknown): Pick<ErrorMeta, 'code' | 'retryable'> | undefined {
  const meta = read(read(result, '_meta'), ERROR_META_KEY);
  const code = read(meta, 'code');
  if (!isErrorCode(code)) return undefined;
  const retryable = read(meta, 'retryable');
  return { code, retryable: typeof retryable === 'boolean' ? retryable : ERROR_CODES[code].retryable };
}

/** What the client is told of a failure whose text is not for it. */
export function fixedMessage(code: ErrorCode): string {
  return FIXED_MESSAGES[code];
}

const FIXED_MESSAGES: Readonly<Record<ErrorCode, string>> = {
  VALIDATION_ERROR: 'The arguments were refused.',
  AUTHENTICATION_FAILED: 'The credentials were refused.',
  PERMISSION_DENIED: 'This is not allowed.',
  RESOURCE_NOT_FOUND: 'What was asked for does not exist.',
  RATE_LIMIT_EXCEEDED: 'There were too many calls.',
  TIMEOUT: 'There was no answer in time.',
  UNAVAILABLE: 'A service that is needed for this cannot be reached.',
  CANCELLED: 'The call was withdrawn.',
  INTERNAL_ERROR: 'The server failed.',
};

function explained(
  texts: readonly string[],
  message: string,
  failure: Classification,
  traceId: string | undefined,
): ErrorResult {
  return {
    ...resultOf([...texts, lineOf(failure, undefined, traceId)]),
    _meta: { [ERROR_META_KEY]: metaOf(failure, message, traceId) },
  };
}

function resultOf(texts: readonly string[]): ErrorResult {
  return { content: texts.map((text) => ({ type: 'text', text })), isError: true };
}

// One line: an agent that shows or reads only the first still learns what went wrong and what to do.
function lineOf(failure: Classification, message: string | undefined, traceId: string | undefined): string {
  const said = message === undefined ? '' : ` ${sentence(message)}`;
  const trace = traceId === undefined ? '' : ` Trace id: ${traceId}`;
  return `${failure.code}:${said} ${adviceOf(failure)}${trace}`;
}

function sentence(message: string): string {
  const line = cut(message, MAX_MESSAGE).replaceAll(/\s+/g, ' ').trim();
  return /[.!?…]$/.test(line) ? line : `${line}.`;
}

function adviceOf({ code, retryable, retryAfterMs }: Classification): string {
  const { advice, retryable: usually } = ERROR_CODES[code];
  if (!retryable) return usually ? 'Do not repeat this call.' : advice;
  if (retryAfterMs !== undefined) return `Call again in ${duration(retryAfterMs)}.`;
  return usually ? advice : 'The same call may succeed later.';
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.ceil(ms)} ms` : `${Math.ceil(ms / 1_000)} s`;
}

function metaOf(failure: Classification, message: string, traceId: string | undefined): ErrorMeta {
  const { code, details, retryable, retryAfterMs } = failure;
  return {
    code,
    message: cut(message, MAX_MESSAGE),
    details: details === undefined ? {} : (redactor().value(details) as Record<string, unknown>),
    retryable,
    ...(retryAfterMs !== undefined && { retry_after_ms: Math.ceil(retryAfterMs) }),
    ...(traceId !== undefined && { trace_id: traceId }),
  };
}
