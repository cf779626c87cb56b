// What the settings ask for, through the doors that need no code: policies around tools, and the tools of an agent.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { startCollector } from '../harness/collector.ts';
import type { AnyClient, Peer, ToolResult } from '../harness/matrix.ts';
import { verifies } from '../harness/verifies.ts';
import { SILENT } from '../harness/wrapped.ts';
import { connectBehind } from './behind.ts';

const POLICIES = join(mkdtempSync(join(tmpdir(), 'toolspan-policies-')), 'policies.json');
writeFileSync(
  POLICIES,
  JSON.stringify({ tools: { hang: { timeoutMs: 300 }, echo: { rateLimit: { permits: 1, perMs: 3_600_000 } } } }),
);

const CASES = (['register', 'wrap'] as const).flatMap((door) =>
  (['stdio', 'http'] as const).flatMap((carrier) =>
    (['v1', 'v2 modern'] as const).map((peer) => ({ door, carrier, peer })),
  ),
);

const call = (peer: Peer, client: AnyClient, name: string, args: object = {}): Promise<ToolResult> => {
  const params = { name, arguments: args };
  return peer === 'v1' ? client.callTool(params, undefined, {}) : client.callTool(params, {});
};

const codeOf = ({ _meta }: ToolResult): unknown =>
  (_meta?.['toolspan/error'] as { readonly code?: unknown } | undefined)?.code;

describe.each(CASES)('$door, $peer over $carrier', ({ door, carrier, peer }) => {
  const how = `${door}, ${peer} over ${carrier}`;

  verifies(
    'doors.policies',
    async () => {
      const collector = await startCollector();
      const { client, stop } = await connectBehind(door, peer, carrier, {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        TOOLSPAN_CONFIG: POLICIES,
      });
      expect((await call(peer, client, 'echo', { text: 'hi' })).content).toEqual([{ type: 'text', text: 'hi' }]);
      const [refused, late] = [await call(peer, client, 'echo', { text: 'hi' }), await call(peer, client, 'hang')];
      expect([refused.isError, late.isError]).toEqual([true, true]);
      await client.close();
      await stop();
      const spans = collector.spans();
      const events = spans.flatMap((span) =>
        span.events.map(({ name, attributes }) => [span.name, name, attributes['toolspan.policy.name']]),
      );
      const policies = events.map(([span, name, policy]) => [span, name, String(policy).replace(/^.*\//, '')]);
      expect(policies).toContainEqual(['tools/call echo', 'toolspan.rate_limit.rejected', 'echo']);
      expect(policies.map(([, ...event]) => event)).toContainEqual(['toolspan.timeout', 'hang']);
      const codes = spans.flatMap(({ attributes }) => attributes['toolspan.error.code'] ?? []);
      expect(codes).toEqual(expect.arrayContaining(['RATE_LIMIT_EXCEEDED', 'TIMEOUT']));
      // at the proxy nobody else says it; behind register the answer stays the one of the SDK
      if (door === 'wrap') expect([codeOf(refused), codeOf(late)]).toEqual(['RATE_LIMIT_EXCEEDED', 'TIMEOUT']);
      await collector.close();
    },
    how,
  );

  verifies(
    'doors.policies',
    async () => {
      const { client, stop } = await connectBehind(door, peer, carrier, {
        ...SILENT,
        TOOLSPAN_CONFIG: POLICIES,
        TOOLSPAN_DISABLED: 'true',
      });
      expect((await call(peer, client, 'echo', { text: 'hi' })).isError).toBeFalsy();
      expect((await call(peer, client, 'echo', { text: 'hi' })).isError).toBe(true);
      await client.close();
      await stop();
    },
    `without telemetry: ${how}`,
  );

  verifies(
    'doors.tools',
    async () => {
      const { client, stop } = await connectBehind(door, peer, carrier, { ...SILENT, TOOLSPAN_TOOLS: 'true' });
      const { tools } = (await client.listTools()) as { tools: { name: string; outputSchema?: { type: string } }[] };
      const ours = tools.filter(({ name }) => name.startsWith('get_'));
      expect(ours.map(({ name, outputSchema }) => [name, outputSchema?.type])).toEqual(
        ['get_server_health', 'get_server_metrics', 'get_recent_errors', 'get_trace'].map((name) => [name, 'object']),
      );
      expect(tools.length).toBeGreaterThan(10);
      await call(peer, client, 'echo', { text: 'hi' });
      await call(peer, client, 'fails');
      // the clients check the answer against the schema
      const health = (await call(peer, client, 'get_server_health')) as ToolResult & { structuredContent: object };
      expect(health.isError).toBeFalsy();
      expect(health.structuredContent).toMatchObject({ request_count: 2, error_count: 1, caller_mistake_count: 0 });
      const wrong = await call(peer, client, 'get_trace', { trace_id: 'x' });
      expect([wrong.isError, wrong.content[0]?.text]).toEqual([true, expect.stringContaining('32 hexadecimal digits')]);
      await client.close();
      await stop();
    },
    how,
  );
});

describe.each(['stdio', 'http'] as const)('two doors on one way, over %s', (carrier) => {
  verifies(
    'doors.tools',
    async () => {
      const settings = { ...SILENT, TOOLSPAN_TOOLS: 'true' };
      const { client, stop } = await connectBehind('register behind wrap', 'v1', carrier, settings);
      const { tools } = (await client.listTools()) as { tools: { name: string }[] };
      const names = tools.map(({ name }) => name).filter((name) => name.includes('get_'));
      expect(names.slice(-8)).toEqual(
        ['', 'toolspan_'].flatMap((prefix) =>
          ['get_server_health', 'get_server_metrics', 'get_recent_errors', 'get_trace'].map((name) => prefix + name),
        ),
      );
      await call('v1', client, 'echo', { text: 'hi' });
      // the process of the server answers under its own name, the proxy under the other one
      const answers = [
        await call('v1', client, 'get_server_health'),
        await call('v1', client, 'toolspan_get_server_health'),
      ] as unknown as { structuredContent: { request_count: number; process: unknown } }[];
      const [inner, outer] = answers.map(({ structuredContent }) => structuredContent);
      // to the proxy a call of the server's tool is a call like any other
      expect([inner?.request_count, outer?.request_count]).toEqual([1, 2]);
      expect(inner?.process).not.toEqual(outer?.process);
      await client.close();
      await stop();
    },
    `names that are taken: ${carrier}`,
  );
});
