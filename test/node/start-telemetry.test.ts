// startTelemetry in its own process: what the environment asks for, and what it refuses.
import { createServer } from 'node:http';
import {
  context,
  logs,
  metrics,
  propagation,
  ROOT_CONTEXT,
  SeverityNumber,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, describe, expect, vi } from 'vitest';
import { startTelemetry, type Telemetry, type TelemetryOptions } from '../../src/node/index.ts';
import { startCollector, type Collector } from '../harness/collector.ts';
import { listening } from '../harness/http-server.ts';
import { eventually } from '../harness/poll.ts';
import { recorder } from '../harness/recorder.ts';
import { script } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const CLIENT = 2;

let collector: Collector | undefined;
let telemetry: Telemetry | undefined;

async function start(env: Record<string, string> = {}, options: TelemetryOptions = {}): Promise<Telemetry> {
  for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value);
  telemetry = await startTelemetry({ serviceName: 'test', handleSignals: false, ...options });
  return telemetry;
}

async function collecting(): Promise<Collector> {
  collector = await startCollector();
  return collector;
}

function stderrLines(): string[] {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
  return lines;
}

afterEach(async () => {
  vi.restoreAllMocks();
  await telemetry?.shutdown();
  await collector?.close();
  [trace, metrics, logs, propagation].forEach((api) => api.disable());
  vi.unstubAllEnvs();
});

/** One of everything that a signal can carry. */
function emitSomething(): void {
  const tracer = trace.getTracerProvider().getTracer('scope', '1.0', { schemaUrl: 'https://schema' });
  const parent = tracer.startSpan('parent', { kind: SpanKind.SERVER, startTime: [1_700_000_000, 123_456_789] });
  const child = tracer.startSpan(
    'child',
    {
      startTime: [1_700_000_000, 1],
      links: [{ context: parent.spanContext(), attributes: { linked: true } }],
      attributes: { text: 'a "quoted" ü 🦩', whole: 7, part: 1.5, yes: true, list: ['a', 'b'], numbers: [1, 2.5] },
    },
    trace.setSpan(ROOT_CONTEXT, parent),
  );
  child.addEvent('exception', { 'exception.type': 'TypeError' }, [1_700_000_000, 2]);
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'no' });
  child.end([1_700_000_001, 3]);
  parent.end([1_700_000_002, 4]);
  const meter = metrics.getMeter('scope');
  meter.createCounter('count', { unit: '{thing}', description: 'Things.' }).add(3, { kind: 'a' });
  meter.createHistogram('duration', { unit: 's', advice: { explicitBucketBoundaries: [1, 2] } }).record(1.5);
  meter.createObservableGauge('level').addCallback((result) => result.observe(0.25));
  logs.getLogger('scope').emit({
    severityNumber: SeverityNumber.WARN,
    severityText: 'WARN',
    body: 'watch out',
    attributes: { nested: { deep: [1, 'two'] } },
    timestamp: [1_700_000_000, 5],
    observedTimestamp: [1_700_000_000, 6],
    context: trace.setSpan(ROOT_CONTEXT, parent),
  });
}

describe('what is sent', () => {
  verifies('telemetry.same-as-stock', async () => {
    const ours = await collecting();
    const stock = await startCollector();
    const url = (signal: string) => `${stock.url}/v1/${signal}`;
    const reader = { exportIntervalMillis: 60_000, exportTimeoutMillis: 1_000 };
    await start(
      { OTEL_EXPORTER_OTLP_ENDPOINT: ours.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      {
        // two readers read at different moments, and a disk does not stand still
        hostMetrics: false,
        spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: url('traces') }) })],
        metricReaders: [
          new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url: url('metrics') }), ...reader }),
        ],
        logRecordProcessors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: url('logs') }) })],
      },
    );
    emitSomething();
    await telemetry?.shutdown();
    for (const signal of ['traces', 'logs'] as const) {
      expect(ours.bodies(signal)).toHaveLength(1);
      expect(ours.bodies(signal)).toEqual(stock.bodies(signal));
    }
    // two readers read at different moments: all but the time stamps is the same
    const timeless = (body: unknown) =>
      JSON.stringify(body).replaceAll(/"(startTimeUnixNano|timeUnixNano)":"\d+"/g, '');
    expect(timeless(ours.bodies('metrics').at(-1))).toEqual(timeless(stock.bodies('metrics').at(-1)));
    const headers = ({ received }: Collector) =>
      received.map(({ path, headers: { host: _host, connection: _connection, 'user-agent': _agent, ...rest } }) => [
        path,
        rest['content-type'],
      ]);
    expect(new Set(headers(ours).map(String))).toEqual(new Set(headers(stock).map(String)));
    await stock.close();
  });
});

describe('the environment', () => {
  verifies('telemetry.environment', async () => {
    const { url, received } = await collecting();
    await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/base`,
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${url}/elsewhere`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a,x-key=b%20c',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-key=d',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/json',
    });
    emitSomething();
    await telemetry?.shutdown();
    const [traces, measured, logged] = ['/base/v1/traces', '/base/v1/metrics', '/elsewhere'].map((path) =>
      received.find((entry) => entry.path === path),
    );
    expect(traces?.headers).toMatchObject({
      'x-tenant': 'a',
      'x-key': 'd',
      'content-encoding': 'gzip',
      'content-type': 'application/x-protobuf',
    });
    expect(measured?.headers).toMatchObject({ 'x-key': 'b c', 'content-type': 'application/x-protobuf' });
    expect(measured?.body.includes('duration')).toBe(true);
    expect(JSON.parse(logged?.body.toString() ?? '')).toHaveProperty('resourceLogs');
  });

  verifies(
    'telemetry.environment',
    async () => {
      const { url, received } = await collecting();
      await start({
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_TRACES_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
        OTEL_METRIC_EXPORT_INTERVAL: '20',
      });
      emitSomething();
      await eventually('metrics are exported by their interval', () => received[2]);
      await telemetry?.shutdown();
      expect(new Set(received.map(({ path }) => path))).toEqual(new Set(['/v1/metrics']));
    },
    'a signal that is switched off, and an interval',
  );

  verifies(
    'telemetry.environment',
    async () => {
      const zipkin = await collecting();
      await start({
        OTEL_TRACES_EXPORTER: 'zipkin',
        OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${zipkin.url}/api/v2/spans`,
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
      });
      trace.getTracer('t').startSpan('to zipkin').end();
      await telemetry?.shutdown();
      expect(zipkin.received[0]?.path).toBe('/api/v2/spans');
      expect(zipkin.received[0]?.body.toString()).toContain('to zipkin');
    },
    'an exporter that only NodeSDK has',
  );

  verifies(
    'telemetry.environment',
    async () => {
      const { url, spans } = await collecting();
      await start({
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_TRACES_SAMPLER: 'always_off',
        OTEL_METRICS_EXPORTER: 'none',
      });
      trace.getTracer('t').startSpan('sampled away').end();
      await telemetry?.shutdown();
      expect(spans()).toEqual([]);
    },
    'the sampler',
  );

  verifies('telemetry.unsupported', async () => {
    const said = stderrLines();
    await start({
      OTEL_TRACES_EXPORTER: 'jaeger',
      OTEL_METRICS_EXPORTER: 'prometheus,console',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'carrier-pigeon',
      OTEL_BLRP_SCHEDULE_DELAY: '-5',
      OTEL_CONFIG_FILE: 'otel.yaml',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    });
    const text = said.join('');
    expect(text).toContain(
      'OTEL_TRACES_EXPORTER: exporter "jaeger" is not supported and is left out; expected otlp, console, zipkin, none.',
    );
    expect(text).toContain('OTEL_METRICS_EXPORTER: prometheus cannot be combined with console, which is used alone.');
    expect(text).toContain(
      'OTLP protocol "carrier-pigeon" is not supported; expected http/protobuf, http/json or grpc. http/protobuf is used.',
    );
    expect(text).toContain('OTEL_BLRP_SCHEDULE_DELAY must be a whole number from 1, got -5; the default is used.');
    expect(text).toContain('OTEL_CONFIG_FILE is not read by startTelemetry');
  });

  verifies('telemetry.disabled', async () => {
    for (const variable of ['OTEL_SDK_DISABLED', 'TOOLSPAN_DISABLED']) {
      const { active, flush, shutdown } = await start({ [variable]: 'true' });
      expect(active).toBe(false);
      expect(trace.getTracer('t').startSpan('x').isRecording()).toBe(false);
      await flush();
      await shutdown();
      vi.unstubAllEnvs();
    }
  });

  verifies('telemetry.old-node', async () => {
    const said = stderrLines();
    const { versions } = process;
    Object.defineProperty(process, 'versions', { configurable: true, value: { ...versions, node: '20.20.2' } });
    try {
      expect((await start()).active).toBe(false);
    } finally {
      Object.defineProperty(process, 'versions', { configurable: true, value: versions });
    }
    expect(said).toEqual([
      'toolspan: startTelemetry needs Node 22.15 or later, and this is Node 20.20.2; no telemetry is started.\n',
    ]);
  });

  verifies('telemetry.second-sdk', async () => {
    const said = stderrLines();
    const theirs = recorder();
    trace.setGlobalTracerProvider(theirs.tracerProvider);
    expect((await start()).active).toBe(false);
    trace.getTracer('t').startSpan('theirs').end();
    expect(theirs.spans().map(({ name }) => name)).toEqual(['theirs']);
    expect(said.join('')).toContain(
      'an OpenTelemetry SDK is registered already (also one that was shut down), so startTelemetry leaves it as it is and starts none.',
    );
  });
});

describe('in a server', () => {
  verifies('telemetry.fetch', async () => {
    const { url, spans } = await collecting();
    const upstream = createServer((request, response) => response.end(JSON.stringify(request.headers)));
    const target = `${await listening(upstream)}/weather`;
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_METRICS_EXPORTER: 'none' });
    const server = new McpServer({ name: 's', version: '1' });
    let sent: Record<string, string> = {};
    server.registerTool('forecast', {}, async () => {
      sent = (await (await fetch(target)).json()) as Record<string, string>;
      return { content: [] };
    });
    const { transport, call } = await script(server, { tracerProvider: undefined, meterProvider: undefined });
    call(1, 'forecast');
    await transport.answer(1);
    await telemetry?.flush();
    const forecast = spans().find(({ name }) => name === 'tools/call forecast');
    const request = spans().find(({ kind, name }) => kind === CLIENT && name === 'GET');
    expect(request?.parentSpanId).toBe(forecast?.spanId);
    expect(request?.attributes).toMatchObject({ 'url.full': target, 'http.response.status_code': 200 });
    expect(sent['traceparent']).toBe(`00-${forecast?.traceId}-${request?.spanId}-01`);
    upstream.close();
  });

  verifies('telemetry.shutdown', async () => {
    const { url, spans } = await collecting();
    const { flush, shutdown } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_METRICS_EXPORTER: 'none' });
    const server = new McpServer({ name: 's', version: '1' });
    server.registerTool('hang', {}, () => new Promise(() => {}));
    const { call } = await script(server, { tracerProvider: undefined, meterProvider: undefined });
    call(1, 'hang');
    await telemetry?.shutdown();
    await telemetry?.shutdown();
    await telemetry?.flush();
    expect(spans().find(({ name }) => name === 'tools/call hang')?.attributes['toolspan.outcome']).toBe('aborted');
    expect([flush, shutdown].map((method) => typeof method)).toEqual(['function', 'function']);
    // a call that comes later still works
    call(2, 'hang');
  });

  verifies('telemetry.cannot-start', async () => {
    const said = stderrLines();
    const reader = { collect: () => {}, forceFlush: () => {}, shutdown: () => {} };
    const nothing = { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };
    const { active } = await start(nothing, { metricReaders: [reader as never] });
    expect([active, said.filter((line) => line.includes('starting telemetry failed'))]).toEqual([
      false,
      [expect.stringContaining('Your calls are not affected')],
    ]);
  });

  verifies('telemetry.bad-option', async () => {
    const bad: [unknown, string][] = [
      [
        { servicename: 'x' },
        'startTelemetry: unknown option "servicename"; known options: serviceName, serviceVersion, instrumentations, spanProcessors, metricReaders, logRecordProcessors, shutdownTimeoutMs, handleSignals, hostMetrics',
      ],
      [{ serviceName: 7 }, 'startTelemetry: option "serviceName" must be a non-empty string, got 7 (number)'],
      [
        { shutdownTimeoutMs: -1 },
        'startTelemetry: option "shutdownTimeoutMs" must be a number of milliseconds from 1 to 2147483647, got -1 (number)',
      ],
      [
        { spanProcessors: {} },
        'startTelemetry: option "spanProcessors" must be a list; each entry an object with onStart() and onEnd() and forceFlush() and shutdown(), got an object',
      ],
      [
        { metricReaders: [{}] },
        'startTelemetry: option "metricReaders" must be a list; each entry an object with collect() and forceFlush() and shutdown(), got a list of 1',
      ],
      [{ handleSignals: 'yes' }, 'startTelemetry: option "handleSignals" must be true or false, got "yes" (string)'],
    ];
    for (const [options, message] of bad) await expect(startTelemetry(options as never)).rejects.toThrow(message);
    expect(context.active()).toBe(ROOT_CONTEXT);
  });
});
