// Of startTelemetry.
import { OWN, type Requirement } from './requirement.ts';

export const telemetryRequirements = {
  'telemetry.three-signals': {
    source: 'https://opentelemetry.io/docs/specs/otlp/',
    behaviour: 'traces and metrics of a server arrive at a collector over OTLP/HTTP',
  },
  'telemetry.same-as-stock': {
    source: 'https://opentelemetry.io/docs/specs/otlp/',
    behaviour: 'what is sent is what the stock exporters send',
  },
  'telemetry.contexts': {
    source: OWN,
    behaviour: "contexts are entered, followed and left as with the SDK's own context manager",
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
  'telemetry.first-failure': {
    source: 'https://opentelemetry.io/docs/specs/otel/metrics/data-model/#resets-and-gaps',
    behaviour: 'a label set of a duration begins when it was last seen not to be there, so that its first value counts',
  },
  'telemetry.keeps-nothing-alive': { source: OWN, behaviour: 'telemetry never keeps a process alive' },
  'telemetry.disabled': { source: OWN, behaviour: 'OTEL_SDK_DISABLED and TOOLSPAN_DISABLED start nothing' },
  'telemetry.old-node': {
    source: OWN,
    behaviour: 'a Node that is too old is told so, and the server runs without telemetry',
  },
  'telemetry.second-sdk': { source: OWN, behaviour: 'an SDK that is registered already is left as it is' },
  'telemetry.shutdown': {
    source: OWN,
    behaviour: 'shutdown ends what is in flight, sends it, and may be called again',
  },
  'telemetry.cannot-start': {
    source: OWN,
    behaviour: 'where the SDK cannot start it is said, and the server runs without telemetry',
  },
  'telemetry.bad-option': {
    source: OWN,
    behaviour: 'a bad option of startTelemetry is refused with its name, what was expected and what came',
  },
} as const satisfies Record<string, Requirement>;
