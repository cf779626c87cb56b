// Of the observer and its doors: spans, parents, outcomes, ids, exceptions, answers, labels, metrics.
import { OWN, type Requirement } from './requirement.ts';

const MCP = 'https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md';
const SEP_414 = 'https://modelcontextprotocol.io/seps/414';
const SPEC_2026 = 'https://modelcontextprotocol.io/specification/2026-07-28';

export const observerRequirements = {
  'span.call': {
    source: MCP,
    behaviour: 'a tool call is one SERVER span named by method and tool, with the attributes of the conventions',
  },
  'span.every-request': { source: MCP, behaviour: 'every dispatched request and notification is one span' },
  'span.prompt-and-resource': {
    source: MCP,
    behaviour: 'a prompt names the span, a resource stands in mcp.resource.uri only',
  },
  'span.network': { source: MCP, behaviour: 'stdio is a pipe, HTTP is http over tcp, and what is unknown is left out' },
  'span.session-id': {
    source: MCP,
    behaviour: 'a session of Streamable HTTP shows its id on the span, never on a metric',
  },
  'span.server-asks': {
    source: MCP,
    behaviour: 'what a server asks its client is a CLIENT span under the call that asked',
  },
  'span.input-required': {
    source: SPEC_2026,
    behaviour: 'a round that asks for input ends with the outcome input_required and no error',
  },
  'parent.meta': { source: SEP_414, behaviour: 'the caller in _meta is the parent, with its trace state' },
  'parent.baggage': { source: SEP_414, behaviour: 'baggage in _meta reaches the handler' },
  'parent.ambient-link': { source: MCP, behaviour: 'where _meta names the parent, the ambient HTTP span is a link' },
  'parent.ambient': { source: MCP, behaviour: 'without a caller in _meta the ambient span is the parent' },
  'parent.http-headers': { source: OWN, behaviour: 'with neither, the HTTP headers name the parent' },
  'parent.not-startup': { source: OWN, behaviour: "a span that was active while connecting is nobody's parent" },
  'parent.invalid': {
    source: 'https://www.w3.org/TR/trace-context-2/',
    behaviour: 'a malformed traceparent is ignored',
  },
  'propagation.inject': {
    source: SEP_414,
    behaviour: 'what a server or client asks carries the trace context, in a copy of the message',
  },
  'propagation.round-trip': {
    source: SEP_414,
    behaviour: 'client, server and what the server asks back share one trace',
  },
  'outcome.ok': { source: OWN, behaviour: 'a call that succeeds ends ok, with status UNSET' },
  'outcome.tool-error': { source: MCP, behaviour: 'a result with isError is tool_error and status ERROR' },
  'outcome.thrown': {
    source: MCP,
    behaviour: 'a handler that throws is tool_error, with the original type in exception.type',
  },
  'outcome.callers-mistake': {
    source: MCP,
    behaviour: 'a code that blames the caller leaves the span without an error',
  },
  'outcome.server-fault': { source: MCP, behaviour: 'any other JSON-RPC error is an error with its code and message' },
  'outcome.unknown-tool': {
    source: OWN,
    behaviour: "an unknown or disabled tool is the caller's mistake on both SDKs",
  },
  'outcome.invalid-arguments': { source: MCP, behaviour: 'invalid arguments answered with isError are tool_error' },
  'outcome.returns-nothing': {
    source: OWN,
    behaviour: "a handler that returns nothing is the server's failure on both SDKs",
  },
  'outcome.malformed-params': {
    source: OWN,
    behaviour: "a tools/call without a name is the caller's mistake on both SDKs",
  },
  'outcome.cancelled': {
    source: OWN,
    behaviour: 'a withdrawn call ends cancelled at once, and a late answer changes nothing',
  },
  'outcome.aborted': { source: OWN, behaviour: 'what is in flight when the connection closes ends aborted' },
  'outcome.expired': { source: OWN, behaviour: 'what has no outcome within maxOperationMs ends expired' },
  'outcome.undelivered': { source: OWN, behaviour: 'an answer that cannot be delivered ends aborted with the reason' },
  'outcome.slow-pipe': {
    source: OWN,
    behaviour: 'an answer that a slow pipe takes late keeps the time at which it was handed over',
  },
  'outcome.once': {
    source: OWN,
    behaviour: 'any interleaving of messages and any garbage ends every operation once and never throws',
  },
  'outcome.notification-handler': {
    source: OWN,
    behaviour: 'a notification ends when its handler does, with what it threw',
  },
  'ids.zero': { source: 'https://www.jsonrpc.org/specification', behaviour: 'id 0 is an id, and 1 and "1" are two' },
  'ids.duplicate': { source: OWN, behaviour: 'two requests with one id in flight are two operations' },
  'ids.sessions': { source: OWN, behaviour: 'equal ids on two connections do not touch each other' },
  'ids.batch': {
    source: 'https://modelcontextprotocol.io/specification/2025-03-26/basic',
    behaviour: 'each message of a batch is its own operation',
  },
  'connections.dropped': { source: OWN, behaviour: 'a connection that is dropped without being closed is not kept' },
  'exception.once': { source: MCP, behaviour: 'a thrown error is recorded once, with type, message, stack and causes' },
  'exception.any-value': { source: OWN, behaviour: 'whatever is thrown is described, and describing it never throws' },
  'exception.any-registration': {
    source: OWN,
    behaviour: 'tools registered early or late, by either method, updated, disabled or removed are all seen',
  },
  'exception.low-level': { source: OWN, behaviour: 'handlers of a low-level server are seen, whenever they are set' },
  'exception.unknown-shape': { source: OWN, behaviour: 'an SDK of unknown shape is said once, and the spans go on' },
  'passthrough.arguments': {
    source: OWN,
    behaviour: 'arguments, this, extra and return value of a handler pass through untouched',
  },
  'passthrough.answers': {
    source: OWN,
    behaviour: "with errors 'passthrough' the answers are those of the bare server to the byte, HTTP status included",
  },
  'passthrough.thenable': { source: OWN, behaviour: 'a lazy thenable returned by a handler is asked once' },
  'passthrough.transport': {
    source: OWN,
    behaviour: 'the transport keeps its identity and its class, and one that is connected again counts once',
  },
  'passthrough.public-server': {
    source: OWN,
    behaviour: 'a public server answers the same with and without instrumentation',
  },
  'labels.bounded': { source: OWN, behaviour: 'names that the peer chose are never span names or labels' },
  'labels.learned': {
    source: OWN,
    behaviour: "a low-level server's tools become labels once it has listed or served them",
  },
  'labels.sizes': { source: OWN, behaviour: 'names and ids of any size or script are cut, never a crash' },
  'metrics.operation': {
    source: MCP,
    behaviour: "each operation is one measurement in seconds, with the span's bounded attributes",
  },
  'metrics.buckets': { source: MCP, behaviour: 'the four histograms have the buckets of the conventions' },
  'metrics.session': {
    source: MCP,
    behaviour: 'a session is measured from initialize to its close, and only where there is one',
  },
  'context.values': {
    source: 'https://opentelemetry.io/docs/specs/otel/context/',
    behaviour: 'a context of ours holds and derives values as any context does',
  },
  'context.call': { source: OWN, behaviour: 'work on a message finds its call, and work outside finds none' },
  'metrics.active': { source: OWN, behaviour: 'active requests go up and come back to zero' },
  'metrics.late-provider': {
    source: OWN,
    behaviour: 'providers registered after the server was instrumented are used',
  },
  'doors.twice': { source: OWN, behaviour: 'instrumenting twice counts once' },
  'doors.foreign': {
    source: OWN,
    behaviour: 'a span that another instrumentation made for the message is added to, not doubled',
  },
  'doors.too-late': {
    source: OWN,
    behaviour: 'a server or client that is connected already is left alone, and that is said',
  },
  'doors.disabled': {
    source: OWN,
    behaviour: 'TOOLSPAN_DISABLED=true records nothing, and leaves all as it is but the answers to calls that fail',
  },
  'doors.bad-target': {
    source: OWN,
    behaviour: 'something that is no server, client or handler is refused with what was expected',
  },
  'doors.bad-option': {
    source: OWN,
    behaviour: 'a bad option is refused with its name, what was expected and what came',
  },
  'doors.host-unharmed': {
    source: OWN,
    behaviour: 'a throwing exporter, provider or getter never reaches the host, and is said once on stderr',
  },
  'handler.refusals': {
    source: OWN,
    behaviour: 'what HTTP refuses before dispatch is a span, and what is dispatched is not doubled',
  },
  'handler.listen': {
    source: SPEC_2026,
    behaviour: 'subscriptions/listen, served by the entry, is a span that ends with its stream',
  },
  'clock.wall': { source: OWN, behaviour: 'a jump of the wall clock moves timestamps and no duration' },
} as const satisfies Record<string, Requirement>;
