// What HTTP refuses before a server sees it.
import type { McpServer } from '@modelcontextprotocol/server';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { describe, expect } from 'vitest';
import { instrumentHandler, instrumentServer } from '../../src/index.ts';
import { referenceServer } from '../fixtures/reference-server.ts';
import { eventually } from '../harness/poll.ts';
import { recorder } from '../harness/recorder.ts';
import { INITIALIZE } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 't', version: '0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

function served() {
  const recorded = recorder();
  const { tracerProvider, meterProvider } = recorded;
  const make = () => instrumentServer(referenceServer('v2') as McpServer, { tracerProvider, meterProvider });
  const handler = instrumentHandler(createMcpHandler(make), { tracerProvider, meterProvider });
  const post = (body: unknown, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    handler.fetch(
      new Request('http://localhost/mcp', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
      }),
    );
  return { recorded, handler, post };
}

describe('a handler', () => {
  verifies('handler.refusals', async () => {
    const { recorded, post, handler } = served();
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
    await post('not json', { traceparent });
    await post(INITIALIZE, { 'content-type': 'text/plain' });
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', _meta: ENVELOPE } };
    await post(call, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' });
    await post(call, { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'tools/call', 'mcp-name': 'echo' });
    await handler.fetch(new Request('http://localhost/mcp', { method: 'GET' }));
    const spans = await eventually('all are recorded', () =>
      recorded.spans().length >= 4 ? recorded.spans() : undefined,
    );
    expect(
      spans
        .map(({ name, attributes }) => [
          name,
          attributes['http.response.status_code'],
          attributes['rpc.response.status_code'],
        ])
        .toSorted(),
    ).toEqual(
      [
        ['_other', 400, '-32700'],
        ['_other', 415, '-32000'],
        ['tools/list', 400, '-32020'],
        ['tools/call _other', 400, '-32020'],
      ].toSorted(),
    );
    for (const { status, attributes } of spans) {
      // by the conventions, -32020 is none of the codes that blame the caller
      const mismatch = attributes['rpc.response.status_code'] === '-32020';
      expect(status.code).toBe(mismatch ? 2 : 0);
      expect(attributes['error.type']).toBe(mismatch ? '-32020' : undefined);
      expect(attributes['network.protocol.name']).toBe('http');
    }
    expect(spans.filter(({ traceId }) => traceId === TRACE)).toHaveLength(1);
  });

  verifies(
    'handler.refusals',
    async () => {
      const { recorded, post } = served();
      const answer = await post(INITIALIZE);
      await answer.text();
      await post({ jsonrpc: '2.0', method: 'notifications/initialized' });
      await post(
        { jsonrpc: '2.0', id: 1, method: 'no/such/method', params: { _meta: ENVELOPE } },
        { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'no/such/method' },
      );
      expect(recorded.spans().map(({ name }) => name)).toEqual(['initialize', 'notifications/initialized', '_other']);
    },
    'what is dispatched is recorded once',
  );

  verifies(
    'handler.refusals',
    async () => {
      const recorded = recorder();
      const { tracerProvider, meterProvider } = recorded;
      const broken = { fetch: () => Promise.reject(new RangeError('closed')) };
      const handler = instrumentHandler(broken, { tracerProvider, meterProvider });
      await expect(
        (handler.fetch as (request: Request) => Promise<Response>)(
          new Request('http://localhost/', { method: 'POST' }),
        ),
      ).rejects.toThrow('closed');
      const [span] = recorded.spans();
      expect(span?.attributes).toMatchObject({ 'toolspan.outcome': 'aborted', 'error.type': 'RangeError' });
      const failing = instrumentHandler(
        { fetch: () => Promise.resolve(Response.json({}, { status: 503 })) },
        { tracerProvider, meterProvider },
      );
      await (failing.fetch as (request: Request) => Promise<Response>)(
        new Request('http://localhost/', { method: 'POST' }),
      );
      const failed = await eventually('the 503 is recorded', () => recorded.spans()[1]);
      expect(failed.status.code).toBe(2);
    },
    'a handler that fails',
  );

  verifies('handler.listen', async () => {
    const { recorded, post } = served();
    const response = await post(
      {
        jsonrpc: '2.0',
        id: 'sub',
        method: 'subscriptions/listen',
        params: { notifications: { toolsListChanged: true }, _meta: ENVELOPE },
      },
      { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' },
    );
    expect(response.status).toBe(200);
    expect(recorded.spans()).toEqual([]);
    const reader = response.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
    expect(recorded.spans().map(({ name, attributes }) => [name, attributes['toolspan.outcome']])).toEqual([
      ['subscriptions/listen', 'cancelled'],
    ]);
  });

  verifies(
    'doors.host-unharmed',
    async () => {
      const frozen = Object.freeze({ fetch: () => Promise.resolve(new Response('as it was')) });
      const exotic = { fetch: () => Promise.resolve(undefined) };
      const request = new Request('http://localhost/', { method: 'POST' });
      expect(instrumentHandler(frozen)).toBe(frozen);
      expect(await (await frozen.fetch()).text()).toBe('as it was');
      const observed = instrumentHandler(exotic) as { fetch(request: unknown): Promise<unknown> };
      expect(await observed.fetch(request)).toBeUndefined();
      expect(await observed.fetch(undefined)).toBeUndefined();
    },
    'handlers of odd shapes',
  );
});
