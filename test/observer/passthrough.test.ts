// What must not change: what handlers are given and give back, and every byte of an answer.
import { createServer } from 'node:http';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { describe, expect } from 'vitest';
import { instrumentHandler, instrumentServer } from '../../src/index.ts';
import { referenceServer } from '../fixtures/reference-server.ts';
import { listening } from '../harness/http-server.ts';
import { connect, describeMatrix } from '../harness/matrix.ts';
import { recorder } from '../harness/recorder.ts';
import { GENERATIONS, INITIALIZE, script, ScriptedTransport, type Json } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

describe.each(GENERATIONS)('handlers on %s', (generation) => {
  verifies('passthrough.arguments', async () => {
    const server = (
      generation === 'v1' ? new ServerV1({ name: 's', version: '1' }) : new McpServer({ name: 's', version: '1' })
    ) as McpServer;
    const calls: { receiver: unknown; args: unknown[] }[] = [];
    const result = { content: [{ type: 'text' as const, text: 'x' }] };
    const registered = server.registerTool('look', {}, function (this: unknown, ...args: unknown[]) {
      calls.push({ receiver: this, args });
      return result;
    } as never);
    const { transport, call } = await script(server);
    call(1, 'look', {}, { mine: 1 });
    const answer = await transport.answer(1);
    expect(answer['result']).toEqual(result);
    expect(calls).toHaveLength(1);
    const { args, receiver } = calls[0] ?? { args: [], receiver: 'never called' };
    const extra = args[0] as { _meta?: unknown; mcpReq?: { _meta?: unknown }; requestId?: unknown; signal?: unknown };
    expect(args).toHaveLength(1);
    expect(receiver).toBeUndefined();
    expect(extra._meta ?? extra.mcpReq?._meta).toEqual({ mine: 1 });
    expect(typeof registered.update).toBe('function');
  });

  verifies('passthrough.thenable', async () => {
    const server = (
      generation === 'v1' ? new ServerV1({ name: 's', version: '1' }) : new McpServer({ name: 's', version: '1' })
    ) as McpServer;
    let asked = 0;
    const query = {
      // oxlint-disable-next-line unicorn/no-thenable -- a lazy thenable is what the test is about
      then(resolve: (value: unknown) => void) {
        asked++;
        resolve({ content: [] });
      },
    };
    server.registerTool('query', {}, () => query as never);
    const { transport, call } = await script(server);
    call(1, 'query');
    await transport.answer(1);
    expect(asked).toBe(1);
  });

  verifies('passthrough.answers', async () => {
    const conversation: Json[] = [
      INITIALIZE,
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      ...['echo', 'boom', 'boom_later', 'fails', 'returns_nothing', 'no such tool', 'constructor', '__proto__'].map(
        (name, index) => ({
          jsonrpc: '2.0',
          id: 10 + index,
          method: 'tools/call',
          params: { name, arguments: { text: 'hi' }, _meta: { progressToken: index } },
        }),
      ),
      { jsonrpc: '2.0', id: 30, method: 'tools/call', params: {} },
      { jsonrpc: '2.0', id: 31, method: 'tools/call' },
      { jsonrpc: '2.0', id: 32, method: 'prompts/get', params: { name: 'greet', arguments: { name: 'Ada' } } },
      { jsonrpc: '2.0', id: 33, method: 'resources/read', params: { uri: 'memo://torn' } },
      { jsonrpc: '2.0', id: 34, method: 'no/such/method' },
      { jsonrpc: '2.0', id: 'ping', method: 'ping' },
    ];
    const answers = async (instrumented: boolean) => {
      const server = referenceServer(generation) as McpServer;
      const { tracerProvider, meterProvider } = recorder();
      if (instrumented) instrumentServer(server, { tracerProvider, meterProvider, errors: 'passthrough' });
      const transport = new ScriptedTransport();
      await server.connect(transport);
      for (const message of conversation) transport.deliver(message);
      const ids = conversation.flatMap(({ id }) => (id === undefined ? [] : [id]));
      await Promise.all(ids.map((id) => transport.answer(id)));
      return transport.sent.map((message) => JSON.stringify(message)).toSorted();
    };
    expect(await answers(true)).toEqual(await answers(false));
  });
});

describe('over HTTP', () => {
  verifies('passthrough.answers', async () => {
    const modern = { 'mcp-protocol-version': '2026-07-28' };
    const envelope = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 't', version: '0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const request = (method: string, params: Json = {}) => ({ jsonrpc: '2.0', id: 1, method, params });
    const name = (tool: string) => ({ ...modern, 'mcp-method': 'tools/call', 'mcp-name': tool });
    const posts: [Record<string, string>, unknown][] = [
      [{}, INITIALIZE],
      [{}, request('tools/call', { name: 'boom' })],
      [{}, request('no/such/method')],
      [{}, 'not json'],
      [{ 'content-type': 'text/plain' }, INITIALIZE],
      [name('echo'), request('tools/call', { name: 'echo', arguments: { text: 'hi' }, _meta: envelope })],
      [name('boom'), request('tools/call', { name: 'boom', arguments: {}, _meta: envelope })],
      [{ ...modern, 'mcp-method': 'no/such/method' }, request('no/such/method', { _meta: envelope })],
      [{ ...modern, 'mcp-method': 'tools/list' }, request('tools/call', { name: 'echo', _meta: envelope })],
      [modern, request('tools/list')],
    ];
    const answers = async (instrumented: boolean) => {
      const { tracerProvider, meterProvider } = recorder();
      const options = { tracerProvider, meterProvider };
      const make = () => referenceServer('v2') as McpServer;
      const instrument = () => instrumentServer(make(), { ...options, errors: 'passthrough' });
      const handler = createMcpHandler(instrumented ? instrument : make);
      const handle = toNodeHandler(instrumented ? instrumentHandler(handler, options) : handler);
      const http = createServer((incoming, response) => void handle(incoming as never, response));
      const url = `${await listening(http)}/`;
      const given: unknown[] = [];
      for (const [headers, body] of posts) {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        });
        const kept = [...response.headers].filter(([key]) => key !== 'date');
        given.push([response.status, kept, await response.text()]);
      }
      http.close();
      return given;
    };
    const instrumented = await answers(true);
    expect(instrumented).toEqual(await answers(false));
    expect(instrumented.map((answer) => (answer as [number])[0])).toEqual([
      200, 200, 200, 400, 415, 200, 200, 404, 400, 400,
    ]);
  });
});

describeMatrix(
  'results',
  (combination) => {
    verifies(
      'passthrough.answers',
      async () => {
        const results = async (instrumented: boolean) => {
          const { client, call, close } = await connect(combination, {
            instrumented,
            server: { errors: 'passthrough' },
          });
          const given = [
            await client.listTools(),
            await call('echo', { text: 'hi' }),
            await call('boom'),
            await call('fails'),
            await call('nope').catch((error: Error) => error.message),
            await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } }),
          ];
          await close();
          return given;
        };
        expect(await results(true)).toEqual(await results(false));
      },
      'as a client sees them',
    );
  },
  ({ carrier }) => carrier !== 'stdio',
);

describe('a public server', () => {
  verifies('passthrough.public-server', async () => {
    const entry = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-memory/dist/index.js');
    const instrumenting = new URL('../fixtures/instrument-any.ts', import.meta.url).pathname;
    const bare = await converse([entry]);
    const instrumented = await converse(['--import', instrumenting, entry]);
    expect(instrumented.stdout).toBe(bare.stdout);
    expect(bare.stdout.split('\n').length).toBeGreaterThan(8);
    // not a comparison of two bare servers
    expect(instrumented.spans).toContain('tools/call create_entities');
    expect(instrumented.spans).toContain('tools/call read_graph');
  });
});

async function converse(args: readonly string[]): Promise<{ stdout: string; spans: string[] }> {
  const memory = `/tmp/toolspan-memory-${process.pid}-${args.length}.jsonl`;
  const child = spawn(process.execPath, args, {
    env: { ...process.env, MEMORY_FILE_PATH: memory },
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  const spans: string[] = [];
  child.on('message', (name: string) => spans.push(name));
  let stdout = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  const entity = { name: 'Ada', entityType: 'person', observations: ['wrote the first program'] };
  const call = (id: number, name: string, args_: Json) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name, arguments: args_ },
  });
  const messages = [
    INITIALIZE,
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    call(2, 'create_entities', { entities: [entity] }),
    call(3, 'add_observations', { observations: [{ entityName: 'Nobody', contents: ['x'] }] }),
    call(4, 'search_nodes', { query: 'program' }),
    call(5, 'read_graph', {}),
    call(6, 'no_such_tool', {}),
    call(7, 'delete_entities', { entityNames: ['Ada'] }),
    { jsonrpc: '2.0', id: 8, method: 'resources/list' },
  ];
  // one at a time: the order of answers is then the order of requests
  for (const message of messages) {
    const lines = stdout.split('\n').length;
    child.stdin?.write(`${JSON.stringify(message)}\n`);
    if ('id' in message) {
      await expect.poll(() => stdout.split('\n').length, { timeout: 10_000, interval: 5 }).toBeGreaterThan(lines);
    }
  }
  child.kill();
  await once(child, 'exit');
  rmSync(memory, { force: true });
  return { stdout, spans };
}
