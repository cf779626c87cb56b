// Who the parent of a span is, and how the trace goes on to those who are asked.
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { describe, expect } from 'vitest';
import { z } from 'zod';
import { instrumentServer } from '../../src/index.ts';
import { connect, describeMatrix } from '../harness/matrix.ts';
import { recorder } from '../harness/recorder.ts';
import { GENERATIONS, script, scriptReference } from '../harness/scripted.ts';
import type { RecordedSpan } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';

const CLIENT = 2;

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${CALLER}-01`;

describe.each(GENERATIONS)('parents on %s', (generation) => {
  async function callUnder(meta: Record<string, unknown> | undefined, extra?: unknown) {
    const { transport, recorder: recorded, ...server } = await scriptReference(generation);
    const ambient = recorded.tracerProvider.getTracer('http').startSpan('POST /mcp');
    context.with(trace.setSpan(ROOT_CONTEXT, ambient), () => {
      if (extra === undefined) server.call(1, 'echo', { text: 'hi' }, meta);
    });
    if (extra !== undefined) {
      const params = { name: 'echo', arguments: { text: 'hi' } };
      transport.deliver({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, extra);
    }
    await transport.answer(1);
    const span = recorded.spans().find(({ name }) => name === 'tools/call echo');
    return { span, ambient: ambient.spanContext() };
  }

  verifies('parent.ambient-link', async () => {
    const { span, ambient } = await callUnder({ traceparent: TRACEPARENT });
    expect(span?.traceId).toBe(TRACE);
    expect(span?.parentSpanId).toBe(CALLER);
    expect(span?.links).toEqual([{ traceId: ambient.traceId, spanId: ambient.spanId }]);
  });

  verifies('parent.ambient', async () => {
    const { span, ambient } = await callUnder(undefined);
    expect(span?.traceId).toBe(ambient.traceId);
    expect(span?.parentSpanId).toBe(ambient.spanId);
    expect(span?.links).toEqual([]);
  });

  for (const [shape, extra] of [
    ['v1 headers', { requestInfo: { headers: { traceparent: TRACEPARENT, tracestate: 'a=b' } } }],
    ['v2 request', { request: new Request('http://x', { headers: { traceparent: TRACEPARENT, tracestate: 'a=b' } }) }],
  ] as const) {
    verifies(
      'parent.http-headers',
      async () => {
        const { span } = await callUnder(undefined, extra);
        expect(span?.traceId).toBe(TRACE);
        expect(span?.parentSpanId).toBe(CALLER);
        expect(span?.traceState).toBe('a=b');
      },
      shape,
    );
  }

  verifies('parent.not-startup', async () => {
    const startup = recorder().tracerProvider.getTracer('app').startSpan('start');
    const connected = await context.with(trace.setSpan(ROOT_CONTEXT, startup), async () => {
      const made = await scriptReference(generation);
      made.call(1, 'echo', { text: 'hi' });
      return made;
    });
    await connected.transport.answer(1);
    const span = connected.recorder.spans().find(({ name }) => name === 'tools/call echo');
    expect(span?.parentSpanId).toBeUndefined();
    expect(span?.traceId).not.toBe(startup.spanContext().traceId);
  });

  for (const traceparent of [
    'nonsense',
    `ff-${TRACE}-${CALLER}-01`,
    `00-${'0'.repeat(32)}-${CALLER}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${CALLER}-01-more`,
    `00-${TRACE.toUpperCase()}-${CALLER}-01`,
    { toString: () => TRACEPARENT },
    42,
    `00-${TRACE}-${CALLER}-01${' '.repeat(10_000)}`,
  ]) {
    verifies(
      'parent.invalid',
      async () => {
        const { span, ambient } = await callUnder({ traceparent });
        expect(span?.traceId).toBe(ambient.traceId);
      },
      JSON.stringify(traceparent).slice(0, 60),
    );
  }

  verifies(
    'parent.invalid',
    async () => {
      const { span } = await callUnder({ traceparent: `cc-${TRACE}-${CALLER}-01-what-the-future-holds` });
      expect(span?.parentSpanId).toBe(CALLER);
    },
    'a later version of the header is read as far as it is known',
  );

  verifies('parent.baggage', async () => {
    const seen: (string | undefined)[] = [];
    const server = new McpServer({ name: 'baggage', version: '1' });
    server.registerTool('look', { inputSchema: z.object({}) }, () => {
      seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
      return { content: [] };
    });
    const { transport, call } = await script(server);
    call(1, 'look', {}, { baggage: 'tenant=caf%C3%A9;note=1, broken, x=%zz' });
    call(2, 'look', {}, { traceparent: TRACEPARENT, baggage: 'tenant=b' });
    call(3, 'look', {}, { baggage: `tenant=${'x'.repeat(10_000)}` });
    await Promise.all([1, 2, 3].map((id) => transport.answer(id)));
    expect(seen).toEqual(['café', 'b', undefined]);
  });

  verifies('propagation.inject', async () => {
    const { transport, recorder: recorded, call } = await scriptReference(generation);
    transport.sending = (message) => {
      if (message['method'] === 'sampling/createMessage') {
        transport.deliver({
          jsonrpc: '2.0',
          id: message['id'],
          result: { model: 'm', role: 'assistant', content: { type: 'text', text: 'x' } },
        });
      }
      return Promise.resolve();
    };
    call(1, 'think', {}, { traceparent: TRACEPARENT, baggage: 'tenant=b' });
    await transport.answer(1);
    const asked = transport.sent.find(({ method }) => method === 'sampling/createMessage');
    const span = recorded.spans().find(({ name }) => name === 'sampling/createMessage');
    expect(asked?.['params']).toMatchObject({
      maxTokens: 10,
      _meta: { traceparent: `00-${TRACE}-${span?.spanId}-01`, baggage: 'tenant=b' },
    });
  });
});

describe('a copy of the message', () => {
  verifies(
    'propagation.inject',
    async () => {
      const { transport } = await scriptReference('v2');
      const message = Object.freeze({
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: Object.freeze({ data: 'x' }),
      });
      await transport.send(message);
      expect(transport.sent.at(-1)).toMatchObject({
        params: { data: 'x', _meta: { traceparent: expect.any(String) as string } },
      });
      expect(message.params).toEqual({ data: 'x' });
    },
    "the caller's object is left as it is",
  );

  verifies(
    'propagation.inject',
    async () => {
      const { transport } = await script(new McpServer({ name: 'silent', version: '1' }), {
        tracerProvider: { getTracer: () => trace.getTracer('nothing is registered') },
      });
      const message = { jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x' } };
      await transport.send(message);
      expect(transport.sent.at(-1)).toBe(message);
    },
    'without a trace nothing is added',
  );
});

describeMatrix(
  'one trace',
  (combination) => {
    verifies('propagation.round-trip', async () => {
      const agent = recorder();
      const { tracerProvider, meterProvider } = agent;
      const connected = await connect(combination, { client: { tracerProvider, meterProvider } });
      const step = tracerProvider.getTracer('agent').startSpan('agent step');
      await context.with(trace.setSpan(ROOT_CONTEXT, step), () => connected.call('ask'));
      await connected.close();
      const { traceId, spanId } = step.spanContext();
      const inTrace = (span: RecordedSpan) => span.traceId === traceId;
      const calls = agent.spans().filter((span) => inTrace(span) && span.kind === CLIENT);
      const served = connected.spans().filter(inTrace);
      expect(calls.map(({ name, parentSpanId }) => ({ name, parentSpanId }))).toContainEqual({
        name: 'tools/call ask',
        parentSpanId: spanId,
      });
      const rounds = served.filter(({ name }) => name === 'tools/call ask');
      expect(rounds.length).toBeGreaterThan(0);
      for (const round of rounds) expect(calls.map((call) => call.spanId)).toContain(round.parentSpanId);
      // what the server asks back is served by the client, in the same trace
      for (const asked of served.filter(({ kind }) => kind === CLIENT)) {
        expect(
          agent
            .spans()
            .filter(inTrace)
            .map(({ parentSpanId }) => parentSpanId),
        ).toContain(asked.spanId);
      }
    });
  },
  ({ peer, carrier }) => !(peer === 'v2 legacy' && carrier === 'http'),
);

describe('a server made for each request', () => {
  const request = (meta: object) =>
    new Request('http://localhost/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'look', arguments: {}, _meta: meta },
      }),
    });

  async function callUnderHttp(meta: object) {
    const recorded = recorder();
    const { tracerProvider, meterProvider } = recorded;
    const handler = createMcpHandler(() => {
      const server = new McpServer({ name: 's', version: '1' });
      server.registerTool('look', {}, () => ({ content: [] }));
      return instrumentServer(server, { tracerProvider, meterProvider });
    });
    const http = tracerProvider.getTracer('http').startSpan('POST', { kind: SpanKind.SERVER });
    const response = await context.with(trace.setSpan(ROOT_CONTEXT, http), () => handler.fetch(request(meta)));
    await response.text();
    return { span: recorded.spans().find(({ name }) => name === 'tools/call look'), http: http.spanContext() };
  }

  verifies(
    'parent.ambient',
    async () => {
      const { span, http } = await callUnderHttp({});
      expect(span).toMatchObject({ traceId: http.traceId, parentSpanId: http.spanId, links: [] });
    },
    'under the span of its request',
  );

  verifies(
    'parent.ambient-link',
    async () => {
      const { span, http } = await callUnderHttp({ traceparent: TRACEPARENT });
      const links = [{ traceId: http.traceId, spanId: http.spanId }];
      expect(span).toMatchObject({ traceId: TRACE, parentSpanId: CALLER, links });
    },
    'under the span of its request',
  );
});
