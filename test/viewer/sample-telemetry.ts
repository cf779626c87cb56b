// Telemetry of a made-up server: every outcome, retries, a breaker that opens and closes, a fallback, rounds that ask
// back, logs, health, histograms. What a test asks of a page is in here by name.
import {
  keyValues,
  logsBody,
  metricsBody,
  nanos,
  numbersBody,
  post,
  spanId,
  spansBody,
  traceId,
  type Attributes,
  type SampleLog,
  type SampleSpan,
} from './otlp-bodies.ts';

const STACK = [
  'UpstreamError: 503 from api.weather.example',
  '    at fetchForecast (/srv/weather/src/upstream.ts:41:11)',
  '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
  '    at async forecast (/srv/weather/src/tools/forecast.ts:18:20)',
].join('\n');

interface Call {
  readonly spans: SampleSpan[];
  readonly logs: SampleLog[];
}

/** One call as client and server see it, with what happens inside. */
export function call(tool: string, startMs: number, durationMs: number, how: string, session = 's-1'): Call {
  const [trace, client, server, http] = [traceId(), spanId(), spanId(), spanId()];
  const outcome = ['ok', 'retried'].includes(how)
    ? 'ok'
    : how === 'fallback'
      ? 'ok'
      : how === 'open'
        ? 'tool_error'
        : how;
  const failed = outcome === 'tool_error' || outcome === 'protocol_error';
  const errorCode = { tool_error: 'INTERNAL_ERROR', protocol_error: 'VALIDATION_ERROR', open: 'UNAVAILABLE' }[how];
  const attributes: Attributes = {
    'mcp.method.name': 'tools/call',
    'gen_ai.tool.name': tool,
    'gen_ai.operation.name': 'execute_tool',
    'mcp.protocol.version': '2026-07-28',
    'mcp.session.id': session,
    'jsonrpc.request.id': String(Math.round(startMs) % 100_000),
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
    'toolspan.outcome': outcome,
    ...(failed && { 'error.type': outcome === 'tool_error' ? 'tool_error' : '-32602' }),
    ...(errorCode !== undefined && { 'toolspan.error.code': errorCode }),
  };
  const policy = { 'toolspan.policy.name': 'weather-api' };
  const inside = startMs + durationMs * 0.06;
  const events =
    how === 'retried' || how === 'tool_error'
      ? [0.25, 0.5].map((at, index) => ({
          name: 'toolspan.retry',
          atMs: inside + durationMs * at,
          attributes: {
            ...policy,
            'toolspan.retry.attempt': index + 2,
            'toolspan.retry.delay_ms': durationMs * 0.12,
            'error.type': '503',
          },
        }))
      : how === 'open'
        ? [{ name: 'toolspan.circuit_breaker.rejected', atMs: inside, attributes: policy }]
        : how === 'fallback'
          ? [{ name: 'toolspan.fallback', atMs: inside + durationMs * 0.7, attributes: policy }]
          : [];
  const thrown =
    how === 'tool_error'
      ? [
          {
            name: 'exception',
            atMs: inside + durationMs * 0.85,
            attributes: {
              'exception.type': 'UpstreamError',
              'exception.message': '503 from api.weather.example',
              'exception.stacktrace': STACK,
            },
          },
        ]
      : [];
  const spans: SampleSpan[] = [
    {
      traceId: trace,
      spanId: client,
      name: `tools/call ${tool}`,
      kind: 3,
      startMs,
      durationMs,
      attributes,
      ...(failed && { error: outcome }),
    },
    {
      traceId: trace,
      spanId: server,
      parentSpanId: client,
      name: `tools/call ${tool}`,
      kind: 2,
      startMs: inside,
      durationMs: durationMs * 0.88,
      attributes: { ...attributes, 'client.address': '127.0.0.1', 'client.port': 53_211 },
      events: [...events, ...thrown],
      ...(failed && { error: outcome }),
    },
  ];
  if (outcome !== 'protocol_error' && how !== 'open') {
    spans.push({
      traceId: trace,
      spanId: http,
      parentSpanId: server,
      name: 'GET',
      kind: 3,
      startMs: inside + durationMs * 0.05,
      durationMs: durationMs * 0.7,
      attributes: {
        'http.request.method': 'GET',
        'url.full': 'https://api.weather.example/v1/forecast?city=Paris',
        'server.address': 'api.weather.example',
        'server.port': 443,
        'http.response.status_code': how === 'tool_error' ? 503 : 200,
      },
    });
  }
  const logs: SampleLog[] = [
    {
      timeMs: inside + 0.2,
      severity: 9,
      body: 'tool_start',
      eventName: 'tool_start',
      attributes: { tool, input_length: 12 },
      traceId: trace,
      spanId: server,
    },
    failed
      ? {
          timeMs: inside + durationMs * 0.86,
          severity: 17,
          body: `${tool} failed: 503 from api.weather.example`,
          eventName: 'tool_error',
          attributes: { tool, error_type: 'UpstreamError' },
          traceId: trace,
          spanId: server,
        }
      : {
          timeMs: inside + durationMs * 0.86,
          severity: 9,
          body: 'tool_success',
          eventName: 'tool_success',
          attributes: { tool, result_length: 40, duration_ms: durationMs },
          traceId: trace,
          spanId: server,
        },
  ];
  return { spans, logs };
}

/** A trace of an agent that books: the call asks back, the answer is waited for, the call is made again. */
export function rounds(startMs: number): Call {
  const [trace, agent] = [traceId(), spanId()];
  const round = (at: number, durationMs: number, outcome: string): SampleSpan => ({
    traceId: trace,
    spanId: spanId(),
    parentSpanId: agent,
    name: 'tools/call book',
    kind: 2,
    startMs: at,
    durationMs,
    attributes: {
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'book',
      'mcp.protocol.version': '2026-07-28',
      'toolspan.outcome': outcome,
    },
  });
  return {
    spans: [
      { traceId: trace, spanId: agent, name: 'agent turn', kind: 1, startMs, durationMs: 900 },
      round(startMs + 20, 40, 'input_required'),
      round(startMs + 700, 120, 'ok'),
    ],
    logs: [],
  };
}

/** Two breaker changes on a span of their own, and what the gauges said over the time. */
export function breakerAndHealth(fromMs: number, toMs: number): { spans: SampleSpan[]; metrics: object[] } {
  const opensAt = fromMs + (toMs - fromMs) * 0.55;
  const changes = [
    ['closed', 'open', opensAt, 'failures'],
    ['open', 'half_open', opensAt + 60_000, 'reset'],
    ['half_open', 'closed', opensAt + 75_000, 'probe succeeded'],
  ] as const;
  const spans = changes.map(([from, to, atMs, reason]): SampleSpan => {
    const started = call('forecast', atMs - 40, 60, 'tool_error').spans[1];
    if (started === undefined) throw new Error('a call has a server span');
    const attributes = {
      'toolspan.policy.name': 'weather-api',
      'toolspan.circuit_breaker.from': from,
      'toolspan.circuit_breaker.to': to,
      'toolspan.circuit_breaker.reason': reason,
    };
    return {
      ...started,
      parentSpanId: '',
      events: [{ name: 'toolspan.circuit_breaker.transition', atMs, attributes }],
    };
  });
  const metrics: object[] = [];
  for (let timeMs = fromMs; timeMs <= toMs; timeMs += 15_000) {
    const state = changes.findLast(([, , atMs]) => atMs <= timeMs)?.[1] ?? 'closed';
    const status = state === 'open' ? 'degraded' : 'healthy';
    const one = (key: string, value: string, now: string, more: Attributes = {}) => ({
      timeMs,
      value: value === now ? 1 : 0,
      attributes: { [key]: value, ...more },
    });
    metrics.push(
      numbersBody(
        'toolspan.circuit_breaker.state',
        'gauge',
        ['closed', 'open', 'half_open', 'isolated'].flatMap((value) => [
          one('toolspan.circuit_breaker.state', value, state, { 'toolspan.policy.name': 'weather-api' }),
          one('toolspan.circuit_breaker.state', value, 'closed', { 'toolspan.policy.name': 'geocoder' }),
        ]),
      ),
      numbersBody(
        'toolspan.health.status',
        'gauge',
        ['healthy', 'degraded', 'unhealthy'].flatMap((value) => [
          one('toolspan.health.state', value, status),
          one('toolspan.health.state', value, status, { 'toolspan.health.check': 'error_rate' }),
          one('toolspan.health.state', value, 'healthy', { 'toolspan.health.check': 'memory' }),
        ]),
      ),
    );
  }
  return { spans, metrics };
}

/** A duration histogram that grows, for one tool. */
export function durations(tool: string, fromMs: number, toMs: number): object[] {
  const bounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
  const bodies: object[] = [];
  let counts = [...bounds, 0].map(() => 0);
  let sum = 0;
  for (let timeMs = fromMs; timeMs <= toMs; timeMs += 15_000) {
    counts = counts.map((count, index) => count + [1, 3, 8, 5, 3, 2, 1, 0, 0, 0, 0][index]!);
    sum += 2.1;
    bodies.push(
      metricsBody([
        {
          name: 'mcp.server.operation.duration',
          unit: 's',
          description: 'Duration of an operation as the receiver saw it.',
          histogram: {
            aggregationTemporality: 2,
            dataPoints: [
              {
                startTimeUnixNano: nanos(fromMs - 1_000),
                timeUnixNano: nanos(timeMs),
                count: String(counts.reduce((total, count) => total + count, 0)),
                sum,
                bucketCounts: counts.map(String),
                explicitBounds: bounds,
                attributes: keyValues({ 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': tool }),
              },
            ],
          },
        },
      ]),
    );
  }
  return bodies;
}

/** Sends everything above to a viewer: the last `minutes` of a busy server. */
export async function sendSample(endpoint: string, minutes = 14, perMinute = 24): Promise<void> {
  const now = Date.now();
  const from = now - minutes * 60_000;
  const calls: Call[] = [];
  const tools = ['forecast', 'forecast', 'forecast', 'geocode', 'report', 'divide'];
  const hows = [
    'ok',
    'ok',
    'ok',
    'ok',
    'ok',
    'ok',
    'ok',
    'retried',
    'tool_error',
    'cancelled',
    'protocol_error',
    'fallback',
  ];
  for (let index = 0; index < minutes * perMinute; index++) {
    // a golden-ratio step: spread out, and the same each time
    const spread = (index * 0.618_034) % 1;
    const tool = tools[index % tools.length] ?? 'forecast';
    const how = hows[Math.floor(spread * hows.length)] ?? 'ok';
    const slow = tool === 'report' ? 900 : how === 'retried' || how === 'tool_error' ? 420 : 30;
    const at = from + ((index + spread) / (minutes * perMinute)) * minutes * 60_000;
    calls.push(call(tool, at, slow * (0.6 + spread * 1.5), how, `session-${index % 4}`));
  }
  for (let minute = 1; minute < minutes; minute += 3) calls.push(rounds(from + minute * 60_000));
  const { spans, metrics } = breakerAndHealth(from, now);
  await post(endpoint, 'traces', spansBody([...calls.flatMap((one) => one.spans), ...spans]));
  await post(endpoint, 'logs', logsBody(calls.flatMap(({ logs }) => logs)));
  for (const body of [...metrics, ...durations('forecast', from, now), ...durations('report', from, now)]) {
    await post(endpoint, 'metrics', body);
  }
}
