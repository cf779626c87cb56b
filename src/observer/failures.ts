// What an answer says once a failure has its code, and what of it the client is told. Where nothing failed, nothing is touched.
import { classify, type Classification, type Classifier } from '../errors/classify.ts';
import { ERROR_CODES, type ErrorCode } from '../errors/error-code.ts';
import { isProtocolError, protocolCodeOf } from '../errors/error-names.ts';
import {
  errorMetaOf,
  errorResult,
  explainedResult,
  fixedMessage,
  type ErrorContext,
  type ErrorMode,
} from '../errors/error-result.ts';
import { messageOf } from '../errors/read.ts';
import { isToolError } from '../errors/tool-error.ts';
import { isRecord, type ResponseMessage } from '../protocol/message.ts';
import { isModern } from '../protocol/meta.ts';
import type { Operation } from '../protocol/operation.ts';
import { endingOf, succeeded, toolError, type Ending } from '../protocol/outcome.ts';
import { codeOfSdkResult, readAnswer } from '../protocol/sdk-quirks.ts';
import { exceptionType } from '../telemetry/exception.ts';

/** How a server tells of its failures. */
export interface FailureOptions {
  readonly mode: ErrorMode;
  readonly classifiers?: readonly Classifier[] | undefined;
  readonly receivedValues?: boolean | undefined;
}

/** What is known of an operation when it is answered. */
export interface AnsweredOperation extends Operation {
  /** The trace it is part of; asked for only where it failed. */
  readonly traceId?: string | undefined;
}

/** An answer that is understood. */
export interface Settled {
  readonly ending: Ending;
  /** What goes to the client: the very message that was given, where nothing is added. */
  readonly outgoing: ResponseMessage;
}

const INTERNAL_ERROR = -32_603;
const NOTHING_RETURNED = 'The tool returned no result.';
// who withdraws a call gets no answer: an abort that is answered was not the caller's
const NOT_WITHDRAWN = new AbortController().signal;

/** The failures of one server. */
export class Failures {
  readonly #options: FailureOptions;

  constructor(options: FailureOptions) {
    this.#options = options;
  }

  /** How `handleError` treats an error inside a call of this server. */
  contextOf(traceId: string | undefined): ErrorContext {
    const { mode, classifiers, receivedValues } = this.#options;
    return { mode, classifiers, receivedValues, signal: NOT_WITHDRAWN, traceId };
  }

  /** How a notification ends whose handler threw. */
  endingOf(thrown: unknown): Ending {
    const { code, fault } = classify(thrown, this.contextOf(undefined));
    return { outcome: 'protocol_error', errorType: exceptionType(thrown), errorCode: code, fault };
  }

  /**
   * Reads an answer, and adds what the client may know of a failure.
   *
   * @param version the protocol revision in force, where it is known.
   */
  settle(operation: AnsweredOperation, response: ResponseMessage, version: string | undefined): Settled {
    const literal = endingOf(response, true);
    if (succeeded(literal)) return { ending: literal, outgoing: response };
    const ending = readAnswer(operation, response, literal);
    const { thrown } = operation;
    if (thrown?.made !== undefined) return this.#caught(thrown.value, response, ending);
    if (thrown !== undefined) return this.#thrown(operation, thrown.value, response, ending, version);
    return operation.method === 'tools/call'
      ? this.#unthrown(operation, response, ending, version)
      : { ending, outgoing: response };
  }

  // A failed result that nobody threw for: the SDK's own is explained, a tool's own is left as it is.
  #unthrown(
    operation: AnsweredOperation,
    response: ResponseMessage,
    ending: Ending,
    version: string | undefined,
  ): Settled {
    const code = codeOfUnthrown(operation, response.result, ending);
    const made = operation.returnedNothing ? resultSaying(NOTHING_RETURNED, version) : response.result;
    if (code === undefined || !isRecord(made) || errorMetaOf(made) !== undefined) return { ending, outgoing: response };
    const coded = ending.outcome === 'tool_error' ? toolError(code) : ending;
    const { mode } = this.#options;
    if (mode === 'passthrough') return { ending: coded, outgoing: response };
    const { fault, retryable } = ERROR_CODES[code];
    const shown =
      mode === 'strict' && fault !== 'caller' ? { ...made, content: textContent(fixedMessage({ code, fault })) } : made;
    const failure = { code, fault, retryable, retryAfterMs: undefined };
    const { error: _, ...rest } = response;
    const outgoing = { ...rest, result: explainedResult(shown, failure, operation.traceId) };
    return { ending: operation.returnedNothing ? toolError(code) : coded, outgoing };
  }

  // The tool has made its own result of what it caught: that is what it wants to say.
  #caught(thrown: unknown, response: ResponseMessage, ending: Ending): Settled {
    if (ending.outcome !== 'tool_error') return { ending, outgoing: response };
    const { code, fault } = classify(thrown, this.contextOf(undefined));
    const said = errorMetaOf(response.result)?.code ?? code;
    return { ending: toolError(said, said === code ? fault : undefined), outgoing: response };
  }

  #thrown(
    operation: AnsweredOperation,
    thrown: unknown,
    response: ResponseMessage,
    ending: Ending,
    version: string | undefined,
  ): Settled {
    // an error that was made for the protocol goes the protocol's way: URL elicitation, for one
    const { mode } = this.#options;
    const forProtocol = mode === 'strict' ? isProtocolError(thrown) : protocolCodeOf(thrown) !== undefined;
    if (isRecord(response.error) && forProtocol) return { ending, outgoing: response };
    const { traceId } = operation;
    const context = this.contextOf(traceId);
    const failure = classify(thrown, context);
    const { code, fault } = failure;
    const coded = ending.outcome === 'tool_error' ? toolError(code, fault) : { ...ending, errorCode: code, fault };
    if (mode === 'passthrough') return { ending: coded, outgoing: response };
    if (operation.method === 'tools/call') {
      const { error: _, ...rest } = response;
      const outgoing = { ...rest, result: toolResultOf(response, thrown, failure, context, version) };
      return { ending: toolError(code, fault), outgoing };
    }
    if (mode !== 'strict' || !isRecord(response.error)) return { ending: coded, outgoing: response };
    // made anew: the SDKs send a code and data of whatever was thrown, which may hold anything
    const text = isToolError(thrown) ? messageOf(thrown) : fixedMessage(failure);
    const message = `${text}${traceId === undefined ? '' : ` Trace id: ${traceId}`}`;
    return { ending: coded, outgoing: { ...response, error: { code: INTERNAL_ERROR, message } } };
  }
}

function codeOfUnthrown(operation: Operation, result: unknown, ending: Ending): ErrorCode | undefined {
  if (operation.returnedNothing) return 'INTERNAL_ERROR';
  return ending.outcome === 'tool_error' ? codeOfSdkResult(operation, result) : ending.errorCode;
}

// The high-level server has made a result of the exception, with its text; the low-level one a JSON-RPC error.
function toolResultOf(
  { result: made }: ResponseMessage,
  thrown: unknown,
  failure: Classification,
  context: ErrorContext,
  version: string | undefined,
): object {
  if (isRecord(made) && context.mode === 'typed' && !isToolError(thrown)) {
    return explainedResult(made, failure, context.traceId);
  }
  const there = isRecord(made) ? made : emptyResult(version);
  const { _meta, ...failed } = errorResult(thrown, context);
  const meta = isRecord(there['_meta']) ? there['_meta'] : undefined;
  return { ...there, ...failed, _meta: { ...meta, ..._meta } };
}

function resultSaying(text: string, version: string | undefined): object {
  return { ...emptyResult(version), content: textContent(text), isError: true };
}

function emptyResult(version: string | undefined): Record<string, unknown> {
  return isModern(version) ? { resultType: 'complete' } : {};
}

function textContent(text: string): object[] {
  return [{ type: 'text', text }];
}
