// What a server under load emits, read back from Jaeger and Prometheus as a user would.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { expanded, panelQueries, rules } from './dashboard-queries.ts';
import { Load } from './load-process.ts';
import { documentedMetrics, prometheusName, RUNTIME } from './names.ts';
import { Stack } from './stack.ts';

const SERVICE = 'signals';
const VARIABLES = {
  __rate_interval: '1m',
  service: SERVICE,
  instance: '.*',
  tool: 'resilient_external_call',
};

let stack: Stack;
let load: Load;

beforeAll(async () => {
  stack = await Stack.start();
  load = await Load.start(SERVICE, stack.otlp);
  // each fault once, so that each panel has something to show
  await load.behave({ failing: 0.2, breaker: 'open', health: 'degraded' });
  await load.behave({ breaker: 'half_open' });
  await load.behave({ seconds: 1.2 });
});

afterAll(async () => {
  await load?.stop();
  await stack?.stop();
});

describe('traces', () => {
  const CALLS = [
    { tool: 'robust_operation', code: 'VALIDATION_ERROR' },
    { tool: 'resilient_external_call', retries: [1_000, 2_000, 4_000], code: 'UNAVAILABLE' },
    { tool: 'instrumented_tool' },
    { tool: 'get_server_health' },
    { tool: 'monitored_operation' },
    { tool: 'get_server_metrics' },
    { tool: 'metric_tracked_operation', code: 'INTERNAL_ERROR' },
    { tool: 'resilient_operation_with_fallback', breaker: 'transition', fallback: true },
    { tool: 'resilient_operation_with_fallback', breaker: 'rejected', fallback: true },
  ] as const;

  verifies('stack.traces', async () => {
    for (const call of CALLS) {
      const { traceId, client, server } = await load.call(call);
      const spans = await stack.jaeger.traceOf(traceId, 2);
      const ours = spans.find(({ spanId }) => spanId === server);
      expect(ours).toMatchObject({
        name: `tools/call ${call.tool}`,
        kind: 1,
        parentSpanId: client,
        attributes: { 'gen_ai.tool.name': call.tool, 'toolspan.outcome': 'code' in call ? 'tool_error' : 'ok' },
        status: { code: 'code' in call ? 2 : 0 },
      });
      expect(ours?.attributes['toolspan.error.code']).toBe('code' in call ? call.code : undefined);
      const events = ours?.events ?? [];
      const retries = events.filter(({ name }) => name === 'toolspan.retry');
      expect(retries.map(({ attributes }) => attributes['toolspan.retry.delay_ms'])).toEqual(
        'retries' in call ? call.retries : [],
      );
      if ('breaker' in call) {
        expect(events.map(({ name }) => name)).toEqual([
          `toolspan.circuit_breaker.${call.breaker}`,
          'toolspan.fallback',
        ]);
      }
    }
  });
});

describe('metrics', () => {
  verifies('stack.metrics', async () => {
    const metrics = [...documentedMetrics(), ...RUNTIME];
    expect(metrics.length).toBeGreaterThan(20);
    for (const metric of metrics) {
      await stack.prometheus.queried(`${prometheusName(metric)}{service_name="${SERVICE}"}`);
    }
  });

  verifies('stack.linked', async () => {
    const [exemplar] = await eventually(
      'an exemplar of a duration',
      async () => {
        const found = await stack.prometheus.exemplars(
          `traces_span_metrics_duration_milliseconds_bucket{service_name="${SERVICE}"}`,
        );
        return found.length > 0 ? found : undefined;
      },
      20_000,
      250,
    );
    const spans = await stack.jaeger.traceOf(exemplar?.['trace_id'] ?? '', 2);
    expect(spans.map(({ spanId }) => spanId)).toContain(exemplar?.['span_id']);
  });

  verifies('stack.first-failure', async () => {
    const fails = `mcp_server_operation_duration_seconds_count{service_name="${SERVICE}", toolspan_error_code="PERMISSION_DENIED"}`;
    await load.call({ tool: 'robust_operation', code: 'PERMISSION_DENIED' });
    const [series] = await stack.prometheus.queried(`increase(${fails}[5m]) > 0`);
    expect(series?.value).toBeGreaterThan(0.9);
  });
});

describe('dashboards', () => {
  verifies('stack.panels', async () => {
    const queries = panelQueries();
    expect(queries.length).toBeGreaterThan(50);
    for (const { dashboard, panel, target } of queries) {
      const where = `${dashboard}: ${panel}`;
      if (target.expr !== undefined) {
        const series = await stack.prometheus.queried(expanded(target.expr, VARIABLES));
        expect(series.length, where).toBeGreaterThan(0);
        expect(
          series.filter(({ value }) => Number.isNaN(value)),
          where,
        ).toEqual([]);
      } else {
        // what the data source of Grafana asks Jaeger for
        const search = new URLSearchParams({
          service: expanded(target.service ?? '', VARIABLES),
          operation: expanded(target.operation ?? '', VARIABLES),
          limit: `${target.limit}`,
          lookback: '1h',
          ...(target.tags !== undefined && { tags: JSON.stringify(Object.fromEntries([target.tags.split('=')])) }),
          ...(target.minDuration !== undefined && { minDuration: target.minDuration }),
        });
        await eventually(
          where,
          async () => {
            const response = await fetch(`${stack.jaeger.url}/api/traces?${search.toString()}`);
            const { data } = (await response.json()) as { data: unknown[] | null };
            return (data ?? []).length > 0 ? true : undefined;
          },
          20_000,
          250,
        );
      }
    }
  });

  verifies(
    'stack.panels',
    async () => {
      for (const { alert, record, expr } of rules()) {
        // a rule that fires needs its fault (alerts.test.ts); that it can be asked at all is seen here
        const series = await stack.prometheus.query(expr);
        if (record !== undefined) expect(series.length, record).toBeGreaterThan(0);
        expect(Array.isArray(series), alert).toBe(true);
      }
    },
    'and of every recording rule',
  );
});

describe('the Monitor tab of Jaeger', () => {
  verifies(
    'stack.metrics',
    async () => {
      const now = Date.now();
      const query = new URLSearchParams({
        service: SERVICE,
        endTs: `${now}`,
        lookback: '60000',
        step: '5000',
        ratePer: '60000',
        spanKind: 'server',
        quantile: '0.95',
      });
      for (const metric of ['calls', 'errors', 'latencies']) {
        await eventually(
          `${metric} of the Monitor tab`,
          async () => {
            const response = await fetch(`${stack.jaeger.url}/api/metrics/${metric}?${query.toString()}`);
            const { metrics } = (await response.json()) as { metrics?: { metricPoints: unknown[] }[] };
            return (metrics?.[0]?.metricPoints.length ?? 0) > 0 ? true : undefined;
          },
          30_000,
          500,
        );
      }
    },
    'the Monitor tab of Jaeger',
  );
});
