// What a server under load emits, read back from Jaeger and Prometheus as a user would.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { expanded, panelQueries, rules } from './dashboard-queries.ts';
import { Child } from '../harness/child.ts';
import { DemoServer, PROMPT, type ToolCall } from './demo-server.ts';
import { Load } from './load-process.ts';
import { documentedMetrics, prometheusName, RUNTIME } from './names.ts';
import { ROOT } from './root.ts';
import { Stack } from './stack.ts';
import { Traffic } from './traffic.ts';

const SERVICE = 'toolspan-demo';
const VARIABLES = {
  __rate_interval: '1m',
  service: SERVICE,
  instance: '.*',
  tool: 'resilient_external_call',
};

let stack: Stack;
let demo: DemoServer;
let agents: Child;
let wrapped: Child;
const traffic: Traffic[] = [];

beforeAll(async () => {
  stack = await Stack.start();
  demo = await DemoServer.start(stack.otlp);
  agents = demo.startAgents(stack.otlp);
  // what the agents do only now and then
  const call = (path: string): ToolCall => ({
    tool: 'resilient_external_call',
    args: { url: `${demo.serviceUrl}/${path}` },
  });
  const steadily = (perSecond: number, ...calls: readonly ToolCall[]) =>
    traffic.push(new Traffic(perSecond, () => Promise.all(calls.map((one) => demo.call(one)))));
  steadily(2, call('ok'), call('error'));
  // more at once than the bulkhead lets through, and each longer than a second
  steadily(0.5, ...Array.from({ length: 14 }, () => call('hang')));
  steadily(
    0.2,
    ...Array.from({ length: 6 }, () => ({
      tool: 'resilient_operation_with_fallback',
      args: { input_data: 'order fail_primary' },
    })),
  );
  // a server that writes what is no message, seen from outside
  const chatty = ['node', '-e', 'setInterval(() => console.log("hello"), 200)'];
  wrapped = new Child(process.execPath, [`${ROOT}src/cli/main.ts`, 'wrap', '--', ...chatty], {
    env: { ...PROMPT, OTEL_EXPORTER_OTLP_ENDPOINT: stack.otlp, OTEL_SERVICE_NAME: 'wrapped' },
  });
  // the only one of them with sessions
  const sessions = await Load.start('sessions', stack.otlp);
  await sessions.callsPerSecond(1);
  await sessions.stop();
});

afterAll(async () => {
  await Promise.allSettled(traffic.map((one) => one.stop()));
  await Promise.all([agents?.kill('SIGTERM'), wrapped?.kill('SIGTERM')]);
  await demo?.stop();
  await stack?.stop();
});

describe('metrics', () => {
  verifies('stack.metrics', async () => {
    const metrics = [...documentedMetrics(), ...RUNTIME];
    expect(metrics.length).toBeGreaterThan(25);
    for (const metric of metrics) await stack.prometheus.queried(prometheusName(metric));
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
    const id = exemplar?.['span_id'];
    await stack.jaeger.traceWith(exemplar?.['trace_id'] ?? '', ({ spanId }) => spanId === id);
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
