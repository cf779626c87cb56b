// `toolspan wrap` around servers of the official SDKs for Python and Go, over both transports.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect } from 'vitest';
import { instrumentClient } from '../../src/index.ts';
import { Child } from '../harness/child.ts';
import { startCollector, type Collector } from '../harness/collector.ts';
import { freePort } from '../harness/http-server.ts';
import { eventually } from '../harness/poll.ts';
import { recorder } from '../harness/recorder.ts';
import type { RecordedSpan } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';
import { PATIENT } from '../harness/wrapped.ts';
import { binary, python, script } from './programs.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const SERVERS = {
  Python: { command: python, args: [script('serve.py')] },
  Go: { command: binary('serve'), args: [] },
} as const;
const CARRIERS = ['stdio', 'http'] as const;

const text = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

/** A client connected to a wrapped server; gives what ends both. */
async function connectThrough(
  client: Client,
  carrier: (typeof CARRIERS)[number],
  { command, args }: (typeof SERVERS)[keyof typeof SERVERS],
  collector: Collector,
  flags: readonly string[],
): Promise<() => Promise<void>> {
  const env = { ...PATIENT, PATH: process.env['PATH'] ?? '', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  if (carrier === 'stdio') {
    const wrapped = [MAIN, 'wrap', ...flags, '--', command, ...args];
    await client.connect(new StdioClientTransport({ command: process.execPath, args: wrapped, env, stderr: 'ignore' }));
    return () => client.close();
  }
  const port = await freePort();
  const server = new Child(command, [...args, String(port)], { env });
  await eventually('the server listens', () =>
    fetch(`http://127.0.0.1:${port}/mcp`).then(
      () => true,
      () => undefined,
    ),
  );
  const url = `http://127.0.0.1:${port}/mcp`;
  const proxy = new Child(process.execPath, [MAIN, 'wrap', ...flags, '--url', url, '--listen', '0'], { env });
  const ours = await eventually('the port of the proxy', () => /127\.0\.0\.1:(\d+)/.exec(proxy.stderr)?.[1]);
  await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${ours}/mcp`)));
  return async () => {
    await client.close();
    await proxy.kill('SIGTERM');
    await server.kill('SIGTERM');
  };
}

describe.each(['Python', 'Go'] as const)('%s', (language) => {
  for (const carrier of CARRIERS) {
    for (const flags of [[], ['--propagate']]) {
      verifies(
        'peers.wrap',
        async () => {
          const collector = await startCollector();
          const recorded = recorder();
          const { tracerProvider, meterProvider } = recorded;
          const client = new Client({ name: 'ours', version: '1' });
          instrumentClient(client, { tracerProvider, meterProvider });
          const close = await connectThrough(client, carrier, SERVERS[language], collector, flags);
          await client.listTools();
          expect(text(await client.callTool({ name: 'echo', arguments: { text: 'grüße 🙂' } }))).toBe('grüße 🙂');
          expect(await client.callTool({ name: 'boom' })).toMatchObject({ isError: true });
          const seen = language === 'Go' ? text(await client.callTool({ name: 'seen' })) : undefined;
          await close();

          const wrapped = await eventually('the spans of the proxy', () => {
            const spans = collector
              .spans()
              .filter(({ scope, name }) => scope === 'toolspan' && name.startsWith('tools/call'));
            return spans.length >= (language === 'Go' ? 3 : 2) ? spans : undefined;
          });
          expect(wrapped.map(({ name, attributes }) => [name, attributes['toolspan.outcome']]).slice(0, 2)).toEqual([
            ['tools/call echo', 'ok'],
            ['tools/call boom', 'tool_error'],
          ]);
          const asked = recorded.spans().filter(({ name }) => name.startsWith('tools/call'));
          for (const [index, span] of wrapped.entries()) {
            expect(span).toMatchObject({ traceId: asked[index]?.traceId, parentSpanId: asked[index]?.spanId, kind: 1 });
          }
          // who the server believes to have called it: our client, or the proxy where that says so
          const [caller] = (flags.length > 0 ? wrapped : asked) as [RecordedSpan];
          if (language === 'Python') {
            await eventually('the span of the server', () =>
              collector
                .spans()
                .find(({ parentSpanId, scope }) => parentSpanId === caller.spanId && scope !== 'toolspan'),
            );
          } else {
            const { traceId, spanId } = (flags.length > 0 ? wrapped : asked)[2] as RecordedSpan;
            expect(seen).toBe(`00-${traceId}-${spanId}-01`);
          }
          await collector.close();
        },
        `${language} over ${carrier}${flags.length > 0 ? ' with --propagate' : ''}`,
      );
    }
  }
});
