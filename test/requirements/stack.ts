// Of the stack: its configuration, dashboards, alerts, and what becomes of telemetry when parts of it fail.
import { OWN, type Requirement } from './requirement.ts';

export const stackRequirements = {
  'stack.configs': { source: OWN, behaviour: 'each program accepts its configuration, with every overlay' },
  'stack.compose-file': {
    source: OWN,
    behaviour: 'images are pinned, ports are on loopback, and every service has a health check and a memory limit',
  },
  'stack.rules': {
    source: 'https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/',
    behaviour: 'each alert has a runbook, and unit tests in which it fires and goes quiet',
  },
  'stack.generated': { source: OWN, behaviour: 'the committed dashboards are those that their code makes' },
  'stack.names': {
    source: OWN,
    behaviour: 'dashboards, rules and collector use only names that are documented, and data sources that are there',
  },
  'stack.shipped': { source: OWN, behaviour: 'the package brings every file that the stack needs' },
  'stack.command': { source: OWN, behaviour: 'toolspan stack runs Compose on these files, and says what is missing' },
  'stack.traces': {
    source: OWN,
    behaviour: 'the trace of a call is in Jaeger with its parent, retries, breaker events and error code',
  },
  'stack.metrics': {
    source: OWN,
    behaviour: 'every documented metric is in Prometheus under the name that is expected',
  },
  'stack.linked': {
    source: 'https://grafana.com/docs/grafana/latest/fundamentals/exemplars/',
    behaviour: 'exemplars of the durations name traces that are in Jaeger',
  },
  'stack.logs': { source: OWN, behaviour: 'the log records of a call are in Loki under its trace, without secrets' },
  'stack.first-failure': { source: OWN, behaviour: 'the very first failure of a tool counts in rates' },
  'stack.panels': { source: OWN, behaviour: 'the query of every panel returns data' },
  'stack.alerts': { source: OWN, behaviour: 'every alert fires under its fault, and resolves after it' },
  'stack.secrets': { source: OWN, behaviour: 'no secret that a server lets slip is stored in any back end' },
  'stack.sampling': {
    source: OWN,
    behaviour: 'sampling keeps whole traces that failed or met an open breaker, and every call is still counted',
  },
  'stack.jaeger-down': { source: OWN, behaviour: 'no acknowledged span is lost or doubled while Jaeger is down' },
  'stack.prometheus-down': { source: OWN, behaviour: 'metrics of an outage of Prometheus are there after it' },
  'stack.collector-killed': {
    source: OWN,
    behaviour: 'no acknowledged span is lost or doubled when the collector is killed',
  },
  'stack.queue-full': { source: OWN, behaviour: 'what a full queue drops is counted, and alerted on' },
  'stack.compose-up': {
    source: OWN,
    behaviour: 'docker compose up ends with every service healthy and traces in Jaeger',
  },
  'stack.compose-hardened': {
    source: OWN,
    behaviour: 'no service runs as root, can gain privileges, or can write where it need not',
  },
  'stack.compose-kept': { source: OWN, behaviour: 'what was recorded outlives restart, and down and up' },
  'stack.grafana': { source: OWN, behaviour: 'Grafana has its dashboards and data sources, and can query them' },
} as const satisfies Record<string, Requirement>;
