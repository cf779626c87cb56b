// How operations end: once, whatever the peer, the transport and the handlers do.
import { createServer } from 'node:http';
import { InMemoryTransport, Client } from '@modelcontextprotocol/client';
import type { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { McpServer, Server } from '@modelcontextprotocol/server';
import { describe, expect } from 'vitest';
import { instrumentServer } from '../../src/index.ts';
import { referenceServer } from '../fixtures/reference-server.ts';
import { listening } from '../harness/http-server.ts';
import { eventually } from '../harness/poll.ts';
import { recorder } from '../harness/recorder.ts';
import { GENERATIONS, script, scriptReference, ScriptedTransport, INITIALIZE } from '../harness/scripted.ts';
import type { RecordedSpan } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';

const named = (spans: readonly RecordedSpan[], name: string) => spans.filter((span) => span.name === name);
const outcomes = (spans: readonly RecordedSpan[], name: string) =>
  named(spans, name).map((span) => span.attributes['toolspan.outcome']);

describe.each(GENERATIONS)('endings on %s', (generation) => {
  verifies('outcome.ok', async () => {
    const { transport, recorder: recorded, call } = await scriptReference(generation);
    call(1, 'echo', { text: 'hi' });
    await transport.answer(1);
    expect(outcomes(recorded.spans(), 'tools/call echo')).toEqual(['ok']);
    expect(named(recorded.spans(), 'tools/call echo')[0]?.status).toEqual({ code: 0, message: undefined });
  });

  verifies('outcome.malformed-params', async () => {
    const { transport, recorder: recorded } = await scriptReference(generation);
    transport.deliver({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { arguments: {} } });
    const { error } = await transport.answer(1);
    const [span] = named(recorded.spans(), 'tools/call');
    expect(span?.attributes['rpc.response.status_code']).toBe(String((error as { code: number }).code));
    expect(span?.attributes['error.type']).toBeUndefined();
    expect(span?.status.code).toBe(0);
  });

  verifies(
    'outcome.callers-mistake',
    async () => {
      const { transport, recorder: recorded } = await scriptReference(generation);
      transport.deliver({ jsonrpc: '2.0', id: 1, method: 'no/such/method' });
      await transport.answer(1);
      const [span] = named(recorded.spans(), '_other');
      expect(span?.attributes).toMatchObject({
        'mcp.method.name': 'no/such/method',
        'rpc.response.status_code': '-32601',
        'toolspan.outcome': 'protocol_error',
      });
      expect(span?.attributes['error.type']).toBeUndefined();
    },
    'an unknown method',
  );

  verifies(
    'outcome.unknown-tool',
    async () => {
      const server = referenceServer(generation) as McpServer;
      const tool = server.registerTool('fickle', {}, () => ({ content: [] }));
      const { transport, recorder: recorded, call } = await script(server);
      tool.disable();
      call(1, 'fickle');
      await transport.answer(1);
      const [span] = named(recorded.spans(), 'tools/call fickle');
      expect(span?.attributes).toMatchObject({
        'toolspan.outcome': 'protocol_error',
        'rpc.response.status_code': '-32602',
      });
      expect(span?.status.code).toBe(0);
    },
    'disabled',
  );

  verifies(
    'outcome.cancelled',
    async () => {
      const { promise: hanging, resolve } = Promise.withResolvers<AbortSignal>();
      const { transport, recorder: recorded, call } = await scriptReference(generation, {}, { onHang: resolve });
      call(1, 'hang');
      await hanging;
      transport.deliver({
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: 1, reason: 'enough' },
      });
      // the span has ended before the handler has even heard of it
      expect(outcomes(recorded.spans(), 'tools/call hang')).toEqual(['cancelled']);
      transport.deliver({ jsonrpc: '2.0', id: 2, method: 'ping' });
      await transport.answer(2);
      expect(outcomes(recorded.spans(), 'tools/call hang')).toEqual(['cancelled']);
      expect(transport.sent.some(({ id }) => id === 1)).toBe(false);
    },
    'at once, and once',
  );

  verifies('outcome.aborted', async () => {
    const { promise: hanging, resolve } = Promise.withResolvers<AbortSignal>();
    const { transport, recorder: recorded, call } = await scriptReference(generation, {}, { onHang: resolve });
    call(1, 'hang');
    await hanging;
    await transport.close();
    await transport.close();
    const [span] = named(recorded.spans(), 'tools/call hang');
    expect(outcomes(recorded.spans(), 'tools/call hang')).toEqual(['aborted']);
    expect(span?.status.code).toBe(0);
  });

  verifies(
    'outcome.aborted',
    async () => {
      const { transport, recorder: recorded, call } = await scriptReference(generation);
      call(1, 'think');
      await eventually('the server asks', () =>
        transport.sent.find(({ method }) => method === 'sampling/createMessage'),
      );
      await transport.close();
      const [span] = named(recorded.spans(), 'sampling/createMessage');
      expect(span?.attributes).toMatchObject({ 'toolspan.outcome': 'aborted', 'error.type': 'aborted' });
      expect(span?.status.code).toBe(2);
    },
    'what the server itself asked has failed',
  );

  verifies('outcome.expired', async () => {
    const { recorder: recorded, call } = await scriptReference(generation, { maxOperationMs: 20 });
    call(1, 'hang');
    await eventually('it expires', () => named(recorded.spans(), 'tools/call hang')[0]);
    const [span] = named(recorded.spans(), 'tools/call hang');
    expect(span?.attributes).toMatchObject({ 'toolspan.outcome': 'expired', 'error.type': 'timeout' });
    expect(span?.durationMs).toBeGreaterThanOrEqual(20);
  });

  verifies('outcome.undelivered', async () => {
    for (const sending of [
      () => Promise.reject(Object.assign(new Error('pipe is gone'), { name: 'EPIPE' })),
      () => {
        throw Object.assign(new Error('pipe is gone'), { name: 'EPIPE' });
      },
    ]) {
      const { transport, recorder: recorded, call } = await scriptReference(generation);
      transport.sending = sending;
      call(1, 'echo', { text: 'hi' });
      const span = await eventually('it ends', () => named(recorded.spans(), 'tools/call echo')[0]);
      expect(span.attributes).toMatchObject({ 'toolspan.outcome': 'aborted', 'error.type': 'EPIPE' });
      expect(span.status.code).toBe(2);
    }
  });

  verifies('outcome.slow-pipe', async () => {
    const { transport, recorder: recorded, call } = await scriptReference(generation);
    const { promise: accepted, resolve: accept } = Promise.withResolvers<void>();
    transport.sending = () => accepted;
    call(1, 'echo', { text: 'hi' });
    await transport.answer(1);
    expect(named(recorded.spans(), 'tools/call echo')).toEqual([]);
    const before = performance.now();
    await eventually('some time passes', () => performance.now() - before > 30 || undefined);
    accept();
    const span = await eventually('it ends', () => named(recorded.spans(), 'tools/call echo')[0]);
    expect(span.attributes['toolspan.outcome']).toBe('ok');
    expect(span.durationMs).toBeLessThan(30);
  });

  verifies(
    'outcome.slow-pipe',
    async () => {
      const { transport, recorder: recorded, call } = await scriptReference(generation);
      transport.sending = () => new Promise(() => {});
      call(1, 'echo', { text: 'hi' });
      await transport.answer(1);
      await transport.close();
      expect(outcomes(recorded.spans(), 'tools/call echo')).toEqual(['ok']);
    },
    'what was answered before the close stays answered',
  );

  verifies('ids.zero', async () => {
    const { transport, recorder: recorded, call } = await scriptReference(generation);
    call(0, 'echo', { text: 'zero' });
    call(1, 'fails');
    call('1', 'echo', { text: 'one' });
    await Promise.all([0, 1, '1'].map((id) => transport.answer(id)));
    const found = recorded.spans().filter(({ name }) => name.startsWith('tools/call'));
    expect(
      found
        .map(({ name, attributes }) => [name, attributes['jsonrpc.request.id'], attributes['toolspan.outcome']])
        .toSorted(),
    ).toEqual(
      [
        ['tools/call echo', '0', 'ok'],
        ['tools/call fails', '1', 'tool_error'],
        ['tools/call echo', '1', 'ok'],
      ].toSorted(),
    );
  });

  verifies('ids.duplicate', async () => {
    const { promise: hanging, resolve } = Promise.withResolvers<AbortSignal>();
    const { transport, recorder: recorded, call } = await scriptReference(generation, {}, { onHang: resolve });
    call(7, 'hang');
    call(7, 'fails');
    call(7, 'echo', { text: 'hi' });
    await hanging;
    await eventually('two are answered', () => transport.sent.filter(({ id }) => id === 7).length === 2 || undefined);
    expect(outcomes(recorded.spans(), 'tools/call fails')).toEqual(['tool_error']);
    expect(outcomes(recorded.spans(), 'tools/call echo')).toEqual(['ok']);
    await transport.close();
    expect(outcomes(recorded.spans(), 'tools/call hang')).toEqual(['aborted']);
  });

  verifies('ids.sessions', async () => {
    const [one, other] = [await scriptReference(generation), await scriptReference(generation)];
    one.call(1, 'hang');
    other.call(1, 'hang');
    other.transport.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    expect(outcomes(one.recorder.spans(), 'tools/call hang')).toEqual([]);
    expect(outcomes(other.recorder.spans(), 'tools/call hang')).toEqual(['cancelled']);
    await one.transport.close();
    expect(outcomes(one.recorder.spans(), 'tools/call hang')).toEqual(['aborted']);
  });

  verifies(
    'passthrough.transport',
    async () => {
      const server = referenceServer(generation) as McpServer;
      const transport = new ScriptedTransport();
      const { recorder: recorded, call } = await script(server, {}, transport);
      expect(transport).toBeInstanceOf(ScriptedTransport);
      expect(Object.keys(transport)).toEqual(
        Object.keys(Object.assign(new ScriptedTransport(), { onmessage: 1, onclose: 1, onerror: 1 })),
      );
      await server.close();
      await server.connect(transport);
      transport.deliver({ ...INITIALIZE, id: 'again' });
      await transport.answer('again');
      call(1, 'echo', { text: 'hi' });
      await transport.answer(1);
      expect(outcomes(recorded.spans(), 'tools/call echo')).toEqual(['ok']);
    },
    'connected again',
  );
});

describe('notifications', () => {
  verifies('outcome.notification-handler', async () => {
    const server = new McpServer({ name: 'listener', version: '1' });
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    server.server.setNotificationHandler('notifications/roots/list_changed', () => done);
    server.server.setNotificationHandler('notifications/progress', () => {
      throw new TypeError('no progress');
    });
    const { transport, recorder: recorded } = await script(server);
    transport.deliver({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' });
    transport.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } });
    const failed = await eventually('the other fails', () => named(recorded.spans(), 'notifications/progress')[0]);
    expect(failed.attributes).toMatchObject({ 'toolspan.outcome': 'protocol_error', 'error.type': 'TypeError' });
    expect(failed.events.map(({ name }) => name)).toEqual(['exception']);
    expect(named(recorded.spans(), 'notifications/roots/list_changed')).toEqual([]);
    finish();
    const ended = await eventually('it ends', () => named(recorded.spans(), 'notifications/roots/list_changed')[0]);
    expect(ended.attributes['toolspan.outcome']).toBe('ok');
  });

  verifies(
    'outcome.notification-handler',
    async () => {
      const { transport, recorder: recorded } = await script(new McpServer({ name: 'deaf', version: '1' }));
      transport.deliver({ jsonrpc: '2.0', method: 'notifications/of/my/own' });
      const span = await eventually('it ends', () => named(recorded.spans(), '_other')[0]);
      expect(span.attributes).toMatchObject({ 'mcp.method.name': 'notifications/of/my/own', 'toolspan.outcome': 'ok' });
    },
    'one that nobody handles',
  );
});

describe('a batch', () => {
  verifies('ids.batch', async () => {
    const recorded = recorder();
    const { tracerProvider, meterProvider } = recorded;
    const transport = new StreamableHTTPServerTransport({});
    const server = instrumentServer(referenceServer('v1') as ServerV1, { tracerProvider, meterProvider });
    await server.connect(transport);
    const http = createServer((request, response) => void transport.handleRequest(request, response));
    const url = `${await listening(http)}/`;
    const call = (id: number, name: string) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name, arguments: { text: 'hi' } },
    });
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-03-26',
      },
      body: JSON.stringify([call(1, 'echo'), call(2, 'fails'), { jsonrpc: '2.0', method: 'notifications/of/my/own' }]),
    });
    await response.text();
    expect(outcomes(recorded.spans(), 'tools/call echo')).toEqual(['ok']);
    expect(outcomes(recorded.spans(), 'tools/call fails')).toEqual(['tool_error']);
    expect(outcomes(recorded.spans(), '_other')).toEqual(['ok']);
    expect(recorded.spans().map(({ attributes }) => attributes['mcp.protocol.version'])).toEqual(
      Array(3).fill('2025-03-26'),
    );
    http.close();
  });
});

describe('a low-level server', () => {
  verifies('outcome.server-fault', async () => {
    const server = new Server({ name: 'low', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/call', () => {
      throw Object.assign(new Error('disk is full'), { code: -32050, data: 'x' });
    });
    const { transport, recorder: recorded, call } = await script(server);
    call(1, 'save');
    await transport.answer(1);
    const [span] = named(recorded.spans(), 'tools/call _other');
    expect(span?.attributes).toMatchObject({ 'error.type': '-32050', 'rpc.response.status_code': '-32050' });
    expect(span?.status).toEqual({ code: 2, message: 'disk is full' });
  });
});

describe('a server asked by another in one process', () => {
  verifies(
    'doors.foreign',
    async () => {
      const inner = referenceServer('v2') as McpServer;
      const outer = new McpServer({ name: 'outer', version: '1' });
      const recorded = recorder();
      const { tracerProvider, meterProvider } = recorded;
      instrumentServer(inner, { tracerProvider, meterProvider });
      const client = new Client({ name: 'c', version: '1' });
      const [ours, theirs] = InMemoryTransport.createLinkedPair();
      await Promise.all([inner.connect(theirs), client.connect(ours)]);
      outer.registerTool('relay', {}, () => client.callTool({ name: 'echo', arguments: { text: 'hi' } }) as never);
      const { transport, call } = await script(outer, { tracerProvider, meterProvider });
      call(1, 'relay');
      await transport.answer(1);
      const [relay] = named(recorded.spans(), 'tools/call relay');
      const [echo] = named(recorded.spans(), 'tools/call echo');
      expect(echo?.parentSpanId).toBe(relay?.spanId);
    },
    'is not taken for the same message',
  );
});
