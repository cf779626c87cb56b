// Logs in Loki. Runs where that is built or pulled: vitest.config.ts leaves it out where it is not.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { DemoServer } from './demo-server.ts';
import { Load } from './load-process.ts';
import { Stack } from './stack.ts';

const SERVICE = 'logging';

let stack: Stack;
let load: Load;

beforeAll(async () => {
  stack = await Stack.start({ programs: ['otelcol', 'jaeger', 'prometheus', 'loki'], overlays: ['loki.yaml'] });
  load = await Load.start(SERVICE, stack.otlp);
  await load.behave({ callsPerSecond: 0 });
});

afterAll(async () => {
  await load?.stop();
  await stack?.stop();
});

/** What Grafana asks for on the way from a trace to its logs. */
const linesOf = (traceId: string, service = SERVICE) =>
  eventually(
    `log records of trace ${traceId}`,
    async () => {
      const query = new URLSearchParams({
        query: `{service_name="${service}"} | trace_id = "${traceId}"`,
        since: '10m',
      });
      const response = await fetch(`${stack.loki}/loki/api/v1/query_range?${query.toString()}`);
      const text = await response.text();
      const { data } = JSON.parse(text) as { data: { result: { values: [string, string][] }[] } };
      const lines = data.result.flatMap(({ values }) => values.map(([, line]) => line));
      return lines.length > 0 ? { lines, text } : undefined;
    },
    30_000,
    250,
  );

describe('logs', () => {
  verifies('stack.logs', async () => {
    const { traceId } = await load.call({ tool: 'instrumented_tool' });
    expect((await linesOf(traceId)).lines).toEqual(['instrumented_tool called']);
    expect(await stack.jaeger.traceOf(traceId, 2)).toHaveLength(2);

    const careless = await load.call({
      tool: 'robust_operation',
      code: 'INTERNAL_ERROR',
      secret: 'ghp_q7FzX0c1kP9sL2mN8vB4',
    });
    const { lines, text } = await linesOf(careless.traceId);
    expect(lines).toHaveLength(1);
    expect(text).toContain('****');
    expect(text).not.toContain('q7FzX0c1kP9sL2mN8vB4');
  });

  verifies(
    'stack.logs',
    async () => {
      const demo = await DemoServer.start(stack.otlp);
      try {
        const traceId = randomBytes(16).toString('hex');
        const _meta = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
        await demo.client.callTool({ name: 'robust_operation', arguments: { input_data: 'invalid' }, _meta });
        const { text } = await linesOf(traceId, 'toolspan-demo');
        expect(text).toContain('robust_operation');
        expect(text).toContain('VALIDATION_ERROR');
      } finally {
        await demo.stop();
      }
    },
    'of the demo',
  );
});
