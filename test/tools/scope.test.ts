// Who learns what over HTTP: strangers call the same server, with sessions (SDK v1) and without (2026-07-28).
import type { Server } from 'node:http';
import { randomUUID } from 'node:crypto';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { createMcpHandler, McpServer as ServerV2 } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { describe, expect, onTestFinished } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { admit } from '../../src/tools/access.ts';
import { instrumentServer, registerObservabilityTools, type Authorize } from '../../src/index.ts';
import { handlerV2, statefulV1 } from '../fixtures/http-hosts.ts';
import { ownSdk, type Answer } from '../harness/agent.ts';
import { closed, listening } from '../harness/http-server.ts';
import { verifies } from '../harness/verifies.ts';

const SECRET = 'hunter2';

type Call = (name: string, args?: Record<string, unknown>, meta?: Record<string, string>) => Promise<Answer>;

function tooled<S extends ServerV1 | ServerV2>(server: S, authorize?: Authorize): Promise<S> {
  const { registerTool } = server as unknown as {
    registerTool(name: string, config: object, run: () => unknown): void;
  };
  registerTool.call(server, 'leaks', { inputSchema: { password: z.string() } }, () => {
    throw new TypeError(`cannot reach https://db.internal/?password=${SECRET}`);
  });
  registerTool.call(server, 'refuses', {}, () => {
    throw new ToolError('RESOURCE_NOT_FOUND', 'no such city');
  });
  return registerObservabilityTools(instrumentServer(server), authorize === undefined ? {} : { authorize });
}

async function urlOf(http: Server): Promise<URL> {
  onTestFinished(() => closed(http));
  return new URL(`${await listening(http)}/mcp`);
}

/** A server of SDK v1 that keeps sessions; each caller has one. */
async function withSessions(authorize?: Authorize): Promise<() => Promise<Call>> {
  const name = `sessions ${randomUUID()}`;
  const url = await urlOf(statefulV1(() => tooled(new ServerV1({ name, version: '1' }), authorize)));
  return async () => {
    const client = new ClientV1({ name: 'caller', version: '1' });
    await client.connect(new HttpV1(url));
    onTestFinished(() => client.close());
    return async (tool, args = {}, meta = {}) =>
      (await client.callTool({ name: tool, arguments: args, _meta: meta })) as unknown as Answer;
  };
}

/** A server of SDK v2 that makes an instance for each request. */
async function withoutSessions(authorize?: Authorize): Promise<() => Promise<Call>> {
  const name = `sessionless ${randomUUID()}`;
  const handler = createMcpHandler(() => tooled(new ServerV2({ name, version: '1' }), authorize));
  const url = await urlOf(handlerV2(handler));
  return async () => {
    const client = new ClientV2(
      { name: 'caller', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    await client.connect(new HttpV2(url));
    onTestFinished(() => client.close());
    return async (tool, args = {}, meta = {}) =>
      (await client.callTool({ name: tool, arguments: args, _meta: meta })) as unknown as Answer;
  };
}

const idOf = (letter: string) => letter.repeat(32);
const callerOf = (letter: string) => ({ traceparent: `00-${idOf(letter)}-${letter.repeat(16)}-01` });
const traceIds = ({ structuredContent }: Answer) =>
  (structuredContent['errors'] as unknown as { trace_id: string }[]).map(({ trace_id: id }) => id);

describe('strangers', () => {
  verifies(
    'agent.scope',
    async () => {
      const scopeOf = async (extra: unknown) => (await admit(undefined, 'get_trace', {}, extra)).scope;
      expect(await scopeOf({})).toBe('all');
      expect(await scopeOf(undefined)).toBe('all');
      // a transport that knows who calls is not that of whoever runs the process
      expect(await scopeOf({ authInfo: { token: 'a' } })).toBe('trace');
      expect(await scopeOf({ authInfo: { token: 'a' }, sessionId: 's' })).toBe('session');
      expect(await scopeOf({ http: { authInfo: { token: 'a' } } })).toBe('trace');
    },
    'whoever is authenticated is remote',
  );

  verifies(
    'agent.scope',
    async () => {
      ownSdk();
      const open = await withSessions();
      const [mine, theirs] = [await open(), await open()];
      await mine('refuses', {}, callerOf('a'));
      await theirs('refuses', {}, callerOf('b'));
      const own = await mine('get_recent_errors');
      expect(own.structuredContent['scope']).toBe('session');
      expect(traceIds(own)).toEqual([idOf('a')]);
      // whoever holds the id of a trace may look at it
      expect(traceIds(await mine('get_recent_errors', { trace_id: idOf('b') }))).toEqual([idOf('b')]);
      expect((await mine('get_trace', { trace_id: idOf('b') })).structuredContent['found']).toBe(true);
      expect(JSON.stringify(own)).not.toContain('session_id');
    },
    'with sessions',
  );

  verifies(
    'agent.scope',
    async () => {
      ownSdk();
      const call = await (await withoutSessions())();
      await call('refuses', {}, callerOf('c'));
      await call('refuses', {}, callerOf('d'));
      const wide = await call('get_recent_errors');
      expect(wide.isError).toBe(true);
      expect(wide.content[0]?.text).toContain('pass the trace_id');
      const own = await call('get_recent_errors', { trace_id: idOf('c') });
      expect(own.structuredContent['scope']).toBe('trace');
      expect(traceIds(own)).toEqual([idOf('c')]);
      expect((await call('get_trace', { trace_id: idOf('d') })).structuredContent['found']).toBe(true);
    },
    'without sessions, a trace id only',
  );

  verifies(
    'agent.scope',
    async () => {
      ownSdk();
      const remotes: boolean[] = [];
      const open = await withoutSessions(({ remote }) => {
        remotes.push(remote);
        return true;
      });
      const call = await open();
      await call('refuses', {}, callerOf('e'));
      await call('refuses', {}, callerOf('f'));
      const all = await call('get_recent_errors');
      expect(all.structuredContent['scope']).toBe('all');
      expect(traceIds(all)).toEqual([idOf('f'), idOf('e')]);
      expect(remotes).toEqual([true]);
    },
    'wider with authorize',
  );

  // the traces are those of the whole process: each test has ids of its own
  for (const [serve, leak, refusal] of [
    [withSessions, '1', '2'],
    [withoutSessions, '3', '4'],
  ] as const) {
    verifies(
      'agent.private',
      async () => {
        ownSdk();
        const call = await (await serve())();
        await call('leaks', { password: SECRET }, callerOf(leak));
        await call('refuses', {}, callerOf(refusal));
        const trace = await call('get_trace', { trace_id: idOf(leak) });
        const answers = JSON.stringify([
          trace,
          await call('get_recent_errors', { trace_id: idOf(leak) }),
          await call('get_server_health'),
          await call('get_server_metrics'),
        ]);
        expect(answers).not.toMatch(new RegExp(`${SECRET}|db\\.internal|cannot reach|\\.ts:\\d|127\\.0\\.0\\.1`));
        expect(trace.structuredContent).toMatchObject({ spans: [{ failed: true, error: 'TypeError' }] });
        // but what was written for the client is shown
        const refused = await call('get_trace', { trace_id: idOf(refusal) });
        expect(refused.structuredContent).toMatchObject({ spans: [{ error: 'ToolError: no such city' }] });
      },
      serve.name,
    );
  }
});
