// What the client is told of a failed call, on every SDK generation and transport.
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect } from 'vitest';
import { handleError, instrumentServer, ToolError, type ErrorMode } from '../../src/index.ts';
import { referenceServer } from '../fixtures/reference-server.ts';
import { disableTelemetry } from '../harness/disabled.ts';
import { connect, describeMatrix, metaOf, textsOf, type Connected, type ToolResult } from '../harness/matrix.ts';
import { GENERATIONS, INITIALIZE, script, ScriptedTransport, type Json } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const TRACE_ID = /^[0-9a-f]{32}$/;

describeMatrix('failed calls', (combination) => {
  const { carrier } = combination;
  const opened = async (mode?: ErrorMode): Promise<Connected> =>
    connect(combination, mode === undefined ? {} : { server: { errors: mode } });

  verifies('errors.typed', async () => {
    const { call, client, close, spans } = await opened();
    // from here on the client holds structured results against their schemas
    await client.listTools();
    const refused = await call('refuses');
    expect(refused.isError).toBe(true);
    expect(textsOf(refused)).toEqual(['RATE_LIMIT_EXCEEDED: Too many forecasts. Call again in 2 s. Trace id: <trace>']);
    expect(metaOf(refused)).toEqual({
      code: 'RATE_LIMIT_EXCEEDED',
      message: 'Too many\nforecasts',
      details: { limit: 5, api_key: '[REDACTED]' },
      retryable: true,
      retry_after_ms: 1_500,
      trace_id: expect.stringMatching(TRACE_ID) as string,
    });
    const boom = await call('boom');
    expect(textsOf(boom)).toEqual([
      'boom went off',
      'INTERNAL_ERROR: Do not repeat this call; report the trace id. Trace id: <trace>',
    ]);
    expect(metaOf(boom)).toMatchObject({
      code: 'INTERNAL_ERROR',
      message: 'boom went off',
      details: {},
      retryable: false,
    });
    const unreachable = await call('reaches_out');
    expect(textsOf(unreachable)).toEqual(['fetch failed', 'UNAVAILABLE: Wait, then call again. Trace id: <trace>']);
    const parsed = metaOf(await call('parses'));
    expect(parsed).toMatchObject({ code: 'VALIDATION_ERROR', details: { issues: [{ path: 'city' }] } });
    expect(textsOf(await call('structured'))).toEqual([
      'RESOURCE_NOT_FOUND: No such number. Check the name or id; the same call will fail again. Trace id: <trace>',
    ]);
    expect(textsOf(await call('returns_nothing'))).toEqual([
      'The tool returned no result.',
      'INTERNAL_ERROR: Do not repeat this call; report the trace id. Trace id: <trace>',
    ]);
    await close();
    const span = spans().find(({ name }) => name === 'tools/call boom');
    expect(metaOf(boom)['trace_id']).toBe(span?.traceId);
  });

  verifies('errors.sdk-made', async () => {
    const { call, close } = await opened();
    const invalid = await call('echo', { text: 7 });
    expect(textsOf(invalid)[0]).toMatch(/Input validation error: Invalid arguments for tool echo/);
    expect(textsOf(invalid)[1]).toBe('VALIDATION_ERROR: Correct the arguments and call again. Trace id: <trace>');
    expect(metaOf(invalid)).toMatchObject({ code: 'VALIDATION_ERROR', retryable: false });
    const broken = await call('unstructured');
    expect(textsOf(broken)[0]).toMatch(/Output validation error/);
    expect(metaOf(broken)).toMatchObject({ code: 'INTERNAL_ERROR' });
    const unknown = await call('no such tool').catch((error: Error) => error);
    // a result of SDK v1, an error of v2
    if (!(unknown instanceof Error)) expect(metaOf(unknown)).toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
    else expect(unknown.message).toContain('Tool no such tool not found');
    await close();
  });

  verifies('errors.returned', async () => {
    const { call, close, spans } = await opened();
    const plain = await call('fails');
    expect([textsOf(plain), metaOf(plain), plain.isError]).toEqual([['no luck'], undefined, true]);
    const coded = await call('returns_coded');
    expect(textsOf(coded)).toEqual(['as the tool has it']);
    expect(coded._meta).toMatchObject({
      mine: 1,
      'toolspan/error': { code: 'PERMISSION_DENIED', message: 'as the tool has it' },
    });
    await close();
    const codes = ['fails', 'returns_coded'].map(
      (tool) => spans().find(({ name }) => name === `tools/call ${tool}`)?.attributes['toolspan.error.code'],
    );
    expect(codes).toEqual([undefined, 'PERMISSION_DENIED']);
  });

  verifies('errors.handle-error', async () => {
    const { call, close, spans } = await opened();
    const caught = await call('catches');
    expect(textsOf(caught)).toEqual([
      'caught in time',
      'INTERNAL_ERROR: Do not repeat this call; report the trace id. Trace id: <trace>',
    ]);
    await close();
    const span = spans().find(({ name }) => name === 'tools/call catches');
    expect(metaOf(caught)['trace_id']).toBe(span?.traceId);
    expect(span?.attributes['toolspan.error.code']).toBe('INTERNAL_ERROR');
    expect(span?.events.map(({ attributes }) => attributes['exception.message'])).toEqual(['caught in time']);
  });

  verifies('errors.protocol-errors', async () => {
    const { call, close } = await opened();
    const asked = (await call('ask_by_url').catch((error: unknown) => error)) as { code?: unknown; message: string };
    expect(asked.code).toBe(combination.peer === 'v2 modern' ? -32_603 : -32_042);
    await close();
  });

  if (carrier === 'stdio') return;

  verifies('errors.strict', async () => {
    const { call, client, close, spans } = await opened('strict');
    const boom = await call('boom');
    expect(textsOf(boom)).toEqual([
      'INTERNAL_ERROR: The server failed. Do not repeat this call; report the trace id. Trace id: <trace>',
    ]);
    expect(metaOf(boom)).toMatchObject({ code: 'INTERNAL_ERROR', message: 'The server failed.', details: {} });
    const parsed = await call('parses');
    expect(metaOf(parsed)).toMatchObject({
      code: 'VALIDATION_ERROR',
      message: 'The arguments were refused.',
      details: {},
    });
    expect(textsOf(await call('refuses'))[0]).toMatch(/^RATE_LIMIT_EXCEEDED: Too many forecasts\. /);
    // what is wrong with the arguments is the caller's to know
    expect(textsOf(await call('echo', { text: 7 }))[0]).toMatch(/Input validation error/);
    const torn = (await client.readResource({ uri: 'memo://torn' }).catch((error: unknown) => error)) as Error;
    const everything = JSON.stringify([
      boom,
      parsed,
      await call('boom_later'),
      await call('leaks'),
      await call('unstructured'),
      await call('catches'),
      torn.message,
    ]);
    for (const internal of [
      'went off',
      'the fuse',
      'city',
      'not even',
      's3cr3t',
      'postgres',
      'Output',
      'in time',
      'torn',
    ]) {
      expect(everything).not.toContain(internal);
    }
    await close();
    // nothing is lost: it stands on the span
    expect(spans().find(({ name }) => name === 'tools/call boom')?.events[0]?.attributes['exception.message']).toBe(
      'boom went off',
    );
  });

  verifies('errors.success-untouched', async () => {
    const answers = async (options: { instrumented: boolean; mode?: ErrorMode }) => {
      const { instrumented, mode } = options;
      const { call, client, close } = await connect(combination, {
        instrumented,
        ...(mode && { server: { errors: mode, logLevel: 'debug', captureArguments: true, captureResults: true } }),
      });
      const given = [
        await client.listTools(),
        await call('echo', { text: 'hi' }),
        await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } }),
        await client.readResource({ uri: 'memo://note' }),
      ];
      await close();
      return JSON.stringify(given);
    };
    const bare = await answers({ instrumented: false });
    for (const mode of ['typed', 'strict', 'passthrough'] as const) {
      expect(await answers({ instrumented: true, mode })).toBe(bare);
    }
  });
});

describe.each(GENERATIONS)('without telemetry on %s', (generation) => {
  verifies('errors.disabled', async () => {
    disableTelemetry();
    const { transport, call, recorder } = await script(referenceServer(generation), { errors: 'strict' });
    const names = ['boom', 'refuses', 'echo', 'catches'];
    for (const name of names) call(name, name, { text: 'hi' });
    const [boom, refused, echoed, caught] = (await Promise.all(names.map((name) => transport.answer(name)))).map(
      ({ result }) => result as ToolResult,
    );
    expect(textsOf(boom as ToolResult)).toEqual([
      'INTERNAL_ERROR: The server failed. Do not repeat this call; report the trace id.',
    ]);
    expect(metaOf(boom as ToolResult)).toEqual({
      code: 'INTERNAL_ERROR',
      message: 'The server failed.',
      details: {},
      retryable: false,
    });
    expect(metaOf(refused as ToolResult)).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', retry_after_ms: 1_500 });
    expect(textsOf(echoed as ToolResult)).toEqual(['hi']);
    expect(metaOf(caught as ToolResult)['message']).toBe('The server failed.');
    expect([recorder.spans(), recorder.logs]).toEqual([[], []]);
    await transport.close();
  });

  verifies(
    'errors.handle-error',
    async () => {
      const server = (
        generation === 'v1' ? new ServerV1({ name: 's', version: '1' }) : new McpServer({ name: 's', version: '1' })
      ) as McpServer;
      server.registerTool(
        'own',
        {},
        () => handleError(new ToolError('TIMEOUT', 'Too slow'), { traceId: 'abc' }) as never,
      );
      const transport = new ScriptedTransport();
      await server.connect(transport);
      transport.deliver(INITIALIZE);
      transport.deliver({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'own' } } satisfies Json);
      const { result } = await transport.answer(1);
      expect(textsOf(result as ToolResult)).toEqual([
        'TIMEOUT: Too slow. Try again later, or ask for less. Trace id: abc',
      ]);
    },
    'on a server that nobody instrumented',
  );

  verifies(
    'errors.typed',
    async () => {
      const classify = [
        (error: unknown) => ((error as Error).message === 'boom went off' ? ('UNAVAILABLE' as const) : undefined),
      ];
      const { transport, call, recorder } = await script(
        instrumentServer(referenceServer(generation), { classify }),
        {},
      );
      call(1, 'boom');
      const { result } = await transport.answer(1);
      expect(metaOf(result as ToolResult)).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      expect(recorder.spans()).toEqual([]);
    },
    'by a classifier of its own',
  );
});
