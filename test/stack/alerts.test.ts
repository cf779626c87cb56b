// Every alert under its fault, in the real Prometheus. Minutes of the rules are seconds here; that the minutes are right is what
// the unit tests of the rules show.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { rules } from './dashboard-queries.ts';
import { DemoServer, type DemoSettings, type ToolCall } from './demo-server.ts';
import { Stack } from './stack.ts';
import { report, Traffic } from './traffic.ts';

const FAULTY = 'faulty';
// more than a minute without Jaeger holds of `busy`
const QUEUE_ITEMS = '3000';
const BUSY_PER_SECOND = 60;

const FORECAST: ToolCall = { tool: 'forecast', args: { city: 'Paris' } };
const CALM: ToolCall = { tool: 'robust_operation', args: { input_data: 'hello' } };
const CRASH: ToolCall = { tool: 'divide', args: { a: 1, b: 0 } };
const SLOW: ToolCall = { tool: 'report', args: { seconds: 4 } };
const OUTAGE: ToolCall = { tool: 'resilient_operation_with_fallback', args: { input_data: 'order fail_primary' } };
const RECOVERED: ToolCall = { tool: 'resilient_operation_with_fallback', args: { input_data: 'order' } };

const DROPPED_BY_BUSY = 'sum(toolspan_telemetry_dropped_total{service_name="busy", toolspan_signal="traces"})';

let stack: Stack;
const demos: DemoServer[] = [];
const flowing = new Set<Traffic>();

async function startDemo(service: string, settings: DemoSettings = {}): Promise<DemoServer> {
  const demo = await DemoServer.start(stack.otlp, { service, calm: true, ...settings });
  demos.push(demo);
  return demo;
}

function traffic(demo: DemoServer, perSecond: number, call: ToolCall, succeeds = true): Traffic {
  const started = new Traffic(perSecond, async () => {
    const { isError } = await demo.call(call);
    if (succeeds && isError === true) throw new Error(`${call.tool} has failed`);
  });
  flowing.add(started);
  return started;
}

async function ended(...those: readonly Traffic[]): Promise<number[][]> {
  for (const one of those) flowing.delete(one);
  return Promise.all(those.map((one) => one.stop()));
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
  await Promise.allSettled(Array.from(flowing, (one) => one.stop()));
  await Promise.all(demos.map((demo) => demo.stop()));
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
    const faulty = await startDemo(FAULTY);
    const calm = traffic(faulty, 20, CALM);
    await stack.prometheus.queried('mcp:tool_calls:rate5m');
    await stack.prometheus.queried('up == 1', ({ length }) => length === 3);
    expect(await firing()).toEqual([]);

    const silent = await startDemo('silent');
    const flooded = await startDemo('flooded', {
      env: { OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_SCHEDULE_DELAY: '1000' },
    });
    const busy = await startDemo('busy');
    await silent.call(CALM);
    await stack.prometheus.queried('mcp_server_operation_duration_seconds_count{service_name="silent"}');
    await silent.stop();
    const faults = [
      traffic(faulty, 10, CRASH, false),
      traffic(faulty, 3, SLOW),
      traffic(faulty, 5, OUTAGE),
      traffic(flooded, 30, CALM),
    ];
    // its calls succeed throughout, whatever becomes of its telemetry
    const steady = traffic(busy, BUSY_PER_SECOND, FORECAST);
    await stack.stopProgram('jaeger');

    await untilFiring('every alert fires', all, 120_000);
    const found = await firing();
    const labels = (alert: string) => found.filter(({ name }) => name === alert).map((one) => one.labels);
    const ofFaulty = (more: Record<string, string> = {}) => [
      expect.objectContaining({ service_name: FAULTY, ...more }) as object,
    ];
    for (const alert of all.filter((name) => /^Mcp(ErrorBudget|ServerUnhealthy)/.test(name))) {
      expect(labels(alert), alert).toEqual(ofFaulty());
    }
    expect(labels('McpToolFailing')).toEqual(ofFaulty({ gen_ai_tool_name: CRASH.tool }));
    expect(labels('McpToolSlow')).toEqual(ofFaulty({ gen_ai_tool_name: SLOW.tool }));
    expect(labels('McpBreakerOpen')).toEqual(ofFaulty({ toolspan_policy_name: 'operation' }));
    expect(labels('McpServerSilent')).toEqual([expect.objectContaining({ service_name: 'silent' })]);
    expect(labels('McpTelemetryDropped')).toContainEqual(
      expect.objectContaining({
        service_name: 'flooded',
        toolspan_signal: 'traces',
        toolspan_drop_reason: 'queue_full',
      }),
    );
    expect(labels('TelemetryBackendDown')).toEqual([expect.objectContaining({ job: 'jaeger' })]);
    for (const alert of ['CollectorDropping', 'CollectorQueueFilling']) {
      expect(labels(alert), alert).toEqual([expect.objectContaining({ exporter: 'otlp_http/jaeger' })]);
    }

    // until retries are over as well
    await stack.prometheus.queried(`${DROPPED_BY_BUSY} > 0`);
    await stack.startProgram('jaeger');
    const [durations = []] = await ended(steady, ...faults);
    report('while the queue filled up', durations);
    await (await startDemo('silent')).call(CALM);
    // health looks back five minutes: what was well has to outweigh what was not
    const well = [calm, traffic(faulty, 60, CALM), traffic(faulty, 2, RECOVERED, false)];
    await untilFiring('no alert fires any more', [], 180_000);
    await ended(...well);
  });

  verifies('stack.queue-full', async () => {
    // of the test before: what the queue did not take is counted by the collector, and by the server that was told so
    const [lost] = await stack.prometheus.query('sum(otelcol_exporter_enqueue_failed_spans_total)');
    expect(lost?.value).toBeGreaterThan(0);
    const [counted] = await stack.prometheus.query(DROPPED_BY_BUSY);
    expect(counted?.value).toBeGreaterThan(0);
  });
});
