// What the client is told of whatever a handler may throw or return, on low-level servers, prompts, resources and retried tools.
import { Server as LowLevelV1 } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js';
import { ProtocolError, Server } from '@modelcontextprotocol/server';
import { describe, expect } from 'vitest';
import { handleError, ToolError, type ErrorMode } from '../../src/index.ts';
import { referenceServer, type Registering } from '../fixtures/reference-server.ts';
import { metaOf, textsOf, type ToolResult } from '../harness/matrix.ts';
import { GENERATIONS, script, type AnyServer, type Json } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

describe.each(GENERATIONS)('a low-level server of %s', (generation) => {
  const serverThat = (handle: () => unknown) => {
    const info = { name: 'low', version: '1' };
    const capabilities = { capabilities: { tools: {} } };
    if (generation === 'v1') {
      const server = new LowLevelV1(info, capabilities);
      server.setRequestHandler(CallToolRequestSchema, handle as never);
      return server;
    }
    const server = new Server(info, capabilities);
    server.setRequestHandler('tools/call', handle as never);
    return server;
  };
  const answerOf = async (handle: () => unknown, errors: ErrorMode = 'typed') => {
    const { transport, call, recorder } = await script(serverThat(handle), { errors });
    call(1, 'any');
    const { result, error } = await transport.answer(1);
    return { result: result as ToolResult | undefined, error, span: recorder.spans().at(-1) };
  };
  const throwing = (thrown: unknown) => () => {
    throw thrown;
  };

  verifies('errors.low-level', async () => {
    const plain = await answerOf(throwing(new RangeError('out of range')));
    expect(plain.error).toBeUndefined();
    expect(textsOf(plain.result as ToolResult)).toEqual([
      'out of range',
      'INTERNAL_ERROR: Do not repeat this call; report the trace id. Trace id: <trace>',
    ]);
    expect(plain.span?.attributes).toMatchObject({
      'toolspan.outcome': 'tool_error',
      'error.type': 'tool_error',
      'toolspan.error.code': 'INTERNAL_ERROR',
    });
    const own = await answerOf(throwing(new ToolError('PERMISSION_DENIED', 'Not yours')));
    expect(metaOf(own.result as ToolResult)).toMatchObject({ code: 'PERMISSION_DENIED', message: 'Not yours' });
    const hidden = await answerOf(throwing(new Error('the table is users_v2')), 'strict');
    expect(JSON.stringify(hidden)).toContain('The server failed.');
    expect(JSON.stringify(hidden.result)).not.toContain('users_v2');
    const untouched = await answerOf(throwing(new RangeError('out of range')), 'passthrough');
    expect(untouched.error).toEqual({ code: -32_603, message: 'out of range' });
  });

  verifies('errors.strict', async () => {
    const secrets = [
      Object.assign(new Error('14 UNAVAILABLE: postgres://app:s3cr3t@db'), { code: 14 }),
      Object.assign(new Error('execution reverted: s3cr3t'), { code: -32_000, data: '0xs3cr3t' }),
      Object.assign(new Error('upstream s3cr3t'), { code: -32_603, data: { body: 's3cr3t' } }),
      Object.assign(new Error('sign in at s3cr3t'), { code: -32_042, data: { elicitations: ['s3cr3t'] } }),
      Object.assign(new Error('s3cr3t'), { data: { body: 's3cr3t' } }),
    ];
    for (const thrown of secrets) {
      const { result, error } = await answerOf(throwing(thrown), 'strict');
      expect(error).toBeUndefined();
      expect(result?.isError).toBe(true);
      expect(JSON.stringify(result)).not.toContain('s3cr3t');
    }
    for (const thrown of secrets) {
      for (const request of [
        { method: 'resources/read', params: { uri: 'memo://vault' } },
        { method: 'prompts/get', params: { name: 'vault' } },
      ]) {
        const server = referenceServer(generation) as unknown as Registering;
        server.registerResource('vault', 'memo://vault', {}, throwing(thrown));
        server.registerPrompt('vault', {}, throwing(thrown));
        const { transport } = await script(server as unknown as AnyServer, { errors: 'strict' });
        transport.deliver({ jsonrpc: '2.0', id: 1, ...request });
        const { error } = (await transport.answer(1)) as { error: Json };
        expect(Object.keys(error)).toEqual(['code', 'message']);
        expect(error['code']).toBe(-32_603);
        expect(error['message']).toMatch(/^[A-Z].* Trace id: [0-9a-f]{32}$/);
        expect(error['message']).not.toContain('s3cr3t');
      }
    }
  });

  verifies('errors.returned', async () => {
    const late = () => handleError(Object.assign(new Error('too busy'), { status: 503 }));
    const own = { content: [{ type: 'text', text: 'my own words' }], isError: true };
    const coded = { ...own, _meta: { 'toolspan/error': { code: 'PERMISSION_DENIED', message: 'my own words' } } };
    for (const errors of ['typed', 'strict', 'passthrough'] as const) {
      for (const returned of [own, coded]) {
        const { result, span } = await answerOf(() => {
          late();
          return returned;
        }, errors);
        expect(result).toMatchObject(returned);
        expect(result?.content).toEqual(returned.content);
        expect(span?.attributes['toolspan.error.code']).toBe(returned === coded ? 'PERMISSION_DENIED' : undefined);
        expect(span?.events).toEqual([]);
      }
      // what was added to, or found among several, is still what it was made of
      const { result, span } = await answerOf(() => {
        const mine = handleError(new RangeError('mine'));
        for (let times = 0; times < 5; times++) late();
        return { ...mine, structuredContent: { n: 1 }, _meta: { ...mine._meta, page: 2 } };
      }, errors);
      expect(result).toMatchObject({ structuredContent: { n: 1 }, _meta: { page: 2 } });
      expect(result?.content).toHaveLength(errors === 'typed' ? 2 : 1);
      expect(span?.attributes['toolspan.error.code']).toBe('INTERNAL_ERROR');
      expect(span?.events.map(({ attributes }) => attributes['exception.message'])).toEqual(['mine']);
    }
    // what is thrown in the end is what went wrong
    const { span } = await answerOf(() => {
      late();
      throw new RangeError('another matter');
    });
    expect(span?.events.map(({ attributes }) => attributes['exception.message'])).toEqual(['another matter']);
  });

  verifies('errors.protocol-errors', async () => {
    const make = (code: number, message: string) =>
      generation === 'v1' ? new McpError(code, message) : new ProtocolError(code, message);
    for (const mode of ['typed', 'strict'] as const) {
      const { error, result, span } = await answerOf(throwing(make(-32_602, 'no such thing')), mode);
      expect(result).toBeUndefined();
      expect(error).toMatchObject({ code: -32_602 });
      expect(span?.attributes).toMatchObject({
        'toolspan.outcome': 'protocol_error',
        'toolspan.error.code': 'VALIDATION_ERROR',
      });
      expect(span?.attributes['error.type']).toBeUndefined();
    }
    // the number of a database is not one of the protocol
    const database = await answerOf(throwing(Object.assign(new Error('E11000 users_v2'), { code: 11_000 })), 'strict');
    expect(JSON.stringify([database.result, database.error])).not.toContain('users_v2');
  });
});

describe.each(GENERATIONS)('a tool of %s that is retried', (generation) => {
  verifies(
    'errors.returned',
    async () => {
      let attempts = 0;
      const server = referenceServer(generation);
      const name = `fickle-${generation}`;
      (server as unknown as Registering).registerTool(name, { annotations: { readOnlyHint: true } }, () =>
        ++attempts === 1
          ? handleError(Object.assign(new Error('too busy'), { status: 503 }))
          : { content: [{ type: 'text', text: 'my own words' }], isError: true },
      );
      const tools = { [name]: { retry: { attempts: 2, initialDelayMs: 1 } } };
      const { transport, call, recorder } = await script(server, { tools });
      call(1, name);
      const { result } = await transport.answer(1);
      expect(attempts).toBe(2);
      expect(result).toEqual({ content: [{ type: 'text', text: 'my own words' }], isError: true });
      const span = recorder.spans().find(({ name: of }) => of === `tools/call ${name}`);
      expect(span?.attributes['toolspan.error.code']).toBeUndefined();
      expect(span?.events.filter(({ name: of }) => of === 'exception')).toEqual([]);
    },
    'and fails in another way',
  );
});
