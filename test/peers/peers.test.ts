// Clients and servers of the official SDKs for Python and Go, on the other side of ours.
import { createServer } from 'node:http';
import { spawnSync } from 'node:child_process';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server';
import { describe, expect } from 'vitest';
import { instrumentClient, instrumentServer } from '../../src/index.ts';
import { referenceServer } from '../fixtures/reference-server.ts';
import { Child } from '../harness/child.ts';
import { startCollector, type Collector } from '../harness/collector.ts';
import { freePort, listening } from '../harness/http-server.ts';
import { eventually } from '../harness/poll.ts';
import { recorder } from '../harness/recorder.ts';
import type { RecordedSpan } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';
import { binary, python, script } from './programs.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const SERVER_KIND = 1;
const CLIENT_KIND = 2;

const CARRIERS = ['stdio', 'http'] as const;
type Carrier = (typeof CARRIERS)[number];

const stdioServer = new URL('../fixtures/stdio-server.ts', import.meta.url).pathname;
const text = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

async function answersOf(command: string, args: readonly string[], env: Record<string, string>): Promise<unknown[]> {
  const ended = await new Child(command, args, { env }).ended();
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  return JSON.parse(ended.stdout) as unknown[];
}

/** Runs a foreign client against our server; returns its answers and the spans of our server. */
async function clientAgainstUs(
  carrier: Carrier,
  collector: Collector,
  run: (target: readonly string[]) => Promise<unknown[]>,
): Promise<{ answers: unknown[]; ours: RecordedSpan[] }> {
  if (carrier === 'stdio') {
    const answers = await run(['--', process.execPath, stdioServer, 'v2']);
    const ours = await eventually('the spans of the server', () => {
      const spans = collector.spans().filter(({ scope }) => scope === 'toolspan');
      return spans.some(({ name }) => name === 'tools/call _other') ? spans : undefined;
    });
    return { answers, ours };
  }
  const recorded = recorder();
  const { tracerProvider, meterProvider } = recorded;
  const handle = toNodeHandler(
    createMcpHandler(() => instrumentServer(referenceServer('v2'), { tracerProvider, meterProvider }) as McpServer),
  );
  const http = createServer((request, response) => void handle(request as never, response));
  const url = `${await listening(http)}/mcp`;
  try {
    return { answers: await run([url]), ours: recorded.spans() };
  } finally {
    http.closeAllConnections();
    http.close();
  }
}

/** Our client, connected to a foreign server over one of the carriers. */
async function withServer(
  carrier: Carrier,
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  body: (client: Client, spans: () => RecordedSpan[]) => Promise<void>,
): Promise<void> {
  const recorded = recorder();
  const client = new Client({ name: 'ours', version: '1' });
  const { tracerProvider, meterProvider } = recorded;
  instrumentClient(client, { tracerProvider, meterProvider });
  if (carrier === 'stdio') {
    const path = { PATH: process.env['PATH'] ?? '' };
    await client.connect(
      new StdioClientTransport({ command, args: [...args], env: { ...path, ...env }, stderr: 'ignore' }),
    );
    try {
      await body(client, recorded.spans);
    } finally {
      await client.close();
    }
    return;
  }
  const port = await freePort();
  const server = new Child(command, [...args, String(port)], { env });
  const url = `http://127.0.0.1:${port}/mcp`;
  try {
    await eventually('the server listens', () =>
      fetch(url).then(
        () => true,
        () => undefined,
      ),
    );
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    await body(client, recorded.spans);
    await client.close();
  } finally {
    await server.kill('SIGKILL');
  }
}

describe.each(CARRIERS)('Python over %s', (carrier) => {
  for (const mode of ['legacy', 'auto']) {
    verifies(
      'peers.client',
      async () => {
        const collector = await startCollector();
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
        const { answers, ours } = await clientAgainstUs(carrier, collector, (target) =>
          answersOf(python, [script('call.py'), mode, ...target], env),
        );
        expect(answers[0]).toContain('echo');
        expect(answers.slice(1)).toEqual([
          { isError: false, text: 'grüße 🙂' },
          { isError: true, text: expect.stringContaining('boom went off') as string },
          { code: -32602 },
        ]);
        const theirs = collector.spans().filter(({ scope }) => scope.includes('mcp'));
        const calls = ours.filter(({ name, kind }) => name.startsWith('tools/call') && kind === SERVER_KIND);
        expect(calls.map(({ name }) => name)).toEqual(['tools/call echo', 'tools/call boom', 'tools/call _other']);
        for (const call of calls) {
          const caller = theirs.find(({ spanId }) => spanId === call.parentSpanId);
          expect(caller, call.name).toMatchObject({ traceId: call.traceId, kind: CLIENT_KIND });
        }
        await collector.close();
      },
      `Python over ${carrier}, ${mode}`,
    );
  }

  verifies(
    'peers.server',
    async () => {
      const collector = await startCollector();
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
      await withServer(carrier, python, [script('serve.py')], env, async (client, spans) => {
        await client.listTools();
        expect(text(await client.callTool({ name: 'echo', arguments: { text: 'grüße 🙂' } }))).toBe('grüße 🙂');
        expect(await client.callTool({ name: 'boom' })).toMatchObject({ isError: true });
        const calls = spans().filter(({ name }) => name.startsWith('tools/call'));
        expect(calls.map(({ name, attributes }) => [name, attributes['toolspan.outcome']])).toEqual([
          ['tools/call echo', 'ok'],
          ['tools/call boom', 'tool_error'],
        ]);
        for (const call of calls) {
          const served = await eventually('the span of the server', () =>
            collector.spans().find(({ parentSpanId }) => parentSpanId === call.spanId),
          );
          expect(served).toMatchObject({ traceId: call.traceId, kind: SERVER_KIND });
        }
      });
      await collector.close();
    },
    `Python over ${carrier}`,
  );
});

describe.each(CARRIERS)('Go over %s', (carrier) => {
  verifies(
    'peers.client',
    async () => {
      const collector = await startCollector();
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
      const { answers, ours } = await clientAgainstUs(carrier, collector, (target) =>
        answersOf(binary('call'), [`00-${TRACE}-${CALLER}-01`, ...target], env),
      );
      expect(answers[0]).toContain('echo');
      expect(answers.slice(1, 3)).toEqual([
        { isError: false, text: 'grüße 🙂' },
        { isError: true, text: expect.stringContaining('boom went off') as string },
      ]);
      const calls = ours.filter(({ name }) => name.startsWith('tools/call'));
      expect(calls.map(({ name }) => name)).toEqual(['tools/call echo', 'tools/call boom', 'tools/call _other']);
      for (const call of calls) expect(call).toMatchObject({ traceId: TRACE, parentSpanId: CALLER });
      await collector.close();
    },
    `Go over ${carrier}`,
  );

  verifies(
    'peers.server',
    () =>
      withServer(carrier, binary('serve'), [], {}, async (client, spans) => {
        await client.listTools();
        expect(text(await client.callTool({ name: 'echo', arguments: { text: 'grüße 🙂' } }))).toBe('grüße 🙂');
        expect(await client.callTool({ name: 'boom' })).toMatchObject({ isError: true });
        const seen = text(await client.callTool({ name: 'seen' }));
        const call = spans().find(({ name }) => name === 'tools/call seen');
        expect(seen).toBe(`00-${call?.traceId}-${call?.spanId}-01`);
      }),
    `Go over ${carrier}`,
  );
});

describe('the protobuf classes of Python', () => {
  verifies('peers.protobuf', async () => {
    const collector = await startCollector();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    await answersOf(binary('call'), [`00-${TRACE}-${CALLER}-01`, '--', process.execPath, stdioServer, 'v2'], env);
    const requests = await eventually('the export', () => {
      const exports = collector.received.filter(({ path }) => path === '/v1/traces');
      return exports.length > 0 ? exports : undefined;
    });
    const read = requests.map(({ body }) => {
      const { status, stdout, stderr } = spawnSync(python, [script('decode.py')], { input: body, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
      return JSON.parse(stdout) as DecodedTraces;
    });
    const theirs = read
      .flatMap((request) => request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans))
      .flatMap(({ spans }) => spans);
    const ours = collector.spans();
    expect(theirs.length).toBeGreaterThan(4);
    expect(theirs.map(({ name, spanId, attributes }) => [name, spanId, attributes.length])).toEqual(
      // JSON of protobuf has bytes in base64
      ours.map(({ name, spanId, attributes }) => [
        name,
        Buffer.from(spanId, 'hex').toString('base64'),
        Object.keys(attributes).length,
      ]),
    );
    await collector.close();
  });
});

interface DecodedTraces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly spanId: string;
        readonly attributes: readonly unknown[];
      }[];
    }[];
  }[];
}
