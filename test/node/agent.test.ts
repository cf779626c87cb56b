// What the agent's tools see of a process with startTelemetry, held against what a collector receives of it.
import { logs, metrics, propagation, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, onTestFinished, vi } from 'vitest';
import { monitor } from '../../src/health/monitor.ts';
import { readingsOf } from '../../src/node/host-metrics.ts';
import {
  agentMetricReader,
  agentSpanProcessor,
  startTelemetry,
  type Telemetry,
  type TelemetryOptions,
} from '../../src/node/index.ts';
import { recentTraces } from '../../src/state/recent-traces.ts';
import { metricSource } from '../../src/state/sources.ts';
import { connected, type Answer } from '../harness/agent.ts';
import { startCollector, type Collector } from '../harness/collector.ts';
import { eventually } from '../harness/poll.ts';
import { attributesOf, type KeyValue } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';

const DURATION = 'mcp.server.operation.duration';

interface Body {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly histogram?: {
          readonly dataPoints: readonly {
            readonly attributes: readonly KeyValue[];
            readonly count: number | string;
            readonly sum: number;
          }[];
        };
      }[];
    }[];
  }[];
}

let collector: Collector | undefined;
let telemetry: Telemetry | undefined;
let status = 200;

async function start(options: TelemetryOptions = {}): Promise<Collector> {
  collector = await startCollector(() => ({ status }));
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  telemetry = await startTelemetry({ serviceName: 'test', handleSignals: false, ...options });
  return collector;
}

afterEach(async () => {
  await telemetry?.shutdown();
  await collector?.close();
  [trace, metrics, logs, propagation].forEach((api) => api.disable());
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  status = 200;
});

const metricsOf = (body: Body | undefined) =>
  body?.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: list }) => list)) ?? [];

interface Figure {
  readonly count: number;
  readonly sum: number;
}

/** Counts and sums (s) by tool and outcome, in one order. */
function figures(
  entries: Iterable<readonly [tool: unknown, outcome: unknown, count: number, sum: number]>,
): Map<string, Figure> {
  const found = new Map<string, Figure>();
  for (const [tool, outcome, count, sum] of entries) {
    if (tool === undefined) continue;
    const key = `${JSON.stringify(tool)} ${JSON.stringify(outcome)}`;
    const before = found.get(key) ?? { count: 0, sum: 0 };
    found.set(key, { count: before.count + count, sum: before.sum + sum });
  }
  return new Map([...found].toSorted(([a], [b]) => a.localeCompare(b)));
}

function expectSame(actual: Map<string, Figure>, expected: Map<string, Figure>): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [key, { count, sum }] of expected) {
    expect([key, actual.get(key)?.count]).toEqual([key, count]);
    expect(actual.get(key)?.sum).toBeCloseTo(sum, 4);
  }
}

function anotherReader(): PeriodicExportingMetricReader {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
}

describe('the same traffic', () => {
  for (const path of ['aggregated by us', 'aggregated by the SDK']) {
    verifies(
      'agent.agree',
      async () => {
        // a reader of the application's own has the SDK aggregate
        const { spans, bodies } = await start({ metricReaders: path === 'aggregated by us' ? [] : [anotherReader()] });
        const { call } = await connected('v2');
        for (let index = 0; index < 40; index++) await call('works');
        for (let index = 0; index < 7; index++) await call('breaks');
        for (let index = 0; index < 5; index++) await call('refuses');
        const drilled = await call('get_server_metrics', { names: [DURATION] });
        const windowed = await call('get_server_metrics', { window: 'start' });
        await telemetry?.flush();

        const bySpans = figures(
          spans()
            .filter(
              ({ name, attributes }) =>
                name.startsWith('tools/call') && !String(attributes['gen_ai.tool.name']).startsWith('get_'),
            )
            .map(({ attributes, durationMs }) => [
              attributes['gen_ai.tool.name'],
              attributes['toolspan.outcome'],
              1,
              durationMs / 1_000,
            ]),
        );
        expect([...bySpans].map(([key, { count }]) => `${count} ${key}`)).toEqual([
          '7 "breaks" "tool_error"',
          '5 "refuses" "tool_error"',
          '40 "works" "ok"',
        ]);

        const exported = metricsOf(bodies<Body>('metrics').at(-1)).find(({ name }) => name === DURATION);
        expectSame(
          figures(
            (exported?.histogram?.dataPoints ?? []).map(({ attributes, count, sum }) => {
              const labels = attributesOf(attributes);
              return [labels['gen_ai.tool.name'], labels['toolspan.outcome'], Number(count), sum];
            }),
          ),
          bySpans,
        );

        const series = drilled.structuredContent['series'] as unknown as {
          labels: Record<string, string>;
          histogram: Figure;
        }[];
        expectSame(
          figures(
            series.map(({ labels, histogram }) => [
              labels['gen_ai.tool.name'],
              labels['toolspan.outcome'],
              histogram.count,
              histogram.sum,
            ]),
          ),
          bySpans,
        );

        const operations = windowed.structuredContent['operations'] as unknown as {
          operation: string;
          outcomes: Record<string, number>;
          duration_ms: Figure;
        }[];
        expectSame(
          figures(
            operations
              .filter(({ operation }) => operation.startsWith('tools/call '))
              .map(({ operation, outcomes, duration_ms: { count, sum } }) => [
                operation.slice(11),
                Object.keys(outcomes)[0],
                count,
                sum / 1_000,
              ]),
          ),
          bySpans,
        );
      },
      path,
    );
  }
});

describe('the exporter', () => {
  verifies(
    'health.exporter',
    async () => {
      vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
      status = 400;
      await start();
      const { call } = await connected('v2');
      const health = async () =>
        (await call('get_server_health')).structuredContent as unknown as {
          status: string;
          reasons: { metric: string; name: string; code: string }[];
          telemetry: {
            signal: string;
            failing: boolean;
            dropped: number;
            queue_size: number;
            last_error: string;
            last_success_time: string | null;
          }[];
        };
      await call('works');
      const waiting = (await health()).telemetry.find(({ signal }) => signal === 'traces');
      expect(waiting).toMatchObject({ failing: false, dropped: 0, last_success_time: null });
      expect(waiting?.queue_size).toBeGreaterThan(0);
      await telemetry?.flush();
      const dead = await health();
      expect(dead.status).toBe('degraded');
      expect(dead.reasons).toEqual(
        expect.arrayContaining([
          {
            metric: 'telemetry_export',
            status: 'degraded',
            value: 'failing',
            threshold: 'delivering',
            window: null,
            name: 'traces',
            code: 'HTTP 400',
          },
        ]),
      );
      const traces = dead.telemetry.find(({ signal }) => signal === 'traces');
      expect(traces).toMatchObject({ failing: true, last_error: 'HTTP 400', last_success_time: null });
      expect(traces?.dropped).toBeGreaterThan(0);
      status = 200;
      await call('works');
      await telemetry?.flush();
      const back = await health();
      expect(back.reasons.filter(({ metric }) => metric === 'telemetry_export')).toEqual([]);
      expect(back.telemetry.find(({ signal }) => signal === 'traces')?.last_success_time).toBeTypeOf('string');
    },
    'a collector that refuses, then takes',
  );
});

describe('host metrics', () => {
  verifies('host.exported', async () => {
    const { bodies } = await start();
    const { call } = await connected('v2');
    // the first measurement takes a second after what measures is loaded
    await eventually('the health shows what is exported', async () => {
      await monitor.tick();
      const collected = await metricSource()?.collect();
      const exported = readingsOf(collected?.metrics ?? []);
      const { readings } = monitor;
      if (exported?.cpu === undefined || readings === undefined) return undefined;
      const { limitedBy } = readings;
      const sameCpu = limitedBy.cpu === 'container' || readings.cpu === exported.cpu;
      const sameMemory = limitedBy.memory === 'container' || readings.memory === exported.memory;
      return sameCpu && sameMemory ? true : undefined;
    });
    const health = (await call('get_server_health')).structuredContent as unknown as {
      system_metrics: { cpu_percent: number; disk_percent: number };
    };
    expect(health.system_metrics.cpu_percent).toBeTypeOf('number');
    await telemetry?.flush();
    const names = metricsOf(bodies<Body>('metrics').at(-1)).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'system.cpu.utilization',
        'system.memory.utilization',
        'system.filesystem.utilization',
        'system.filesystem.usage',
        'process.cpu.utilization',
        'process.memory.usage',
        'nodejs.eventloop.utilization',
        'v8js.memory.heap.used',
        'toolspan.health.status',
      ]),
    );
    expect(names.filter((name) => name.startsWith('system.network'))).toEqual([]);
    // measured once: a second measuring would cut the first one's intervals short
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
    const instruments = (await call('get_server_metrics')).structuredContent['instruments'] as unknown as {
      name: string;
    }[];
    expect(instruments.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['system.cpu.utilization', 'v8js.memory.heap.used']),
    );
  });

  verifies(
    'host.exported',
    async () => {
      await start({ metricReaders: [anotherReader()] });
      await eventually('host metrics in the readers of an application', async () => {
        const names = (await metricSource()?.collect())?.metrics.map(({ name }) => name) ?? [];
        return names.includes('system.cpu.time') && names.includes('nodejs.eventloop.time') ? true : undefined;
      });
    },
    'to readers of an application too',
  );

  verifies(
    'host.exported',
    async () => {
      const { bodies } = await start({ hostMetrics: false });
      await connected('v2');
      await monitor.sampled();
      await telemetry?.flush();
      const names = metricsOf(bodies<Body>('metrics').at(-1)).map(({ name }) => name);
      expect(names).toContain('toolspan.health.status');
      expect(names.filter((name) => /^(system|process|nodejs|v8js)\./.test(name))).toEqual([]);
    },
    'unless they are not wanted',
  );
});

describe('the span processor', () => {
  verifies(
    'agent.rings',
    () => {
      const processor = agentSpanProcessor({ slowMs: 1_000 });
      onTestFinished(() => processor.shutdown());
      const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test');
      const remarkable = (kind: SpanKind, seconds: number, change: (span: Span) => void = () => {}) => {
        const span = tracer.startSpan('work', { kind, startTime: [1_000, 0] });
        change(span);
        span.end([1_000 + seconds, 0]);
        return recentTraces.get(span.spanContext().traceId)?.spans[0]?.remarkable;
      };
      expect(remarkable(SpanKind.SERVER, 0)).toBe(false);
      expect(remarkable(SpanKind.SERVER, 1)).toBe(true);
      expect(remarkable(SpanKind.INTERNAL, 5)).toBe(false);
      expect(remarkable(SpanKind.CLIENT, 0, (span) => span.setStatus({ code: SpanStatusCode.ERROR }))).toBe(true);
      const outcome = (value: string) =>
        remarkable(SpanKind.SERVER, 0, (span) => span.setAttribute('toolspan.outcome', value));
      expect(['ok', 'input_required', 'protocol_error', 'cancelled'].map(outcome)).toEqual([false, false, true, true]);
      const long = tracer.startSpan('long', { attributes: { text: 'x'.repeat(5_000), list: ['a', 'b'] } });
      long.addEvent('exception', { 'exception.stacktrace': 'y'.repeat(5_000) });
      long.end();
      expect(recentTraces.get(long.spanContext().traceId)?.spans[0]?.bytes).toBeGreaterThan(10_000);
    },
    'what fails or is slow',
  );
});

describe('the providers of an application', () => {
  verifies('agent.own-sdk', async () => {
    const [reader, processor] = [agentMetricReader(), agentSpanProcessor({ slowMs: 0, maxBytes: 1_000_000 })];
    const meterProvider = new MeterProvider({ readers: [reader] });
    const tracerProvider = new TracerProvider({ spanProcessors: [processor] });
    metrics.setGlobalMeterProvider(meterProvider);
    trace.setGlobalTracerProvider(tracerProvider);
    const { call } = await connected('v2');
    await call('works');
    const before: Answer = await call('get_server_metrics');
    expect(before.structuredContent['histograms']).toMatchObject({ [DURATION]: { unit: 's' } });
    await Promise.all([meterProvider.forceFlush(), tracerProvider.forceFlush()]);
    await Promise.all([meterProvider.shutdown(), tracerProvider.shutdown()]);
    // what is shut down is missing, and nothing fails
    const after = await call('get_server_metrics');
    expect(after.structuredContent['missing']).toEqual(
      expect.arrayContaining([
        'OpenTelemetry metrics: no agentMetricReader is registered',
        'traces: no agentSpanProcessor is registered',
      ]),
    );
    await expect(agentMetricReader().collect()).rejects.toThrow('agentMetricReader: not given to a MeterProvider yet');
  });
});
