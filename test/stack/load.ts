// A process that emits every signal of docs/telemetry.md by the real SDK, as a server under load would, and changes its
// behaviour when it is told to over IPC. What it emits is simulated; how it gets to the back ends is not.
import {
  context,
  logs,
  metrics,
  SeverityNumber,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type ObservableResult,
} from '@opentelemetry/api';
import { configureHealth, registerHealthCheck } from '../../src/index.ts';
import { startTelemetry } from '../../src/node/index.ts';
import { MCP_DURATION_BUCKETS } from '../../src/telemetry/semconv.ts';

/** How the server behaves. */
export interface Behaviour {
  readonly callsPerSecond: number;
  /** Share of the calls that fail. */
  readonly failing: number;
  /** Duration of a call, in seconds. */
  readonly seconds: number;
  readonly breaker: 'closed' | 'open' | 'half_open' | 'isolated';
  readonly health: 'healthy' | 'degraded' | 'unhealthy';
}

/** What the process is told. */
export type Order =
  | { readonly order: 'behave'; readonly behaviour: Partial<Behaviour> }
  | { readonly order: 'call'; readonly call: Call }
  | { readonly order: 'stop' };

/** One call of a tool, as it is to be seen. */
export interface Call {
  readonly tool: string;
  readonly code?: string;
  /** Delays of the attempts after the first, in ms. */
  readonly retries?: readonly number[];
  readonly breaker?: 'transition' | 'rejected';
  readonly fallback?: boolean;
  readonly attributes?: Attributes;
  /** Stands where a careless server would put a secret: attributes, events, status, span name, log, metric label. */
  readonly secret?: string;
}

/** What became of a call. */
export interface Called {
  readonly traceId: string;
  readonly client: string;
  readonly server: string;
}

const TOOLS = [
  'robust_operation',
  'resilient_external_call',
  'instrumented_tool',
  'get_server_health',
  'monitored_operation',
  'get_server_metrics',
  'metric_tracked_operation',
  'resilient_operation_with_fallback',
];
const POLICY = 'weather-api';
const STATES = ['closed', 'open', 'half_open', 'isolated'];
const OUTCOMES = ['success', 'failure', 'rejected', 'timeout', 'cancelled', 'fallback'];
const RETRY_RESULTS = ['not_needed', 'recovered', 'exhausted', 'not_retryable', 'budget', 'deadline', 'cancelled'];

let behaviour: Behaviour = { callsPerSecond: 20, failing: 0, seconds: 0.05, breaker: 'closed', health: 'healthy' };
let stateSince = performance.now();
const secondsIn = new Map<string, number>();

const telemetry = await startTelemetry({ serviceName: process.argv[2] ?? 'load' });
const tracer = trace.getTracer('load');
const log = logs.getLogger('load');
const meter = metrics.getMeter('load');

const histogram = (name: string) =>
  meter.createHistogram(name, { unit: 's', advice: { explicitBucketBoundaries: [...MCP_DURATION_BUCKETS] } });
const serverDuration = histogram('mcp.server.operation.duration');
const clientDuration = histogram('mcp.client.operation.duration');
const serverSession = histogram('mcp.server.session.duration');
const clientSession = histogram('mcp.client.session.duration');
const bulkheadWait = histogram('toolspan.bulkhead.wait_duration');
const policyCalls = meter.createCounter('toolspan.policy.calls', { unit: '{call}' });
const retryAttempts = meter.createCounter('toolspan.retry.attempts', { unit: '{attempt}' });
const retryCalls = meter.createCounter('toolspan.retry.calls', { unit: '{call}' });
const transitions = meter.createCounter('toolspan.circuit_breaker.transitions', { unit: '{transition}' });
const running = meter.createUpDownCounter('toolspan.bulkhead.running', { unit: '{call}' });
const waiting = meter.createUpDownCounter('toolspan.bulkhead.waiting', { unit: '{call}' });
const active = meter.createUpDownCounter('toolspan.server.active_requests', { unit: '{request}' });
const policy = { 'toolspan.policy.name': POLICY };

observe('gauge', 'toolspan.circuit_breaker.state', '', (result) => {
  for (const state of STATES) {
    result.observe(behaviour.breaker === state ? 1 : 0, { ...policy, 'toolspan.circuit_breaker.state': state });
  }
});
observe('counter', 'toolspan.circuit_breaker.time_in_state', 's', (result) => {
  accountState();
  for (const state of STATES) {
    result.observe(secondsIn.get(state) ?? 0, { ...policy, 'toolspan.circuit_breaker.state': state });
  }
});
// how busy this machine is, is no matter here
configureHealth({
  cpu: false,
  memory: false,
  disk: false,
  heap: false,
  eventLoopUtilization: false,
  eventLoopDelayMs: false,
});
registerHealthCheck('database', () => ({ status: behaviour.health }), { critical: true, everyMs: 1_000 });

function observe(
  kind: 'gauge' | 'counter',
  name: string,
  unit: string,
  callback: (result: ObservableResult) => void,
): void {
  const instrument =
    kind === 'gauge' ? meter.createObservableGauge(name, { unit }) : meter.createObservableCounter(name, { unit });
  instrument.addCallback(callback);
}

function accountState(): void {
  const now = performance.now();
  secondsIn.set(behaviour.breaker, (secondsIn.get(behaviour.breaker) ?? 0) + (now - stateSince) / 1_000);
  stateSince = now;
}

function operation(tool: string, code: string | undefined): Attributes {
  return {
    'mcp.method.name': 'tools/call',
    'gen_ai.tool.name': tool,
    'gen_ai.operation.name': 'execute_tool',
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
    'toolspan.outcome': code === undefined ? 'ok' : 'tool_error',
    ...(code !== undefined && { 'error.type': 'tool_error', 'toolspan.error.code': code }),
  };
}

function perform({ tool, code, retries = [], breaker, fallback = false, attributes = {}, secret }: Call): Called {
  const common = operation(tool, code);
  const start = Date.now() - behaviour.seconds * 1_000;
  const client = tracer.startSpan(`tools/call ${tool}`, {
    kind: SpanKind.CLIENT,
    startTime: start,
    attributes: common,
  });
  const under = trace.setSpan(context.active(), client);
  const name = secret === undefined ? `tools/call ${tool}` : `tools/call ${tool} ${secret}`;
  const server = tracer.startSpan(
    name,
    { kind: SpanKind.SERVER, startTime: start, attributes: { ...common, ...attributes } },
    under,
  );
  for (const [index, delay] of retries.entries()) {
    const attempt = { 'toolspan.retry.attempt': index + 2, 'toolspan.retry.delay_ms': delay };
    server.addEvent('toolspan.retry', {
      ...policy,
      ...attempt,
      'error.type': 'Error',
      'toolspan.error.code': 'UNAVAILABLE',
    });
    retryAttempts.add(1, policy);
  }
  if (breaker !== undefined)
    server.addEvent(`toolspan.circuit_breaker.${breaker}`, { ...policy, from: 'closed', to: 'open' });
  if (fallback) server.addEvent('toolspan.fallback', policy);
  if (secret !== undefined) {
    server.setAttributes({ note: `I said ${secret}`, list: [secret], 'app.password': secret });
    server.addEvent('exception', { 'exception.message': secret, 'exception.stacktrace': `Error: ${secret}\n at x` });
  }
  if (code !== undefined)
    server.setStatus({ code: SpanStatusCode.ERROR, message: secret ?? `${tool} failed: ${code}` });
  if (code !== undefined) client.setStatus({ code: SpanStatusCode.ERROR });
  server.end();
  client.end();
  serverDuration.record(behaviour.seconds, secret === undefined ? common : { ...common, note: secret });
  clientDuration.record(behaviour.seconds, common);
  retryCalls.add(1, { ...policy, 'toolspan.retry.result': retries.length === 0 ? 'not_needed' : 'recovered' });
  log.emit({
    severityNumber: code === undefined ? SeverityNumber.INFO : SeverityNumber.ERROR,
    body: secret === undefined ? `${tool} called` : { said: secret, also: `token=${secret}` },
    attributes: { 'gen_ai.tool.name': tool, ...(secret !== undefined && { note: secret }) },
    context: trace.setSpan(context.active(), server),
  });
  return {
    traceId: server.spanContext().traceId,
    client: client.spanContext().spanId,
    server: server.spanContext().spanId,
  };
}

// every label value once, so that each panel has its series
for (const outcome of OUTCOMES) policyCalls.add(1, { ...policy, 'toolspan.policy.outcome': outcome });
for (const result of RETRY_RESULTS) retryCalls.add(1, { ...policy, 'toolspan.retry.result': result });
serverSession.record(12, { 'network.transport': 'tcp' });
clientSession.record(12, { 'network.transport': 'tcp' });
active.add(1, { 'mcp.method.name': 'tools/call' });
running.add(2, policy);
waiting.add(1, policy);

let owed = 0;
const TICK_MS = 100;
setInterval(() => {
  owed += (behaviour.callsPerSecond * TICK_MS) / 1_000;
  for (; owed >= 1; owed--) {
    const tool = TOOLS[Math.floor(Math.random() * TOOLS.length)] ?? '';
    const failed = Math.random() < behaviour.failing;
    perform({
      tool,
      ...(failed && { code: Math.random() < 0.5 ? 'INTERNAL_ERROR' : 'TIMEOUT' }),
      ...(Math.random() < 0.1 && { retries: [100] }),
      ...(tool === 'resilient_operation_with_fallback' && Math.random() < 0.2 && { fallback: true }),
    });
    policyCalls.add(1, { ...policy, 'toolspan.policy.outcome': failed ? 'failure' : 'success' });
  }
  bulkheadWait.record(0.01, policy);
}, TICK_MS);

// whoever gave the orders is gone
process.on('disconnect', () => process.exit());
process.on('message', (order: Order) => {
  if (order.order === 'call') {
    process.send?.(perform(order.call));
  } else if (order.order === 'behave') {
    const next = { ...behaviour, ...order.behaviour };
    if (next.breaker !== behaviour.breaker) {
      transitions.add(1, {
        ...policy,
        'toolspan.circuit_breaker.from': behaviour.breaker,
        'toolspan.circuit_breaker.to': next.breaker,
      });
      accountState();
    }
    behaviour = next;
    process.send?.({});
  } else {
    void telemetry.shutdown().then(() => process.exit());
  }
});
process.send?.({});
