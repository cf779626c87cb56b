// Metrics as an agent reads them, and registering the tools.
import { McpServer } from '@modelcontextprotocol/server';
import { metrics } from '@opentelemetry/api';
import { AggregationType, MeterProvider } from '@opentelemetry/sdk-metrics';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { monitor } from '../../src/health/monitor.ts';
import { registerHealthCheck, registerObservabilityTools, type ObservabilityToolsOptions } from '../../src/index.ts';
import { agentMetricReader, agentSpanProcessor } from '../../src/node/index.ts';
import { metricSource, type HistogramPoint } from '../../src/state/sources.ts';
import { summaryOf } from '../../src/tools/histograms.ts';
import { connected, ownSdk } from '../harness/agent.ts';
import { recorder } from '../harness/recorder.ts';
import { verifies } from '../harness/verifies.ts';

describe('get_server_metrics', () => {
  verifies('agent.metrics', async () => {
    ownSdk();
    const { call } = await connected('v2');
    const meter = metrics.getMeter('application');
    const orders = meter.createCounter('orders', { unit: '{order}' });
    orders.add(3, { kind: 'book' });
    orders.add(4, { kind: 'film' });
    meter.createObservableGauge('level').addCallback((result) => result.observe(0.25));
    meter.createUpDownCounter('open').add(-2);
    const size = meter.createHistogram('size', { advice: { explicitBucketBoundaries: [10, 20, 40] } });
    for (const value of [5, 15, 15, 30, 100]) size.record(value, { kind: value > 20 ? 'big' : 'small' });
    await call('works');
    await call('works');
    const { structuredContent } = await call('get_server_metrics');
    expect(structuredContent).toMatchObject({
      counters: { orders: 7 },
      gauges: { level: 0.25, open: -2 },
      histograms: { size: { count: 5, sum: 165, avg: 33, min: 5, max: 100 } },
      series: [],
      operations: expect.arrayContaining([
        expect.objectContaining({
          operation: 'tools/call works',
          side: 'server',
          outcomes: { ok: 2 },
          duration_ms: expect.objectContaining({ count: 2 }) as object,
        }),
      ]) as object,
    });
    const { p50, p99 } =
      (structuredContent['histograms'] as unknown as Record<string, Record<string, number>>)['size'] ?? {};
    expect(p50).toBeGreaterThanOrEqual(10);
    expect(p50).toBeLessThanOrEqual(20);
    expect(p99).toBeGreaterThan(40);
    const drilled = await call('get_server_metrics', { names: ['orders', 'no.such'] });
    expect(drilled.structuredContent).toMatchObject({
      operations: [],
      counters: { orders: 7 },
      series: [
        { name: 'orders', labels: { kind: 'book' }, value: 3 },
        { name: 'orders', labels: { kind: 'film' }, value: 4 },
      ],
    });
    expect(drilled.structuredContent['missing']).toContain('no.such: no such instrument has measured anything');
    const ofTool = await call('get_server_metrics', { tool: 'works', window: '1m' });
    expect(Object.keys(ofTool.structuredContent['histograms'] as unknown as object)).toEqual([
      'mcp.server.operation.duration',
    ]);
    expect(ofTool.structuredContent['operations']).toHaveLength(1);
  });

  verifies('agent.reader', async () => {
    ownSdk();
    const { call } = await connected('v2');
    const meter = metrics.getMeter('application');
    meter.createCounter('fine').add(1);
    meter.createObservableGauge('hangs').addCallback(() => new Promise(() => {}));
    meter.createObservableGauge('throws').addCallback(() => {
      throw new Error('no');
    });
    const { structuredContent } = await call('get_server_metrics');
    expect(structuredContent['counters']).toEqual({ fine: 1 });
    expect(structuredContent['missing']).toContain('2 instruments: reading them failed');
  });
});

describe('histograms', () => {
  verifies(
    'agent.metrics',
    async () => {
      const reader = agentMetricReader();
      const provider = new MeterProvider({
        readers: [reader],
        views: [{ instrumentName: 'finely', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
      });
      onTestFinished(() => reader.shutdown());
      const meter = provider.getMeter('test');
      const [finely, coarsely] = [meter.createHistogram('finely'), meter.createHistogram('coarsely')];
      for (let value = 1; value <= 1_000; value++) {
        finely.record(value);
        coarsely.record(value);
      }
      finely.record(0);
      meter.createHistogram('nothing');
      const { metrics: collected = [] } = (await metricSource()?.collect()) ?? {};
      const summary = (name: string) =>
        summaryOf(
          (collected.find((metric) => metric.name === name)?.points ?? [])
            .map(({ histogram }) => histogram)
            .filter((point) => point !== undefined),
        );
      const fine = summary('finely');
      expect(fine).toMatchObject({ count: 1_001, sum: 500_500, min: 0, max: 1_000 });
      for (const [share, exact] of [
        [fine.p50, 500],
        [fine.p95, 950],
        [fine.p99, 990],
      ] as const) {
        expect(Math.abs((share as number) / exact - 1)).toBeLessThan(0.05);
      }
      const coarse = summary('coarsely');
      expect(coarse).toMatchObject({ count: 1_000, min: 1, max: 1_000 });
      expect(coarse.p50).toBeCloseTo(500, -1);
      expect(summaryOf([])).toEqual({ count: 0, sum: 0 });
    },
    'exponential ones too',
  );

  verifies(
    'agent.metrics',
    () => {
      const point = (counts: number[], part: Partial<HistogramPoint> = {}): HistogramPoint => ({
        count: counts.reduce((a, b) => a + b, 0),
        sum: 1,
        min: undefined,
        max: undefined,
        bounds: [10, 20],
        counts,
        ...part,
      });
      // without extremes the outer buckets have no other end
      expect(summaryOf([point([0, 0, 4])])).toMatchObject({ count: 4, p50: 20, min: undefined });
      expect(summaryOf([point([4, 0, 0])])).toMatchObject({ p50: 5 });
      // two label sets in one
      expect(summaryOf([point([4, 0, 0]), point([0, 4, 0])])).toMatchObject({ count: 8, sum: 2, p50: 10, p99: 19.8 });
      // different bounds have no common answer
      expect(summaryOf([point([4, 0, 0]), point([1, 1], { bounds: [5] })])).toMatchObject({ count: 6, p50: undefined });
      expect(summaryOf([point([1, 0, 0], { sum: undefined })]).avg).toBeUndefined();
    },
    'as far as the buckets tell',
  );
});

describe('registering', () => {
  verifies('agent.bad-option', async () => {
    const server = new McpServer({ name: 's', version: '1' });
    const bad: [unknown, unknown, ErrorConstructor, string][] = [
      [{}, {}, TypeError, 'registerObservabilityTools: expected an McpServer of the MCP SDK, got an object'],
      [server.server, {}, TypeError, 'expected an McpServer'],
      [server, { include: ['get_weather'] }, TypeError, 'option "include" must be a list of get_server_health'],
      [server, { prefix: 'my tools ' }, RangeError, 'option "prefix" must be at most 64 letters'],
      [server, { authorize: true }, TypeError, 'option "authorize" must be a function, got true (boolean)'],
      [server, { traceUrl: 'jaeger' }, RangeError, 'option "traceUrl" must be a URL'],
      [server, { names: [] }, TypeError, 'unknown option "names"'],
    ];
    for (const [target, options, type, message] of bad) {
      const registering = registerObservabilityTools(target as object, options as ObservabilityToolsOptions);
      await expect(registering, message).rejects.toThrow(type);
      await expect(registerObservabilityTools(target as object, options as ObservabilityToolsOptions)).rejects.toThrow(
        message,
      );
    }
    expect(() => agentSpanProcessor({ maxBytes: 10 })).toThrow(
      'option "maxBytes" must be a whole number of bytes from 65536',
    );
    expect(() => agentSpanProcessor({ slowMs: '1s' as never })).toThrow(TypeError);
  });

  verifies('health.gauge', async () => {
    const recorded = recorder();
    metrics.setGlobalMeterProvider(recorded.meterProvider);
    onTestFinished(() => metrics.disable());
    await connected('v2');
    await connected('v2');
    onTestFinished(registerHealthCheck('gauge', () => new Promise(() => {})));
    await monitor.sampled();
    const points = await recorded.points('toolspan.health.status');
    const of = (check: string | undefined): Record<string, number> =>
      Object.fromEntries(
        points
          .filter(({ attributes }) => attributes['toolspan.health.check'] === check)
          .map(({ attributes, value }) => [String(attributes['toolspan.health.state']), value]),
      );
    expect(of(undefined)).toEqual({ healthy: 0, degraded: 1, unhealthy: 0 });
    expect(of('gauge')).toEqual({ healthy: 0, degraded: 0, unhealthy: 0, unknown: 1 });
  });

  verifies(
    'agent.errors',
    async () => {
      vi.stubEnv('TOOLSPAN_TRACE_URL', 'https://traces.example/{trace_id}?of=me');
      onTestFinished(() => void vi.unstubAllEnvs());
      const { call } = await connected('v2');
      const { structuredContent } = await call('get_trace', { trace_id: 'ab'.repeat(16) });
      expect(structuredContent['link']).toBe(`https://traces.example/${'ab'.repeat(16)}?of=me`);
    },
    'with links by the environment',
  );
});
