// Secrets that a careless server lets slip, and what a client says: neither is to be stored anywhere.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually } from '../harness/poll.ts';
import { SECRETS } from '../harness/secrets.ts';
import { verifies } from '../harness/verifies.ts';
import { DemoServer } from './demo-server.ts';
import { Load } from './load-process.ts';
import { Stack } from './stack.ts';

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
    for (const [form, secret, around] of SECRETS) {
      const { traceId, spanId } = await load.careless(around);
      const spans = await stack.jaeger.traceOf(traceId, 1);
      const careless = spans.find((span) => span.spanId === spanId);
      // it was there, and is masked: in attributes, lists, events, the name and the status
      expect(careless?.attributes['note'], form).toMatch(/^I said .*\*\*\*\*/s);
      expect(careless?.status.message, form).toContain('****');
      expect(careless?.name, form).toContain('****');
      expect(JSON.stringify(spans), form).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
    await stack.prometheus.queried('careless_answers_total{note=~".*[*]{4}.*"}');
    const series = JSON.stringify(await stack.prometheus.series('{service_name="careless"}'));
    for (const [form, secret] of SECRETS) expect(series, form).not.toContain(secret);
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
      expect(files.some((file) => file.includes('monitored_operation'))).toBe(true);
      for (const text of [SAID, ...SECRETS.map(([, secret]) => secret)]) {
        expect(
          files.some((file) => file.includes(text)),
          text,
        ).toBe(false);
      }
    },
    'nor is any of it on disk',
  );
});
