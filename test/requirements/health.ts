// Of the health, the host's readings, the probes and the agent's tools.
import { OWN, type Requirement } from './requirement.ts';

const REFERENCE = 'reference design';

export const healthRequirements = {
  'host.cgroup': { source: OWN, behaviour: 'limits of a container come before those of the host, in cgroup v1 and v2' },
  'host.readings': { source: OWN, behaviour: 'a sample has every reading, and what is measured between samples later' },
  'host.disk': { source: OWN, behaviour: 'the share of a disk is the one that df shows' },
  'host.timer': { source: OWN, behaviour: 'sampling runs only while somebody needs it' },
  'host.exported': { source: OWN, behaviour: 'outside a container the health shows the readings that are exported' },

  'health.thresholds': {
    source: REFERENCE,
    behaviour: 'a reading above a threshold is degraded or unhealthy, at it not',
  },
  'health.reasons': { source: OWN, behaviour: 'a reason holds metric, value, threshold and window' },
  'health.min-calls': { source: OWN, behaviour: 'with too few calls there is no verdict on the error rate' },
  'health.hysteresis': { source: OWN, behaviour: 'two bad samples to worsen, three better ones to recover' },
  'health.configure': {
    source: OWN,
    behaviour: 'thresholds can be changed and switched off, and bad ones are refused',
  },
  'health.breakers': {
    source: OWN,
    behaviour: 'an open breaker is degraded, and unhealthy only where its dependency is critical',
  },
  'health.exporter': {
    source: OWN,
    behaviour: 'a collector that is dead is degraded with its reason, until it is back',
  },
  'health.checks': { source: OWN, behaviour: 'what a check answers or throws is its status, by how critical it is' },
  'health.check-timeout': {
    source: OWN,
    behaviour: 'a check that takes too long fails, and is not started again meanwhile',
  },
  'health.check-stale': { source: OWN, behaviour: 'a result does not outlive three periods' },
  'health.check-names': { source: OWN, behaviour: 'a bad or taken name, function or option of a check is refused' },
  'health.check-private': { source: OWN, behaviour: 'the text of what a check throws is never shown' },
  'health.gauge': {
    source: OWN,
    behaviour: 'toolspan.health.status has a series for each status, of the whole and each check',
  },

  'probes.status': {
    source: 'https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/',
    behaviour: 'livez, readyz and healthz answer with the right status codes',
  },
  'probes.forms': { source: OWN, behaviour: 'the probes work in the Web form, in Node http and as a middleware' },
  'probes.drain': {
    source: OWN,
    behaviour: 'draining: unready at once, what runs is finished, and no longer than told',
  },

  'agent.health': {
    source: REFERENCE,
    behaviour: 'get_server_health answers the reference fields and what is behind them',
  },
  'agent.metrics': {
    source: REFERENCE,
    behaviour: 'get_server_metrics shows every instrument, by name first, then by label',
  },
  'agent.errors': {
    source: OWN,
    behaviour: 'get_recent_errors tells time, tool, code, safe message, advice and trace',
  },
  'agent.trace': { source: OWN, behaviour: 'get_trace shows a trace as a tree with durations, events and the error' },
  'agent.agree': {
    source: OWN,
    behaviour: "counts and sums of the agent's tool, of the OTLP export and of the spans agree for the same traffic",
  },
  'agent.schema': { source: OWN, behaviour: 'clients of every generation validate the answers against their schemas' },
  'agent.scope': {
    source: OWN,
    behaviour: 'over HTTP a caller learns of its own session, or of a trace whose id it holds',
  },
  'agent.authorize': { source: OWN, behaviour: 'where authorize is given, only true lets a caller in' },
  'agent.uncounted': { source: OWN, behaviour: "the agent's tools are never counted in the figures" },
  'agent.missing': { source: OWN, behaviour: 'without an OpenTelemetry SDK the tools answer, and say what is missing' },
  'agent.private': { source: OWN, behaviour: 'exception texts, stacks, hosts and arguments do not reach a stranger' },
  'agent.rings': {
    source: OWN,
    behaviour: 'errors and traces are kept within a byte budget, failed and slow ones longer',
  },
  'agent.reader': { source: OWN, behaviour: 'a callback that hangs or throws does not keep the other metrics back' },
  'agent.own-sdk': { source: OWN, behaviour: 'reader and processor fit into the providers of an application' },
  'agent.bad-option': { source: OWN, behaviour: 'a bad option of the tools, reader or processor is refused by name' },
} as const satisfies Record<string, Requirement>;
