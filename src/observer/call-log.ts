// What an operation tells the log: its start, its success or failure, once each, and only where somebody reads it.
import { context, type Context } from '@opentelemetry/api';
import { complainAboutFailure } from '../diagnostics.ts';
import type { CallEvent, DoorLog } from '../logging/door-log.ts';
import { SEVERITY, type LogLevel } from '../logging/levels.ts';
import type { MessageParams } from '../protocol/message.ts';
import { succeeded, type Ending } from '../protocol/outcome.ts';
import { cut } from '../redaction/cut.ts';
import { redactor } from '../redaction/current.ts';
import type { Plain } from '../redaction/redactor.ts';
import { exceptionType } from '../telemetry/exception.ts';
import { ATTR_GEN_AI_TOOL_CALL_ARGUMENTS, ATTR_GEN_AI_TOOL_CALL_RESULT } from '../telemetry/semconv.ts';
import { MAX_NAME } from '../telemetry/text.ts';
import { inputLength, isCaptured, resultLength } from './content.ts';
import type { Settled } from './failures.ts';
import type { LiveOperation } from './live-operation.ts';

const MAX_ATTRIBUTE = 16_384;

type Facts = Record<string, Plain>;

/** A tool call begins. */
export function noteStart(operation: LiveOperation, params: MessageParams | undefined): void {
  const { log } = operation;
  if (log === undefined) return;
  try {
    const read = successIsRead(log, operation);
    const wanted = isCaptured(log.captureArguments, operation.target);
    if (!read && !wanted) return;
    const given = wanted ? capture(operation, ATTR_GEN_AI_TOOL_CALL_ARGUMENTS, params?.['arguments']) : undefined;
    if (!read) return;
    operation.facts = { input_length: inputLength(params) };
    const attributes = given === undefined ? operation.facts : { ...operation.facts, arguments: given };
    const message = `Tool ${nameOf(operation)} started`;
    const event: CallEvent = { type: 'tool_start', level: 'info', message, attributes, thrown: undefined };
    log.keep(event, operation, contextOf(operation));
    tell(log, operation, event);
  } catch (error) {
    complainAboutFailure('logging the start of a call', error);
  }
}

/** A tool call is answered. The client is told before it has its answer: after that, nothing belongs to the request. */
export function noteAnswer(
  operation: LiveOperation,
  { ending, outgoing, at }: Settled & { readonly at: number },
): void {
  const { log } = operation;
  if (log === undefined) return;
  try {
    const read = successIsRead(log, operation);
    const wanted = isCaptured(log.captureResults, operation.target) && outgoing.result !== undefined;
    const given = wanted ? capture(operation, ATTR_GEN_AI_TOOL_CALL_RESULT, outgoing.result) : undefined;
    if (!read) return;
    operation.facts = { ...operation.facts, result_length: resultLength(outgoing.result) };
    if (given !== undefined) operation.facts['result'] = given;
    if (operation.clientLog !== undefined) tell(log, operation, endOf(operation, ending, at));
  } catch (error) {
    complainAboutFailure('logging the answer to a call', error);
  }
}

/** An operation has ended: a tool call in any way, any other because a handler threw. */
export function logEnd(operation: LiveOperation, ending: Ending): void {
  const { log } = operation;
  if (log === undefined || operation.direction === 'out') return;
  if (operation.method === 'tools/call' ? operation.id === undefined : operation.thrown === undefined) return;
  try {
    if (SEVERITY[levelOf(ending)] < log.severity) return;
    log.keep(endOf(operation, ending, operation.endedAt), operation, contextOf(operation));
  } catch (error) {
    complainAboutFailure('logging a call', error);
  }
}

function endOf(operation: LiveOperation, ending: Ending, at: number): CallEvent {
  const attributes: Facts = { ...operation.facts, duration_ms: Math.round((at - operation.startedAt) * 1_000) / 1_000 };
  const level = levelOf(ending);
  const tool = operation.method === 'tools/call';
  const subject = tool ? `Tool ${nameOf(operation)}` : operation.method;
  const { outcome, errorCode, errorType } = ending;
  if (outcome !== 'ok' && outcome !== 'tool_error') attributes['outcome'] = outcome;
  if (succeeded(ending)) {
    return { type: 'tool_success', level, message: `${subject} succeeded`, attributes, thrown: undefined };
  }
  const { thrown } = operation;
  const type = thrown === undefined ? errorType : cut(exceptionType(thrown.value), MAX_NAME);
  if (errorCode !== undefined) attributes['error_code'] = errorCode;
  if (type !== undefined) attributes['error_type'] = type;
  const message = `${subject} failed: ${errorCode ?? outcome}`;
  return { type: tool ? 'tool_error' : 'request_error', level, message, attributes, thrown };
}

// Whether anybody reads that calls start and succeed: what is told of them need not be worked out else.
function successIsRead(log: DoorLog, { clientLog }: LiveOperation): boolean {
  return log.severity <= SEVERITY.info || clientLog !== undefined;
}

function capture({ span }: LiveOperation, attribute: string, content: unknown): Plain {
  const plain = redactor().value(content);
  if (span?.span.isRecording() === true) span.span.setAttribute(attribute, cut(JSON.stringify(plain), MAX_ATTRIBUTE));
  return plain;
}

function tell(log: DoorLog, operation: LiveOperation, event: CallEvent): void {
  if (operation.clientLog !== undefined) log.tell(event, operation.clientLog, contextOf(operation));
}

// A caller's mistake is not the server's failure; a call that was withdrawn is nobody's.
function levelOf(ending: Ending): LogLevel {
  if (succeeded(ending) || ending.outcome === 'cancelled') return 'info';
  return ending.fault === 'server' || ending.fault === 'dependency' ? 'error' : 'warn';
}

function nameOf({ target }: LiveOperation): string {
  return target === undefined ? 'without a name' : cut(target, MAX_NAME);
}

function contextOf({ span }: LiveOperation): Context {
  return span?.context ?? context.active();
}
