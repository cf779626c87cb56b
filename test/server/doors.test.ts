// The doors themselves: called twice, switched off, given nonsense, beside other instrumentations.
import { context, metrics, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import type { McpServer } from '@modelcontextprotocol/server';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, vi } from 'vitest';
import { instrumentClient, instrumentHandler, instrumentServer } from '../../src/index.ts';
import { referenceServer } from '../fixtures/reference-server.ts';
import { disableTelemetry } from '../harness/disabled.ts';
import { newClient } from '../harness/matrix.ts';
import { recorder } from '../harness/recorder.ts';
import { GENERATIONS, script, scriptReference } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

afterEach(() => vi.restoreAllMocks());

describe.each(GENERATIONS)('a server of %s', (generation) => {
  verifies('doors.twice', async () => {
    const server = referenceServer(generation) as McpServer;
    expect(instrumentServer(server)).toBe(server);
    expect(instrumentServer(server.server)).toBe(server.server);
    const recorded = recorder();
    trace.setGlobalTracerProvider(recorded.tracerProvider);
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const { transport, call } = await script(server);
    // once in a process
    if (generation === GENERATIONS[0])
      expect(String(said.mock.lastCall?.[0])).toContain(
        'tracerProvider, meterProvider, loggerProvider of the second call',
      );
    call(1, 'echo', { text: 'hi' });
    await transport.answer(1);
    expect(recorded.spans().filter(({ name }) => name === 'tools/call echo')).toHaveLength(1);
    trace.disable();
  });

  verifies('doors.foreign', async () => {
    const { transport, recorder: recorded } = await scriptReference(generation);
    const foreign = recorder()
      .tracerProvider.getTracer('another instrumentation')
      .startSpan('mcp.server tools/call', {
        kind: SpanKind.SERVER,
        attributes: { 'mcp.method.name': 'tools/call', 'jsonrpc.request.id': '1' },
      });
    const before = recorded.spans().length;
    context.with(trace.setSpan(ROOT_CONTEXT, foreign), () => {
      transport.deliver({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'boom' } });
    });
    await transport.answer(1);
    expect(recorded.spans()).toHaveLength(before);
    expect(foreign.isRecording()).toBe(true);
    expect((foreign as unknown as { attributes: object }).attributes).toMatchObject({
      'toolspan.outcome': 'tool_error',
    });
    expect((foreign as unknown as { events: unknown[] }).events).toEqual([]);
    const points = await recorded.points('mcp.server.operation.duration');
    expect(points.some(({ attributes }) => attributes['gen_ai.tool.name'] === 'boom')).toBe(true);
  });

  verifies('doors.disabled', async () => {
    disableTelemetry();
    const server = referenceServer(generation) as McpServer;
    const { transport, recorder: recorded, call } = await script(server);
    call(1, 'echo', { text: 'hi' });
    call(2, 'boom');
    await transport.answer(1);
    const { result } = (await transport.answer(2)) as { result: { _meta?: unknown } };
    expect(result._meta).toMatchObject({ 'toolspan/error': { code: 'INTERNAL_ERROR', message: 'boom went off' } });
    expect(recorded.spans()).toEqual([]);
    const bare = instrumentServer(referenceServer(generation), { errors: 'passthrough' }) as McpServer;
    expect(Object.hasOwn(bare.server, 'connect')).toBe(false);
    const client = new Client({ name: 'c', version: '1' });
    const handler = createMcpHandler(() => server);
    const { fetch } = handler;
    expect(Object.hasOwn(instrumentClient(client), 'connect')).toBe(false);
    expect(instrumentHandler(handler).fetch).toBe(fetch);
  });

  verifies('doors.host-unharmed', async () => {
    const said: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0);
    const broken = () => {
      throw new Error(`broken on ${generation}`);
    };
    const processor = {
      onStart: broken,
      onEnd: broken,
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    };
    const exporter = { export: broken, shutdown: () => Promise.resolve() };
    for (const options of [
      { tracerProvider: { getTracer: broken } },
      { tracerProvider: new TracerProvider({ spanProcessors: [processor] }) },
      { tracerProvider: new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }) },
      { meterProvider: { getMeter: broken } },
    ]) {
      const { transport, call } = await script(referenceServer(generation), options);
      for (const id of [1, 2, 3]) call(id, 'echo', { text: 'hi' });
      call(4, 'boom');
      const answers = await Promise.all([1, 2, 3, 4].map((id) => transport.answer(id)));
      expect(answers.map(({ result }) => (result as { isError?: boolean }).isError === true)).toEqual([
        false,
        false,
        false,
        true,
      ]);
      await transport.close();
    }
    const lines = said.filter((line) => line.startsWith('toolspan: '));
    expect(new Set(lines).size).toBe(lines.length);
    if (generation === 'v1') expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(5);
    for (const line of lines) expect(line).toMatch(/broken on v1.*Your calls are not affected\.\n$/);
  });
});

describe('nonsense', () => {
  verifies('doors.bad-target', () => {
    for (const nonsense of [undefined, null, 7, 'server', {}, [], { server: {} }, { connect() {} }, () => {}]) {
      expect(() => instrumentServer(nonsense as never)).toThrow(
        /^instrumentServer: expected an McpServer or Server of the MCP SDK, got /,
      );
      expect(() => instrumentClient(nonsense as never)).toThrow(
        /^instrumentClient: expected a Client of the MCP SDK, got /,
      );
      expect(() => instrumentHandler(nonsense as never)).toThrow(
        /^instrumentHandler: expected an object with fetch\(\), got /,
      );
    }
  });

  verifies(
    'doors.bad-target',
    () => {
      for (const generation of ['v1', 'v2 legacy'] as const) {
        expect(() => instrumentServer(newClient(generation))).toThrow('got a client; use instrumentClient');
      }
    },
    'a client where a server belongs',
  );

  verifies('doors.bad-option', () => {
    const server = referenceServer('v2');
    const bad: [unknown, typeof TypeError | typeof RangeError, string][] = [
      [[], TypeError, 'instrumentServer: options must be an object, got a list of 0'],
      ['fast', TypeError, 'instrumentServer: options must be an object, got "fast" (string)'],
      [null, TypeError, 'instrumentServer: options must be an object, got null'],
      [
        { maxOperationsMs: 1 },
        TypeError,
        'instrumentServer: unknown option "maxOperationsMs"; known options: maxOperationMs, tracerProvider, meterProvider, serverName',
      ],
      [
        { maxOperationMs: '1s' },
        TypeError,
        'instrumentServer: option "maxOperationMs" must be a number of milliseconds from 1 to 2147483647, got "1s" (string)',
      ],
      [
        { maxOperationMs: 0 },
        RangeError,
        'instrumentServer: option "maxOperationMs" must be a number of milliseconds from 1 to 2147483647, got 0 (number)',
      ],
      [
        { maxOperationMs: Number.NaN },
        RangeError,
        'instrumentServer: option "maxOperationMs" must be a number of milliseconds from 1 to 2147483647, got NaN (number)',
      ],
      [
        { maxOperationMs: Number.POSITIVE_INFINITY },
        RangeError,
        'instrumentServer: option "maxOperationMs" must be a number of milliseconds from 1 to 2147483647, got Infinity (number)',
      ],
      [
        { serverName: '' },
        TypeError,
        'instrumentServer: option "serverName" must be a non-empty string, got "" (string)',
      ],
      [
        { tracerProvider: {} },
        TypeError,
        'instrumentServer: option "tracerProvider" must be an object with getTracer(), got an object',
      ],
      [{ meterProvider: metrics }, TypeError, ''],
    ];
    for (const [options, type, message] of bad.slice(0, -1)) {
      const attempt = () => instrumentServer(server, options as never);
      expect(attempt).toThrow(type);
      expect(attempt).toThrow(message);
    }
    expect(() => instrumentClient(new Client({ name: 'c', version: '1' }), { serverName: 'x' } as never)).toThrow(
      'unknown option "serverName"',
    );
    expect(() => instrumentHandler({ fetch: () => {} }, { maxOperationMs: 1 } as never)).toThrow(
      'unknown option "maxOperationMs"',
    );
    expect(instrumentServer(server, { maxOperationMs: undefined })).toBe(server);
  });
});

describe('after connect', () => {
  verifies('doors.too-late', async () => {
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const server = referenceServer('v2') as McpServer;
    const client = new Client({ name: 'client', version: '1' });
    const [near, far] = InMemoryTransport.createLinkedPair();
    await Promise.all([server.connect(far), client.connect(near)]);
    expect(instrumentServer(server)).toBe(server);
    expect(instrumentClient(client)).toBe(client);
    expect(await client.callTool({ name: 'echo', arguments: { text: 'hi' } })).toMatchObject({
      content: [{ text: 'hi' }],
    });
    const said = stderr.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('connected before'));
    expect(said).toEqual([expect.stringContaining('instrument it before connect')]);
  });
});
