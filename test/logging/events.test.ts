// What is logged of every tool call without a line of code in the tool: start, end, and, where asked for, content.
import { describe, expect } from 'vitest';
import { keepLines, parsed, type Line } from '../harness/lines.ts';
import { connect, describeMatrix } from '../harness/matrix.ts';
import { eventually } from '../harness/poll.ts';
import { GENERATIONS, scriptReference, ScriptedTransport, script } from '../harness/scripted.ts';
import { referenceServer } from '../fixtures/reference-server.ts';
import { verifies } from '../harness/verifies.ts';

const shape = ({ event_type, level, message, tool_name }: Line) => [event_type, level, message, tool_name];

describeMatrix(
  'events',
  (combination) => {
    verifies('logging.events', async () => {
      const lines = keepLines();
      const { call, client, close, recorder, spans } = await connect(combination, { server: { logLevel: 'info' } });
      await client.listTools();
      await call('echo', { text: 'hello' });
      await call('boom');
      await close();
      const events = parsed(lines);
      expect(events.map(shape)).toEqual([
        ['tool_start', 'info', 'Tool echo started', 'echo'],
        ['tool_success', 'info', 'Tool echo succeeded', 'echo'],
        ['tool_start', 'info', 'Tool boom started', 'boom'],
        ['tool_error', 'error', 'Tool boom failed: INTERNAL_ERROR', 'boom'],
      ]);
      const span = (tool: string) => spans().find(({ name }) => name === `tools/call ${tool}`);
      for (const { tool_name, trace_id, span_id, request_id } of events) {
        expect([trace_id, span_id]).toEqual([span(tool_name ?? '')?.traceId, span(tool_name ?? '')?.spanId]);
        expect(request_id).toBe(span(tool_name ?? '')?.attributes['jsonrpc.request.id']);
      }
      const [start, success, , error] = events.map(({ extra_data }) => extra_data ?? {});
      expect(start).toEqual({ input_length: 5 });
      expect(success).toEqual({ input_length: 5, result_length: 5, duration_ms: expect.any(Number) as number });
      expect(success?.['duration_ms']).toBeCloseTo(span('echo')?.durationMs ?? -1, 2);
      expect(error).toMatchObject({
        error_code: 'INTERNAL_ERROR',
        error_type: 'TypeError',
        duration_ms: expect.any(Number) as number,
      });
      const [, emitted] = recorder?.logs ?? [];
      expect(emitted).toMatchObject({
        event: 'toolspan.tool_success',
        severity: 'INFO',
        severityNumber: 9,
        body: 'Tool echo succeeded',
      });
      expect(emitted?.attributes).toMatchObject({
        'toolspan.duration_ms': success?.['duration_ms'],
        'toolspan.input_length': 5,
        'toolspan.result_length': 5,
        'gen_ai.tool.name': 'echo',
      });
    });
  },
  ({ carrier }) => carrier !== 'stdio',
);

describe.each(GENERATIONS)('the end of a call on %s', (generation) => {
  verifies('logging.events-once', async () => {
    const lines = keepLines();
    const { transport, call } = await scriptReference(generation, { logLevel: 'info' });
    call(1, 'hang');
    call(2, 'hang');
    call(3, 'echo', { text: 'hi' });
    await transport.answer(3);
    transport.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    await transport.close();
    await new Promise((resolve) => setImmediate(resolve));
    const ends = parsed(lines).filter(({ event_type }) => event_type !== 'tool_start');
    expect(ends.map(({ request_id, ...line }) => [request_id, ...shape(line as Line)])).toEqual([
      ['3', 'tool_success', 'info', 'Tool echo succeeded', 'echo'],
      ['1', 'tool_error', 'info', 'Tool hang failed: CANCELLED', 'hang'],
      ['2', 'tool_error', 'warn', 'Tool hang failed: aborted', 'hang'],
    ]);
  });

  verifies(
    'logging.events-once',
    async () => {
      const lines = keepLines();
      const transport = new ScriptedTransport();
      transport.sending = (message) =>
        message['id'] === 1 ? Promise.reject(new Error('the pipe is gone')) : Promise.resolve();
      const { call } = await script(referenceServer(generation), { logLevel: 'info' }, transport);
      call(1, 'echo', { text: 'hi' });
      const end = await eventually('its end', () =>
        parsed(lines).find(({ event_type }) => event_type !== 'tool_start'),
      );
      expect(shape(end)).toEqual(['tool_error', 'warn', 'Tool echo failed: aborted', 'echo']);
    },
    'an answer that cannot be delivered is no success',
  );

  verifies(
    'logging.events',
    async () => {
      const lines = keepLines();
      const { transport, call, recorder } = await scriptReference(generation);
      for (let id = 0; id < 5; id++) call(id, 'echo', { text: 'hi' });
      call(9, 'boom');
      await transport.answer(9);
      // at the default level a call that succeeds says nothing
      expect(parsed(lines).map(({ event_type }) => event_type)).toEqual(['tool_error']);
      expect(recorder.logs.map(({ event }) => event)).toEqual(['toolspan.tool_error']);
    },
    'at the default level, failures only',
  );

  verifies(
    'logging.events',
    async () => {
      const lines = keepLines();
      const { transport, call } = await scriptReference(generation, { logLevel: 'info' });
      const name = 'x\n'.repeat(1_000);
      call(1, name);
      await transport.answer(1);
      expect(parsed(lines).map(({ tool_name }) => tool_name?.length)).toEqual([128, 128]);
    },
    'with a name of any size',
  );

  verifies('logging.capture', async () => {
    const lines = keepLines();
    const secret = { text: 'Bearer abcdefghijklmnop1234', password: 'hunter2', nested: { api_key: 'k' } };
    const contentOf = async (options: object) => {
      const { transport, call, recorder } = await scriptReference(generation, { logLevel: 'info', ...options });
      lines.length = 0;
      call(1, 'echo', secret);
      call(2, 'boom', { text: 'plain' });
      await Promise.all([1, 2].map((id) => transport.answer(id)));
      const spans = ['echo', 'boom'].map((tool) => recorder.spans().find(({ name }) => name === `tools/call ${tool}`));
      const attributes = spans.map((span) => [
        span?.attributes['gen_ai.tool.call.arguments'],
        span?.attributes['gen_ai.tool.call.result'],
      ]);
      return {
        attributes,
        logged: JSON.stringify(recorder.logs),
        extras: parsed(lines).map(({ extra_data }) => extra_data),
      };
    };
    const none = await contentOf({});
    expect(none.attributes).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
    expect(JSON.stringify(none)).not.toMatch(/Bearer|hunter2|plain/);
    const args = { text: 'Bearer [REDACTED]', password: '[REDACTED]', nested: { api_key: '[REDACTED]' } };
    const all = await contentOf({ captureArguments: true, captureResults: true });
    const [echoed, failed] = all.attributes.map((pair) => pair.map((json) => JSON.parse(String(json)) as unknown));
    expect(echoed).toEqual([args, { content: [{ type: 'text', text: 'Bearer [REDACTED]' }] }]);
    expect(failed?.[0]).toEqual({ text: 'plain' });
    expect(failed?.[1]).toMatchObject({ isError: true });
    expect(all.extras[0]).toMatchObject({ arguments: args });
    expect(all.extras).toContainEqual(
      expect.objectContaining({ result: { content: [{ type: 'text', text: 'Bearer [REDACTED]' }] } }),
    );
    expect(all.logged).toContain('gen_ai.tool.call.arguments');
    expect(JSON.stringify(all)).not.toMatch(/abcdefghijklmnop1234|hunter2/);
    const one = await contentOf({ captureArguments: ['boom'] });
    expect(one.attributes).toEqual([
      [undefined, undefined],
      ['{"text":"plain"}', undefined],
    ]);
  });

  verifies(
    'logging.capture',
    async () => {
      const { transport, call, recorder } = await scriptReference(generation, {
        captureArguments: true,
        captureResults: true,
      });
      call(1, 'echo', { text: 'x'.repeat(1e6), list: Array.from({ length: 1e4 }, () => 'y'.repeat(100)) });
      await transport.answer(1);
      const attributes = recorder.spans().at(-1)?.attributes ?? {};
      for (const key of ['gen_ai.tool.call.arguments', 'gen_ai.tool.call.result']) {
        expect(String(attributes[key]).length).toBeLessThan(20_000);
      }
    },
    'of any size, and with logging off',
  );
});

describe('who calls', () => {
  const authInfo = { token: 'sekret-token-value', clientId: 'app', scopes: [], extra: { sub: 'ada@example.com' } };
  const usersOf = async (identity: 'raw' | 'hashed' | 'dropped' | undefined, auth: object = authInfo) => {
    const lines = keepLines();
    const { transport, recorder } = await scriptReference('v1', { logLevel: 'info', ...(identity && { identity }) });
    transport.deliver(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'logs', arguments: { city: 'Paris' } } },
      { authInfo: auth },
    );
    await transport.answer(1);
    expect(JSON.stringify([lines, recorder.logs, recorder.spans()])).not.toContain('sekret');
    const users = new Set(parsed(lines).map(({ user_id }) => user_id));
    const attributes = new Set(
      recorder.logs.map(({ attributes: all }) => JSON.stringify([all['user.id'], all['user.hash']])),
    );
    expect([users.size, attributes.size]).toEqual([1, 1]);
    return [...users, ...attributes];
  };

  verifies('logging.identity', async () => {
    expect(await usersOf(undefined)).toEqual([undefined, '[null,null]']);
    expect(await usersOf('dropped')).toEqual([undefined, '[null,null]']);
    expect(await usersOf('raw')).toEqual(['ada@example.com', '["ada@example.com",null]']);
    const [hash, attributes] = await usersOf('hashed');
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(attributes).toBe(JSON.stringify([null, hash]));
    expect((await usersOf('hashed'))[0]).toBe(hash);
    expect((await usersOf('hashed', { clientId: 'other' }))[0]).not.toBe(hash);
    expect(await usersOf('raw', { clientId: 'app' })).toEqual(['app', '["app",null]']);
    expect(await usersOf('raw', { extra: { sub: 7 } })).toEqual([undefined, '[null,null]']);
    expect(String((await usersOf('raw', { clientId: 'x'.repeat(9_999) }))[0])).toHaveLength(128);
  });
});
