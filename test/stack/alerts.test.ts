// Every alert under its fault, in the real Prometheus. Minutes of the rules are seconds here; that the minutes are right is what
// the unit tests of the rules show.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { rules } from './dashboard-queries.ts';
import { Load } from './load-process.ts';
import { Stack } from './stack.ts';

const SERVICE = 'faulty';
// so few that a minute without Jaeger is more than it holds
const QUEUE_ITEMS = '3000';
const MANY_CALLS = 150;

let stack: Stack;
const loads: Load[] = [];

async function startLoad(service: string, env: Record<string, string> = {}): Promise<Load> {
  const load = await Load.start(service, stack.otlp, env);
  loads.push(load);
  return load;
}

/** Minutes as seconds and hours as minutes, wherever a duration stands. */
function inSeconds(text: string): string {
  return text.replaceAll(/\b(\d+)([mh])\b/g, (_, count: string, unit: string) => `${count}${unit === 'm' ? 's' : 'm'}`);
}

beforeAll(async () => {
  stack = await Stack.start({
    rules: inSeconds,
    prometheusArgs: ['--query.lookback-delta=5s'],
    collector: { OTELCOL_QUEUE_ITEMS: QUEUE_ITEMS },
  });
});

afterAll(async () => {
  await Promise.all(loads.map((load) => load.stop()));
  await stack?.stop();
});

const firing = async () => (await stack.prometheus.alerts()).filter(({ state }) => state === 'firing');
const all = rules().flatMap(({ alert }) => (alert === undefined ? [] : [alert]));

/** Waits until exactly these alerts fire. */
async function untilFiring(what: string, expected: readonly string[], deadlineMs: number): Promise<void> {
  const wanted = expected.toSorted().join(', ');
  let names = '';
  try {
    await eventually(
      what,
      async () => {
        names = [...new Set((await firing()).map(({ name }) => name))].toSorted().join(', ');
        return names === wanted || undefined;
      },
      deadlineMs,
      500,
    );
  } catch (error) {
    throw new Error(`expected ${wanted}\nfiring   ${names}`, { cause: error });
  }
}

describe('alerts', () => {
  verifies('stack.alerts', async () => {
    const load = await startLoad(SERVICE);
    await stack.prometheus.queried('mcp:tool_calls:rate5m');
    await stack.prometheus.queried('up == 1', ({ length }) => length === 3);
    expect(await firing()).toEqual([]);

    const silent = await startLoad('silent');
    const flood = await startLoad('flood', {
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_BSP_SCHEDULE_DELAY: '1000',
    });
    await flood.behave({ failing: 0, callsPerSecond: 100 });
    await stack.prometheus.queried('mcp_server_operation_duration_seconds_count{service_name="silent"}');
    await silent.stop();
    await load.behave({ failing: 0.5, seconds: 4, breaker: 'open', health: 'unhealthy', callsPerSecond: MANY_CALLS });
    await stack.stopProgram('jaeger');

    await untilFiring('every alert fires', all, 120_000);
    const found = await firing();
    const labels = (alert: string) => found.filter(({ name }) => name === alert).map((one) => one.labels);
    const ofServices = (alert: string) => new Set(labels(alert).map(({ service_name: service }) => service));
    for (const alert of all.filter((name) => /^Mcp(Error|Tool|Breaker|ServerUn)/.test(name))) {
      expect([...ofServices(alert)], alert).toEqual([SERVICE]);
    }
    expect([...ofServices('McpServerSilent')]).toEqual(['silent']);
    expect(labels('McpTelemetryDropped')).toContainEqual(
      expect.objectContaining({ service_name: 'flood', toolspan_signal: 'traces', toolspan_drop_reason: 'queue_full' }),
    );
    expect(labels('McpBreakerOpen')).toEqual([expect.objectContaining({ toolspan_policy_name: 'weather-api' })]);
    expect(labels('TelemetryBackendDown')).toEqual([expect.objectContaining({ job: 'jaeger' })]);
    for (const alert of ['CollectorDropping', 'CollectorQueueFilling']) {
      expect(labels(alert), alert).toEqual([expect.objectContaining({ exporter: 'otlp_http/jaeger' })]);
    }

    await stack.startProgram('jaeger');
    await flood.stop();
    await startLoad('silent');
    await startLoad('flood');
    await load.behave({ failing: 0, seconds: 0.05, breaker: 'closed', health: 'healthy', callsPerSecond: 20 });
    await untilFiring('no alert fires any more', [], 150_000);
  });

  verifies('stack.queue-full', async () => {
    // of the test before: what the queue did not take is counted by the collector, and by the server that was told so
    const [lost] = await stack.prometheus.query('sum(otelcol_exporter_enqueue_failed_spans_total)');
    expect(lost?.value).toBeGreaterThan(0);
    const dropped = `toolspan_telemetry_dropped_total{service_name="${SERVICE}", toolspan_signal="traces"}`;
    const [counted] = await stack.prometheus.queried(`sum(${dropped}) > 0`);
    expect(counted?.value).toBeGreaterThan(0);
  });
});
