// Logs in Loki. Runs where that is built or pulled: vitest.config.ts leaves it out where it is not.
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
    const demo = await DemoServer.start(stack.otlp);
    try {
      const { traceId } = await demo.traced({ tool: 'robust_operation', args: { input_data: 'invalid' } });
      const { text } = await linesOf(traceId, 'toolspan-demo');
      expect(text).toContain('robust_operation');
      expect(text).toContain('VALIDATION_ERROR');
      expect(await stack.jaeger.traceOf(traceId, 1)).toHaveLength(1);
    } finally {
      await demo.stop();
    }
  });

  verifies(
    'stack.logs',
    async () => {
      const { traceId } = await load.careless('ghp_q7FzX0c1kP9sL2mN8vB4');
      const { lines, text } = await linesOf(traceId);
      expect(lines).toHaveLength(1);
      expect(text).toContain('****');
      expect(text).not.toContain('q7FzX0c1kP9sL2mN8vB4');
    },
    'of a server that lets secrets slip',
  );
});
