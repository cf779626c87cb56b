// The span of one operation: begun with what the message says, ended with how it ended.
import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { cut } from '../redaction/cut.ts';
import { redactor } from '../redaction/current.ts';
import type { Operation } from '../protocol/operation.ts';
import type { Ending } from '../protocol/outcome.ts';
import { targetKindOf } from '../protocol/method.ts';
import { withSpan } from './call-context.ts';
import { later, type WallTime } from './clock.ts';
import { exceptionAttributes } from './exception.ts';
import type { OperationKind } from './kind.ts';
import { ATTR_TOOLSPAN_ERROR_CODE, ATTR_TOOLSPAN_OUTCOME, SCOPE_NAME } from './names.ts';
import { callerOf, withBaggage, type Carrier } from './propagation.ts';
import {
  ATTR_ERROR_TYPE,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_PROMPT_NAME,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_JSONRPC_PROTOCOL_VERSION,
  ATTR_JSONRPC_REQUEST_ID,
  ATTR_MCP_METHOD_NAME,
  ATTR_MCP_PROTOCOL_VERSION,
  ATTR_MCP_RESOURCE_URI,
  ATTR_RPC_RESPONSE_STATUS_CODE,
  EVENT_EXCEPTION,
  GEN_AI_OPERATION_EXECUTE_TOOL,
} from './semconv.ts';
import { MAX_MESSAGE, MAX_NAME, MAX_URI } from './text.ts';

// What the spans of an SDK show beyond the API; read as far as it is there.
interface ReadableSpan {
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly instrumentationScope: { readonly name: string };
}

/** What surrounds an operation when it starts. */
export interface Surroundings {
  /** The protocol revision in force, where it is known yet. */
  readonly version: string | undefined;
  readonly sessionId: string | undefined;
  /** The `jsonrpc` member of the message, where it is not `2.0`. */
  readonly jsonrpc: string | undefined;
  /** Where the caller's trace context stands, first choice: `_meta`. */
  readonly meta: Carrier | undefined;
  /** Second choice, where neither `_meta` nor the active context has one: HTTP headers. */
  readonly headers: Carrier | undefined;
  /** The span that was active when the connection was made: it is nobody's caller. */
  readonly connectedUnder: Span | undefined;
}

/** A span under way, with the context that the work on the operation runs in. */
export interface OperationSpan {
  readonly span: Span;
  readonly context: Context;
  /** When it began, as wall time. */
  readonly startTime: HrTime;
  /** False where another instrumentation made this span for the same message: it ends it, we only add to it. */
  readonly owned: boolean;
}

/** Starts the span of an operation at its reading of the clock. */
export function startOperationSpan(
  tracer: Tracer,
  wallTime: WallTime,
  operation: Operation,
  kind: OperationKind,
  around: Surroundings,
): OperationSpan {
  const startTime = wallTime.at(operation.startedAt);
  const active = context.active();
  const ambient = trace.getSpan(active);
  if (ambient !== undefined && standsForSameMessage(ambient, operation)) {
    return { span: ambient, context: active, startTime, owned: false };
  }
  if (ambient !== undefined && isAgentsToolSpan(ambient, operation)) {
    enriched.add(ambient);
    describe(ambient, operation, kind, around);
    return { span: ambient, context: active, startTime, owned: false };
  }
  const { parent, links } = parentOf(active, ambient, operation, around);
  const span = tracer.startSpan(
    kind.spanName,
    {
      kind: operation.direction === 'in' ? SpanKind.SERVER : SpanKind.CLIENT,
      startTime,
      attributes: kind.startAttributes,
      ...(links === undefined ? undefined : { links }),
    },
    parent,
  );
  if (span.isRecording()) describe(span, operation, kind, around);
  return { span, context: withSpan(parent, span), startTime, owned: true };
}

/** Ends the span of an operation whose end is decided. */
export function endOperationSpan(
  { span, startTime, owned }: OperationSpan,
  operation: Operation,
  ending: Ending,
  version: string | undefined,
): void {
  // the wall clock may have jumped since; a duration has not
  const endTime = later(startTime, operation.endedAt - operation.startedAt);
  if (span.isRecording()) {
    span.setAttribute(ATTR_TOOLSPAN_OUTCOME, ending.outcome);
    if (ending.errorCode !== undefined) span.setAttribute(ATTR_TOOLSPAN_ERROR_CODE, ending.errorCode);
    if (owned && ending.outcome !== 'ok') addFailure(span, endTime, operation, ending);
    else if (operation.direction === 'out') span.setAttributes(failureAttributes(ending));
    // the revision of a session is settled by the answer to the first request
    if (version !== undefined && operation.method === 'initialize') {
      span.setAttribute(ATTR_MCP_PROTOCOL_VERSION, cut(version, MAX_NAME));
    }
  }
  if (owned) span.end(endTime);
}

function addFailure(span: Span, endTime: HrTime, operation: Operation, ending: Ending): void {
  span.setAttributes(failureAttributes(ending));
  if (ending.errorType === undefined) return;
  span.setStatus(
    ending.message === undefined
      ? { code: SpanStatusCode.ERROR }
      : { code: SpanStatusCode.ERROR, message: redactor().text(ending.message, MAX_MESSAGE) },
  );
  if (operation.thrown !== undefined) {
    span.addEvent(EVENT_EXCEPTION, exceptionAttributes(operation.thrown.value), endTime);
  }
}

function failureAttributes({ statusCode, errorType }: Ending): Attributes {
  const attributes: Attributes = {};
  if (statusCode !== undefined) attributes[ATTR_RPC_RESPONSE_STATUS_CODE] = String(statusCode);
  if (errorType !== undefined) attributes[ATTR_ERROR_TYPE] = cut(errorType, MAX_NAME);
  return attributes;
}

function parentOf(
  active: Context,
  ambient: Span | undefined,
  operation: Operation,
  { meta, headers, connectedUnder }: Surroundings,
): { parent: Context; links: Link[] | undefined } {
  if (operation.direction === 'out' && ambient !== undefined) return { parent: active, links: undefined };
  const ambientIsCaller = ambient !== undefined && ambient !== connectedUnder;
  const caller = meta === undefined ? undefined : callerOf(meta);
  if (caller !== undefined && meta !== undefined) {
    const parent = withBaggage(trace.setSpanContext(active, caller), meta);
    const link = ambientIsCaller ? linkTo(ambient.spanContext(), caller) : undefined;
    return { parent, links: link };
  }
  const base = meta === undefined ? active : withBaggage(active, meta);
  if (ambientIsCaller) return { parent: base, links: undefined };
  const headerCaller = headers === undefined ? undefined : callerOf(headers);
  if (headerCaller !== undefined && headers !== undefined) {
    return { parent: withBaggage(trace.setSpanContext(base, headerCaller), headers), links: undefined };
  }
  return { parent: ambient === undefined ? base : trace.deleteSpan(base), links: undefined };
}

function linkTo(ambient: SpanContext, parent: SpanContext): Link[] | undefined {
  const same = ambient.spanId === parent.spanId && ambient.traceId === parent.traceId;
  return same || !trace.isSpanContextValid(ambient) ? undefined : [{ context: ambient }];
}

// Another instrumentation of the same server has its span active while the message is delivered. A span of ours is the
// span of another message: a handler may well call a server of its own.
function standsForSameMessage(ambient: Span, operation: Operation): boolean {
  if (operation.direction === 'out') return false;
  const { kind, attributes, instrumentationScope } = ambient as Partial<ReadableSpan>;
  if (kind !== SpanKind.SERVER || attributes?.[ATTR_MCP_METHOD_NAME] !== operation.method) return false;
  const id = attributes[ATTR_JSONRPC_REQUEST_ID];
  const otherMessage = id !== undefined && id !== String(operation.id);
  return !otherMessage && instrumentationScope?.name !== SCOPE_NAME && ambient.isRecording();
}

// The span that an agent framework makes for the same tool call is added to: a second one would say it twice. It stands for
// one call; what else is called under it has spans of its own.
const enriched = new WeakSet<Span>();

function isAgentsToolSpan(ambient: Span, { direction, method, target }: Operation): boolean {
  if (direction !== 'out' || method !== 'tools/call' || enriched.has(ambient) || !ambient.isRecording()) return false;
  const { attributes, instrumentationScope } = ambient as Partial<ReadableSpan>;
  if (attributes?.[ATTR_GEN_AI_OPERATION_NAME] !== GEN_AI_OPERATION_EXECUTE_TOOL) return false;
  const tool = attributes[ATTR_GEN_AI_TOOL_NAME];
  return (tool === undefined || tool === target) && instrumentationScope?.name !== SCOPE_NAME;
}

// A span of our own takes what we say of the operation as it is; any other has checked and copied what it was started with.
interface TakingSpan {
  takeAttributes(attributes: Attributes, common: Attributes): void;
}

function describe(span: Span, operation: Operation, kind: OperationKind, around: Surroundings): void {
  const common = kind.attributesIn(around.sessionId, around.version);
  const attributes = messageAttributes(common, operation, kind, around);
  if ('takeAttributes' in span) (span as TakingSpan).takeAttributes(attributes, common);
  else span.setAttributes(attributes);
}

function messageAttributes(
  common: Attributes,
  operation: Operation,
  kind: OperationKind,
  around: Surroundings,
): Attributes {
  const attributes = { ...common };
  const { method, target, id } = operation;
  if (id !== undefined) attributes[ATTR_JSONRPC_REQUEST_ID] = cut(String(id), MAX_NAME);
  if (kind.methodLabel !== method) attributes[ATTR_MCP_METHOD_NAME] = cut(method, MAX_NAME);
  if (around.jsonrpc !== undefined) attributes[ATTR_JSONRPC_PROTOCOL_VERSION] = cut(around.jsonrpc, MAX_NAME);
  if (target === undefined || target === kind.target) return attributes;
  switch (targetKindOf(method)) {
    case 'tool':
      attributes[ATTR_GEN_AI_TOOL_NAME] = cut(target, MAX_NAME);
      break;
    case 'prompt':
      attributes[ATTR_GEN_AI_PROMPT_NAME] = cut(target, MAX_NAME);
      break;
    case 'resource':
      attributes[ATTR_MCP_RESOURCE_URI] = redactor().text(target, MAX_URI);
      break;
    default:
  }
  return attributes;
}
