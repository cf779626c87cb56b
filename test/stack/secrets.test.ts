// Secrets that a careless server lets slip, and what a client says: neither is to be stored anywhere.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { DemoServer } from './demo-server.ts';
import { Load } from './load-process.ts';
import { Stack } from './stack.ts';

// the second part of each is what must not be found
const SECRETS = [
  ['Bearer ', 'q7FzX0c1kP9sL2mN8vB4'],
  ['sk-', 'ant-q7FzX0c1kP9sL2mN8vB4'],
  ['ghp_', 'q7FzX0c1kP9sL2mN8vB4q7FzX0c1kP9sL2mN'],
  ['password=', 'correct-horse-battery'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJxN0Z6WDBjIn0.', 'q7FzX0c1kP9sL2mN8vB4'],
  ['postgres://app:', 'q7FzX0c1kP9sL2@db'],
] as const;
const SAID = 'purple-walrus-4711';

let stack: Stack;
let load: Load;

beforeAll(async () => {
  stack = await Stack.start();
  load = await Load.start('careless', stack.otlp);
});

afterAll(async () => {
  await load?.stop();
  await stack?.stop();
});

/** All that was stored, as bytes on disk: of Jaeger, of Prometheus, and what waits in the collector. */
function stored(): Buffer[] {
  return readdirSync(stack.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

describe('secrets', () => {
  verifies('stack.secrets', async () => {
    for (const [start, rest] of SECRETS) {
      const secret = start + rest;
      const called = await load.call({ tool: 'robust_operation', code: 'INTERNAL_ERROR', secret });
      const spans = await stack.jaeger.traceOf(called.traceId, 2);
      const careless = spans.find(({ spanId }) => spanId === called.server);
      expect(careless?.attributes['gen_ai.tool.name']).toBe('robust_operation');
      // it was there, and is masked: in attributes, lists, events, the name and the status
      expect(careless?.attributes['note']).toMatch(/^I said .*\*\*\*\*/);
      expect(careless?.status.message).toContain('****');
      expect(careless?.name).toContain('****');
      expect(JSON.stringify(spans)).not.toContain(rest);
    }
    await stack.prometheus.queried('mcp_server_operation_duration_seconds_count{note=~".*[*]{4}.*"}');
    const series = JSON.stringify(await stack.prometheus.series('{service_name="careless"}'));
    for (const [, rest] of SECRETS) expect(series).not.toContain(rest);
  });

  verifies(
    'stack.secrets',
    async () => {
      const demo = await DemoServer.start(stack.otlp);
      const { tools } = await demo.client.listTools();
      expect(tools.length).toBeGreaterThan(2);
      for (const { name } of [...tools, { name: 'unknown' }]) {
        if (name === 'forecast') continue; // it puts the city into the address that it asks, which is a tool's own doing
        for (const text of [SAID, `invalid ${SAID}`, `fail ${SAID}`]) {
          const args = { input_data: text, note: text, to: text, a: text, seconds: text };
          await demo.client.callTool({ name, arguments: args }).catch(() => undefined);
        }
      }
      await demo.stop();
      await eventually(
        'the calls are in Jaeger',
        async () => {
          const spans = await stack.jaeger.traces('toolspan-demo');
          return spans.filter(({ name }) => name.startsWith('tools/call')).length > 3 * (tools.length - 1)
            ? true
            : undefined;
        },
        20_000,
        250,
      );
      expect(JSON.stringify(await stack.jaeger.traces('toolspan-demo', 1_000))).not.toContain(SAID);
      expect(JSON.stringify(await stack.prometheus.series('{service_name="toolspan-demo"}'))).not.toContain(SAID);
    },
    'and what clients say in arguments',
  );

  verifies(
    'stack.secrets',
    async () => {
      // stopped, so that everything is on disk
      for (const name of ['otelcol', 'jaeger', 'prometheus'] as const) await stack.stopProgram(name);
      const files = stored();
      expect(files.some((file) => file.includes('robust_operation'))).toBe(true);
      for (const text of [SAID, ...SECRETS.map(([, rest]) => rest)]) {
        expect(
          files.some((file) => file.includes(text)),
          text,
        ).toBe(false);
      }
    },
    'nor is any of it on disk',
  );
});
