// Of errors: what they are, how any thrown value is understood, and what the client and the telemetry are told.
import { OWN, type Requirement } from './requirement.ts';

const MCP_TOOLS = 'https://modelcontextprotocol.io/specification/2025-11-25/server/tools#error-handling';
const RETRY_AFTER = 'https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3';

export const errorRequirements = {
  'errors.codes': {
    source: OWN,
    behaviour: 'the codes are a closed set, each with a fault, a retry rule and an advice',
  },
  'errors.tool-error': {
    source: OWN,
    behaviour: 'a ToolError says code, details and retry, and two copies of the package understand each other',
  },
  'errors.bad-tool-error': {
    source: OWN,
    behaviour: 'a bad argument of ToolError is refused with its name, what was expected and what came',
  },
  'errors.zod': {
    source: OWN,
    behaviour:
      'what zod 3 and 4 find wrong is VALIDATION_ERROR with paths and messages, never the values unless allowed',
  },
  'errors.aborts': { source: OWN, behaviour: "a caller's abort is CANCELLED, a time limit is TIMEOUT" },
  'errors.http': {
    source: 'https://www.rfc-editor.org/rfc/rfc9110#section-15',
    behaviour: 'an HTTP status means the same whichever client made the error of it',
  },
  'errors.retry-after': { source: RETRY_AFTER, behaviour: 'Retry-After is read in both forms, and bounded' },
  'errors.system': { source: OWN, behaviour: "Node's system errors are known, also inside a cause or an aggregate" },
  'errors.protocol-codes': {
    source: 'https://www.jsonrpc.org/specification#error_object',
    behaviour: 'errors of the MCP SDKs are known by their JSON-RPC code',
  },
  'errors.unknown': {
    source: OWN,
    behaviour: 'what nobody knows is INTERNAL_ERROR: codes of databases, values, errors',
  },
  'errors.custom': {
    source: OWN,
    behaviour: "classifiers of the application's own come first, and may fail without harm",
  },
  'errors.any-value': {
    source: OWN,
    behaviour: 'any value is classified and mapped, in bounded time, without a throw',
  },
  'errors.typed': {
    source: MCP_TOOLS,
    behaviour:
      'a failed call answers isError with a line an agent can act on, and code, details, retry and trace id in _meta, the same on every SDK and transport',
  },
  'errors.strict': {
    source: OWN,
    behaviour: "with errors 'strict' the text of what is not a ToolError never reaches the client",
  },
  'errors.sdk-made': {
    source: OWN,
    behaviour: 'failures that the SDK answers for itself get code and advice too, and their text stays',
  },
  'errors.returned': {
    source: OWN,
    behaviour: 'a failed result that a tool returns is left as it is, and has the code that its _meta says',
  },
  'errors.low-level': {
    source: OWN,
    behaviour: 'a tool of a low-level server that throws is answered like one of a high-level server',
  },
  'errors.protocol-errors': {
    source:
      'https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-elicitation-required-errors',
    behaviour: 'an error made for the protocol, such as URL elicitation, is answered as the SDK does',
  },
  'errors.success-untouched': {
    source: OWN,
    behaviour: 'the answers to calls that succeed are those of the bare server to the byte, in every mode',
  },
  'errors.disabled': { source: OWN, behaviour: 'TOOLSPAN_DISABLED=true leaves the mapping of errors as it is' },
  'errors.handle-error': {
    source: OWN,
    behaviour: 'handleError makes the same result of what a tool has caught, and records it with the call',
  },
  'errors.telemetry': {
    source: OWN,
    behaviour: 'the code of a failed call stands on its span and its measurement, and is bounded',
  },
  'errors.recorded-once': {
    source: OWN,
    behaviour: 'an exception is one span event and one log record with its stack, by level of whose fault it is',
  },
  'errors.no-secrets': {
    source: OWN,
    behaviour: 'secrets of known forms do not leave in exception events, status descriptions or error details',
  },
} as const satisfies Record<string, Requirement>;
