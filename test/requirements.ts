// What toolspan promises: id -> where the rule comes from, and the behaviour in one sentence. Tests cite the ids;
// test/contract/requirements.test.ts fails for a requirement without a test.

export interface Requirement {
  /** A specification, or `toolspan` for a rule of our own. */
  readonly source: string;
  readonly behaviour: string;
}

const MCP = 'https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md';
const SEP_414 = 'https://modelcontextprotocol.io/seps/414';
const SPEC_2026 = 'https://modelcontextprotocol.io/specification/2026-07-28';
const OWN = 'toolspan';

const list = {
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
    behaviour: 'the answers are those of the bare server to the byte, HTTP status included',
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
  'doors.disabled': {
    source: OWN,
    behaviour: 'TOOLSPAN_DISABLED=true leaves servers, clients and handlers as they are',
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
  'handler.listen': { source: SPEC_2026, behaviour: 'subscriptions/listen, served by the entry, is a span' },
  'telemetry.three-signals': {
    source: 'https://opentelemetry.io/docs/specs/otlp/',
    behaviour: 'traces and metrics of a server arrive at a collector over OTLP/HTTP',
  },
  'telemetry.same-as-stock': {
    source: 'https://opentelemetry.io/docs/specs/otlp/',
    behaviour: 'what is sent is what the stock exporters send',
  },
  'telemetry.service': {
    source: 'https://opentelemetry.io/docs/specs/semconv/resource/',
    behaviour: 'the service is named after the first server unless it is told',
  },
  'telemetry.private-resource': { source: OWN, behaviour: 'command line and user name are not in the resource' },
  'telemetry.stdout': {
    source: 'https://modelcontextprotocol.io/specification/2025-11-25/basic/transports',
    behaviour: "stdout is the bare server's byte by byte, whatever exporter and log level are set",
  },
  'telemetry.environment': {
    source: 'https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/',
    behaviour: 'exporter, protocol, endpoint, header and compression variables are honoured',
  },
  'telemetry.unsupported': {
    source: OWN,
    behaviour: 'an unsupported exporter, protocol or number gets a diagnostic and a default',
  },
  'telemetry.fetch': { source: OWN, behaviour: 'a fetch in a handler is a child span of the call' },
  'telemetry.flush-eof': { source: OWN, behaviour: 'the end of stdin flushes' },
  'telemetry.flush-signal': {
    source: OWN,
    behaviour: 'SIGTERM and SIGINT flush, then end the process as they would have',
  },
  'telemetry.app-signal': {
    source: OWN,
    behaviour: 'an application that listens for the signal keeps its own way of ending',
  },
  'telemetry.flush-drained': { source: OWN, behaviour: 'a drained event loop flushes' },
  'telemetry.hanging-collector': {
    source: OWN,
    behaviour: 'a collector that never answers delays the end by the deadline, no more',
  },
  'telemetry.dead-collector': {
    source: OWN,
    behaviour: 'a dead collector costs one line on stderr, no delay and no unhandled rejection',
  },
  'telemetry.retry': {
    source: 'https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes',
    behaviour: 'a retryable answer is tried again after Retry-After, another is not',
  },
  'telemetry.losses': { source: OWN, behaviour: 'what is lost is counted by signal and reason' },
  'telemetry.keeps-nothing-alive': { source: OWN, behaviour: 'telemetry never keeps a process alive' },
  'telemetry.disabled': { source: OWN, behaviour: 'OTEL_SDK_DISABLED and TOOLSPAN_DISABLED start nothing' },
  'telemetry.second-sdk': { source: OWN, behaviour: 'an SDK that is registered already is left as it is' },
  'telemetry.shutdown': {
    source: OWN,
    behaviour: 'shutdown ends what is in flight, sends it, and may be called again',
  },
  'telemetry.bad-option': {
    source: OWN,
    behaviour: 'a bad option of startTelemetry is refused with its name, what was expected and what came',
  },
  'clock.wall': { source: OWN, behaviour: 'a jump of the wall clock moves timestamps and no duration' },
  'names.conventions': {
    source: 'https://www.npmjs.com/package/@opentelemetry/semantic-conventions',
    behaviour: 'copied names equal those of the conventions package',
  },
  'names.documented': { source: OWN, behaviour: 'docs/telemetry.md lists exactly the names of our own' },
  'package.surface': { source: OWN, behaviour: 'the entries export what is listed, and no more' },
  'package.clean-root': { source: OWN, behaviour: 'importing toolspan loads no SDK, exporter, zod or MCP package' },
  'package.types': { source: OWN, behaviour: 'the types hold with either MCP SDK absent' },
  'package.version': { source: OWN, behaviour: 'the version in code is that of the package' },
  'package.readme': { source: OWN, behaviour: 'the samples of the README compile and run' },
  'package.installed': {
    source: OWN,
    behaviour: 'the packed tarball works in a new project, also with an older OpenTelemetry',
  },
  'package.peers-api': {
    source: OWN,
    behaviour: 'an application with @opentelemetry/api 1.9 and SDK 2.x gets the same spans',
  },
  'demo.runs': {
    source: OWN,
    behaviour: 'the demo draws the traces of agents that call a server over the wire, and ends with totals',
  },
  'demo.json': { source: OWN, behaviour: '--json prints one object a line and nothing else' },
  'demo.ctrl-c': { source: OWN, behaviour: 'Ctrl-C ends the demo cleanly with totals' },
  'demo.tree': {
    source: OWN,
    behaviour: 'a trace is drawn as a tree with durations, outcome and error, also with missing parents and cycles',
  },
  'cli.bad-usage': { source: OWN, behaviour: 'a bad command or option is said plainly, with exit code 2' },
} as const satisfies Record<string, Requirement>;

export type RequirementId = keyof typeof list;

export const requirements: Readonly<Record<RequirementId, Requirement>> = list;
