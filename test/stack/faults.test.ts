// The demo's server under steady calls while parts of the stack fail, one after the other: nothing acknowledged may be lost, and the
// calls may not notice.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { DemoServer } from './demo-server.ts';
import { RecordingProxy } from './recording-proxy.ts';
import { Stack } from './stack.ts';
import { report, Traffic } from './traffic.ts';

const CALLS_PER_SECOND = 20;
const MINUTE_MS = 60_000;
// a call is two spans: the tool's, and that of its request to the weather service
const SPANS = ['tools/call forecast', 'GET'];

let stack: Stack;
let proxy: RecordingProxy;
let demo: DemoServer;
let made = 0;

beforeAll(async () => {
  stack = await Stack.start();
  proxy = await RecordingProxy.start(stack.otlp);
  demo = await DemoServer.start(proxy.url);
  // warm, so that the undisturbed run is not that of the start
  await callsWhile(after(2_000));
});

afterAll(async () => {
  await demo?.stop();
  proxy?.stop();
  await stack?.stop();
});

// how long an outage lasts; nothing is waited for by it
const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Calls the demo steadily until something is over; gives the durations in ms. A call that fails, fails the test. */
async function callsWhile(under: Promise<unknown>): Promise<number[]> {
  const traffic = new Traffic(CALLS_PER_SECOND, async () => {
    const { isError } = await demo.call({ tool: 'forecast', args: { city: 'Paris' } });
    if (isError === true) throw new Error('a call of the demo failed');
  });
  try {
    await under;
  } finally {
    made += traffic.begun;
  }
  return traffic.stop();
}

/** Makes calls while something is disturbed, then holds what the collector acknowledged against what Jaeger has. */
async function nothingLost(what: string, disturb: () => Promise<void>): Promise<void> {
  report(what, await callsWhile(disturb()));
  const started = made * SPANS.length;
  const acknowledged = () => [...proxy.acknowledged.values()].filter(({ name }) => SPANS.includes(name)).length;
  const accounted = async () => acknowledged() + (await dropped());
  await eventually(
    'every span is acknowledged or dropped',
    async () => (await accounted()) >= started || undefined,
    30_000,
    250,
  );
  expect(await accounted()).toBe(started);
  process.stdout.write(
    `${what}: ${started} spans started = ${acknowledged()} acknowledged + ${await dropped()} dropped\n`,
  );
  const missing = new Map(proxy.acknowledged);
  await eventually(
    `all of ${missing.size} acknowledged spans are in Jaeger, each once`,
    async () => {
      const traceIds = new Set(Array.from(missing.values(), ({ traceId }) => traceId));
      for (const traceId of traceIds) {
        const ids = (await stack.jaeger.trace(traceId)).map(({ spanId }) => spanId);
        expect(ids.length, `spans of trace ${traceId} that are there twice`).toBe(new Set(ids).size);
        for (const id of ids) missing.delete(id);
      }
      return missing.size === 0 || undefined;
    },
    60_000,
    500,
  );
}

async function dropped(): Promise<number> {
  const [series] = await stack.prometheus.query(
    'sum(toolspan_telemetry_dropped_total{service_name="toolspan-demo", toolspan_signal="traces"})',
  );
  return series?.value ?? 0;
}

describe('while parts of the stack fail', () => {
  verifies('stack.jaeger-down', async () => {
    report('undisturbed', await callsWhile(after(10_000)));
    await nothingLost('Jaeger down for a minute', async () => {
      await stack.stopProgram('jaeger', 'SIGKILL');
      await after(MINUTE_MS);
      await stack.startProgram('jaeger');
    });
  });

  verifies('stack.prometheus-down', async () => {
    const started = Date.now() / 1_000;
    await nothingLost('Prometheus down for 15 s', async () => {
      await stack.stopProgram('prometheus', 'SIGKILL');
      await after(15_000);
      await stack.startProgram('prometheus');
    });
    const ended = Date.now() / 1_000;
    const calls = `mcp_server_operation_duration_seconds_count{service_name="toolspan-demo", gen_ai_tool_name="forecast"}`;
    // exported once a second; what was queued meanwhile closes the gap
    await eventually(
      'no gap is left in the metrics',
      async () => {
        const times = await stack.prometheus.times(calls, started, ended);
        const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
        return times.length > 10 && Math.max(...gaps) < 4 ? true : undefined;
      },
      60_000,
      500,
    );
  });

  verifies('stack.collector-killed', async () => {
    await nothingLost('collector killed twice', async () => {
      for (let round = 0; round < 2; round++) {
        await after(3_000);
        await stack.stopProgram('otelcol', 'SIGKILL');
        await after(1_000);
        await stack.startProgram('otelcol');
      }
      await after(3_000);
    });
  });
});
