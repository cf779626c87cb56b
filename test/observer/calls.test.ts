// What one operation looks like, on every SDK generation and every wire.
import { expect } from 'vitest';
import { connect, describeMatrix, type Combination, type Connected } from '../harness/matrix.ts';
import { eventually } from '../harness/poll.ts';
import type { RecordedSpan } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';

const SERVER = 1;
const CLIENT = 2;
const UNSET = 0;
const ERROR = 2;
const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Connects, lets the body call, and gives what the server's spans were; waits for one of this name if need be. */
async function spansOf(
  combination: Combination,
  body: (connected: Connected) => Promise<unknown>,
  awaited?: string,
): Promise<RecordedSpan[]> {
  const connected = await connect(combination);
  await body(connected);
  await connected.close();
  const arrived = () => awaited === undefined || connected.spans().some((span) => span.name === awaited) || undefined;
  await eventually(`a span "${awaited}"`, arrived);
  return connected.spans();
}

function only(spans: readonly RecordedSpan[], name: string): RecordedSpan {
  const found = spans.filter((span) => span.name === name);
  expect(
    found.map((span) => span.name),
    `one span "${name}" among ${spans.map((span) => span.name).join(', ')}`,
  ).toEqual([name]);
  return found[0] as RecordedSpan;
}

const NETWORK = {
  memory: {},
  stdio: { 'network.transport': 'pipe' },
  http: { 'network.transport': 'tcp', 'network.protocol.name': 'http' },
};

describeMatrix('calls', (combination) => {
  const { peer, carrier } = combination;
  const version = peer === 'v2 modern' ? '2026-07-28' : '2025-11-25';

  verifies('span.call', async () => {
    const spans = await spansOf(combination, ({ call }) => call('echo', { text: 'hi' }));
    const span = only(spans, 'tools/call echo');
    const { 'jsonrpc.request.id': id, 'mcp.session.id': session, ...attributes } = span.attributes;
    expect(span.kind).toBe(SERVER);
    expect(typeof id).toBe('string');
    expect(typeof session).toBe(peer === 'v1' && carrier === 'http' ? 'string' : 'undefined');
    expect(attributes).toEqual({
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'echo',
      'gen_ai.operation.name': 'execute_tool',
      'mcp.protocol.version': version,
      'toolspan.outcome': 'ok',
      ...NETWORK[carrier],
    });
    expect(span.status.code).toBe(UNSET);
    expect(span.durationMs).toBeGreaterThan(0);
    expect(span.scope).toBe('toolspan');
  });

  verifies('span.every-request', async () => {
    const spans = await spansOf(combination, async ({ client }) => {
      await client.listTools();
      await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } });
    });
    const opening = peer === 'v2 modern' ? ['server/discover'] : ['initialize', 'notifications/initialized'];
    // over stdio a negotiating client probes with a process of its own, which may be gone before it is seen
    const probed = peer === 'v2 modern' && carrier === 'stdio';
    const names = spans.map((span) => span.name).filter((name) => !(probed && name === 'server/discover'));
    expect(names.toSorted()).toEqual([...(probed ? [] : opening), 'tools/list', 'prompts/get greet'].toSorted());
    expect(new Set(spans.map((span) => span.attributes['gen_ai.operation.name']))).toEqual(new Set([undefined]));
  });

  verifies('span.prompt-and-resource', async () => {
    const spans = await spansOf(combination, async ({ client }) => {
      await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } });
      await client.readResource({ uri: 'memo://note' });
    });
    expect(only(spans, 'prompts/get greet').attributes['gen_ai.prompt.name']).toBe('greet');
    expect(only(spans, 'resources/read').attributes['mcp.resource.uri']).toBe('memo://note');
  });

  verifies('parent.meta', async () => {
    const _meta = { traceparent: CALLER, tracestate: 'vendor=1' };
    const spans = await spansOf(combination, ({ call }) => call('echo', { text: 'hi' }, { _meta }));
    const span = only(spans, 'tools/call echo');
    expect(span.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(span.parentSpanId).toBe('b7ad6b7169203331');
    expect(span.traceState).toBe('vendor=1');
    expect(span.links).toEqual([]);
  });

  verifies('outcome.tool-error', async () => {
    const span = only(await spansOf(combination, ({ call }) => call('fails')), 'tools/call fails');
    expect(span.attributes).toMatchObject({ 'toolspan.outcome': 'tool_error', 'error.type': 'tool_error' });
    expect(span.status).toEqual({ code: ERROR, message: undefined });
    expect(span.events).toEqual([]);
  });

  verifies('outcome.thrown', async () => {
    const span = only(await spansOf(combination, ({ call }) => call('boom')), 'tools/call boom');
    expect(span.attributes).toMatchObject({ 'toolspan.outcome': 'tool_error', 'error.type': 'tool_error' });
    expect(span.status.code).toBe(ERROR);
    expect(span.events.map((event) => [event.name, event.attributes['exception.type']])).toEqual([
      ['exception', 'TypeError'],
    ]);
  });

  verifies('exception.once', async () => {
    const span = only(await spansOf(combination, ({ call }) => call('boom')), 'tools/call boom');
    expect(span.events).toHaveLength(1);
    const exception = span.events[0]?.attributes;
    expect(exception?.['exception.message']).toBe('boom went off');
    expect(exception?.['exception.stacktrace']).toMatch(
      /^TypeError: boom went off\n[^]*reference-server[^]*\nCaused by: RangeError: the fuse was short\n/,
    );
  });

  verifies('outcome.invalid-arguments', async () => {
    const span = only(await spansOf(combination, ({ call }) => call('echo', { text: 7 })), 'tools/call echo');
    expect(span.attributes).toMatchObject({ 'toolspan.outcome': 'tool_error', 'error.type': 'tool_error' });
    expect(span.events).toEqual([]);
  });

  verifies('outcome.unknown-tool', async () => {
    const spans = await spansOf(combination, ({ call }) => call('no such tool').catch(() => undefined));
    const span = only(spans, 'tools/call _other');
    expect(span.attributes).toMatchObject({
      'toolspan.outcome': 'protocol_error',
      'rpc.response.status_code': '-32602',
      'gen_ai.tool.name': 'no such tool',
    });
    expect(span.attributes['error.type']).toBeUndefined();
    expect(span.status.code).toBe(UNSET);
  });

  verifies('outcome.returns-nothing', async () => {
    const spans = await spansOf(combination, ({ call }) => call('returns_nothing').catch(() => undefined));
    const span = only(spans, 'tools/call returns_nothing');
    expect(span.attributes['error.type']).toBe('tool_error');
    expect(span.status.code).toBe(ERROR);
  });

  verifies('outcome.callers-mistake', async () => {
    const spans = await spansOf(combination, async ({ client }) => {
      await client.getPrompt({ name: 'greet', arguments: {} }).catch(() => undefined);
      await client.readResource({ uri: 'memo://nothing' }).catch(() => undefined);
    });
    for (const name of ['prompts/get greet', 'resources/read']) {
      const span = only(spans, name);
      expect(span.attributes).toMatchObject({
        'toolspan.outcome': 'protocol_error',
        'rpc.response.status_code': '-32602',
      });
      expect(span.attributes['error.type']).toBeUndefined();
      expect(span.status.code).toBe(UNSET);
      expect(span.events).toEqual([]);
    }
  });

  verifies('outcome.server-fault', async () => {
    const spans = await spansOf(combination, ({ client }) =>
      client.readResource({ uri: 'memo://torn' }).catch(() => undefined),
    );
    const span = only(spans, 'resources/read');
    expect(span.attributes).toMatchObject({ 'error.type': '-32603', 'rpc.response.status_code': '-32603' });
    expect(span.status).toEqual({ code: ERROR, message: 'page is torn' });
    expect(span.events.map((event) => event.attributes['exception.type'])).toEqual(['EvalError']);
  });

  verifies('outcome.cancelled', async () => {
    const spans = await spansOf(
      combination,
      async ({ call }) => {
        const abort = new AbortController();
        const pending = call('hang', undefined, { signal: abort.signal });
        // the call is on its way once another that was sent later is answered
        await call('echo', { text: 'hi' });
        abort.abort();
        await expect(pending).rejects.toThrow();
        await call('echo', { text: 'hi' });
      },
      'tools/call hang',
    );
    // stateless HTTP of the legacy era: the withdrawal reaches another server, so the call ends with its connection
    const reaches = !(peer === 'v2 legacy' && carrier === 'http');
    const span = only(spans, 'tools/call hang');
    expect(span.attributes['toolspan.outcome']).toBe(reaches ? 'cancelled' : 'aborted');
    expect(span.attributes['error.type']).toBeUndefined();
    expect(span.status.code).toBe(UNSET);
  });

  verifies('span.network', async () => {
    const spans = await spansOf(combination, ({ client }) => client.listTools());
    for (const span of spans) {
      const { 'network.transport': transport, 'network.protocol.name': protocol } = span.attributes;
      expect({ transport, protocol }).toEqual({
        transport: { memory: undefined, stdio: 'pipe', http: 'tcp' }[carrier],
        protocol: carrier === 'http' ? 'http' : undefined,
      });
    }
  });
});

// SDK v2 legacy over createMcpHandler has no way back to the client, and the modern era has none at all
const asksByRequest = ({ peer, carrier }: Combination) =>
  peer !== 'v2 modern' && !(peer === 'v2 legacy' && carrier === 'http');

describeMatrix(
  'a server asks',
  (combination) => {
    verifies('span.server-asks', async () => {
      const spans = await spansOf(combination, async ({ call }) => {
        expect((await call('ask')).content[0]?.text).toBe('accept');
        expect((await call('think')).content[0]?.text).toBe('a model');
      });
      for (const [tool, method] of [
        ['ask', 'elicitation/create'],
        ['think', 'sampling/createMessage'],
      ] as const) {
        const call = only(spans, `tools/call ${tool}`);
        const asked = only(spans, method);
        expect(asked.kind).toBe(CLIENT);
        expect(asked.traceId).toBe(call.traceId);
        expect(asked.parentSpanId).toBe(call.spanId);
        expect(asked.attributes['toolspan.outcome']).toBe('ok');
      }
    });
  },
  asksByRequest,
);

describeMatrix(
  'a round for input',
  (combination) => {
    verifies('span.input-required', async () => {
      const spans = await spansOf(combination, async ({ call }) => {
        expect((await call('ask')).content[0]?.text).toBe('accept');
      });
      const rounds = spans.filter((span) => span.name === 'tools/call ask');
      expect(rounds.map((span) => span.attributes['toolspan.outcome'])).toEqual(['input_required', 'ok']);
      expect(rounds.map((span) => span.status.code)).toEqual([UNSET, UNSET]);
    });
  },
  ({ peer }) => peer === 'v2 modern',
);

describeMatrix(
  'sessions',
  (combination) => {
    verifies('span.session-id', async () => {
      const connected = await connect(combination);
      await connected.call('echo', { text: 'hi' });
      await connected.close();
      const calls = connected.spans().filter(({ name }) => name === 'tools/call echo');
      const ids = calls.map(({ attributes }) => attributes['mcp.session.id']);
      expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
      const points = await connected.recorder?.points('mcp.server.operation.duration');
      expect(points?.length).toBeGreaterThan(1);
      for (const { attributes } of points ?? []) expect(Object.values(attributes)).not.toContain(ids[0]);
    });
  },
  ({ peer, carrier }) => peer === 'v1' && carrier === 'http',
);
