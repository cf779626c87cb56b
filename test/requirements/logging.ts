// Of logging: records, sinks, levels, adapters, and what is redacted before any of them.
import { OWN, type Requirement } from './requirement.ts';

const OTEL_LOGS = 'https://opentelemetry.io/docs/specs/otel/logs/data-model/';
const MCP_LOGGING = 'https://modelcontextprotocol.io/specification/2025-11-25/server/utilities/logging';

export const loggingRequirements = {
  'logging.record': {
    source: OTEL_LOGS,
    behaviour:
      'a record knows the trace, the tool, the request and the session of the call it was made in, wherever in its flow',
  },
  'logging.outside': { source: OWN, behaviour: 'a record that belongs to no call is kept without one' },
  'logging.child': { source: OWN, behaviour: 'a child adds its attributes, and those of the record win' },
  'logging.exception': { source: OWN, behaviour: 'an error among the attributes becomes the exception of the record' },
  'logging.policies': {
    source: OWN,
    behaviour:
      'a breaker that opens and a call that is given up are warnings, one that closes is told at info, a retry at debug',
  },
  'logging.levels': {
    source: OWN,
    behaviour: 'the level in force is that of the server, the process or the environment, warn without any',
  },
  'logging.level-first': { source: OWN, behaviour: 'below the level nothing is read, built or asked' },
  'logging.redacted': { source: OWN, behaviour: 'no sink is given a secret' },
  'logging.never-throws': { source: OWN, behaviour: 'neither what is logged nor a sink that fails reaches the host' },
  'logging.bad-option': {
    source: OWN,
    behaviour: 'a bad option of logging is refused with its name, what was expected and what came',
  },
  'logging.json-line': {
    source: OWN,
    behaviour: 'a line on stderr is one JSON object, its fields always in the same order',
  },
  'logging.line-safe': { source: OWN, behaviour: 'nothing in a line can end it, or be obeyed by a terminal' },
  'logging.line-any-value': {
    source: OWN,
    behaviour: 'whatever is logged, the line is valid JSON of bounded size, without the secrets in it',
  },
  'logging.readable': { source: OWN, behaviour: 'a terminal gets a readable line, with the stack below it' },
  'logging.batches': {
    source: OWN,
    behaviour: 'lines are written in order, in batches, with what a pipe takes at a time',
  },
  'logging.dropped': {
    source: OWN,
    behaviour: 'what a slow reader makes wait too long is dropped, counted and reported',
  },
  'logging.slow-pipe': {
    source: OWN,
    behaviour: 'a pipe that nobody reads neither blocks the event loop nor keeps the process alive',
  },
  'logging.events': {
    source: OWN,
    behaviour: 'every tool call is logged as tool_start and tool_success or tool_error, without code in the tool',
  },
  'logging.events-once': { source: OWN, behaviour: 'a call that is withdrawn or cut off has one end in the log too' },
  'logging.capture': {
    source: OWN,
    behaviour: 'arguments and results are captured only where that is asked for, redacted and cut',
  },
  'logging.identity': {
    source: OWN,
    behaviour: 'who calls is dropped unless it is allowed, then raw or hashed; the token never',
  },
  'logging.client-level': {
    source: MCP_LOGGING,
    behaviour: 'a client gets what is at or above the level it set, of its own session',
  },
  'logging.client-request-level': {
    source: 'https://modelcontextprotocol.io/specification/2026-07-28',
    behaviour: 'a request that names a level gets the records of that request, and no other does',
  },
  'logging.client-off': {
    source: OWN,
    behaviour: 'a client that has not asked, or whose server offers no logging, gets nothing',
  },
  'logging.client-internals': {
    source: OWN,
    behaviour:
      "the logger's records reach a client only where the server allows it, and stacks or captured content never",
  },
  'logging.client-rate': {
    source: OWN,
    behaviour: 'a client gets so many messages a second, and learns how many it missed',
  },
  'logging.otel': { source: OTEL_LOGS, behaviour: 'a record has severity number and text, event name and attributes' },
  'logging.api-1.9': {
    source: OWN,
    behaviour: 'with @opentelemetry/api 1.9 the Logs API comes from api-logs where that is installed',
  },
  'logging.console': { source: OWN, behaviour: 'code that logs as console does may go on doing so' },
  'logging.pino': {
    source: OWN,
    behaviour: 'pino writes its own lines with the ids of the call, and each becomes a log record too',
  },
  'redaction.keys': { source: OWN, behaviour: 'values are redacted whose key names a secret, by whole words' },
  'redaction.not-secrets': {
    source: OWN,
    behaviour: 'keys and text that only look like secrets are kept: monkey, author, gen_ai.usage.input_tokens',
  },
  'redaction.text': { source: OWN, behaviour: 'secrets of every documented form are redacted inside text' },
  'redaction.rules': {
    source: OWN,
    behaviour: "an application's own keys and forms are redacted, and its exceptions kept",
  },
  'redaction.limits': { source: OWN, behaviour: 'depth, entries and text of a value are bounded' },
  'redaction.any-value': {
    source: OWN,
    behaviour: 'any value becomes plain JSON without the secrets that were planted in it, never a throw',
  },
  'redaction.linear': { source: OWN, behaviour: 'every pattern takes time in proportion to the text, however hostile' },
} as const satisfies Record<string, Requirement>;
