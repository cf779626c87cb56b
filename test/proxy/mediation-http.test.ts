// What the proxy decides itself over HTTP.
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, expect } from 'vitest';
import { Mediation } from '../../src/proxy/mediation.ts';
import { whenRead } from '../harness/http-server.ts';
import { ask, behind, outcomes, posted, underWay, type Handle } from '../harness/http-wrap.ts';
import { answering, call, cancelled, limit, oneAtATime, refusing, result, tools } from '../harness/mediated.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

describe('policies', () => {
  verifies(
    'wrap.policies',
    async () => {
      const policy = limit();
      const mediation = new Mediation({ policyOf: (tool) => (tool === 'open' ? refusing : policy) });
      const handle = answering((id) => (id === 1 ? result(1) : undefined));
      await behind(
        handle,
        async (proxy) => {
          expect((await ask(proxy.port, posted(call(1, 'x')))).body.toString()).toBe(JSON.stringify(result(1)));
          expect(JSON.parse((await ask(proxy.port, posted(call(3, 'open')))).body.toString())).toMatchObject({
            id: 3,
            result: { _meta: { 'toolspan/error': { code: 'UNAVAILABLE' } } },
          });
          const waiting = ask(proxy.port, posted(call(2, 'x')));
          await underWay(proxy, 1);
          policy.expire();
          expect(JSON.parse((await waiting).body.toString())).toMatchObject({
            result: { isError: true, _meta: { 'toolspan/error': { code: 'TIMEOUT' } } },
          });
          expect(outcomes(proxy)).toEqual([
            'tools/call x ok',
            'tools/call _other tool_error',
            'tools/call x tool_error',
          ]);
        },
        { mediation },
      );
    },
    'passed, refused and over time',
  );

  verifies(
    'wrap.policies',
    async () => {
      const policy = limit();
      const mediation = new Mediation({ policyOf: () => policy });
      await behind(
        answering(() => undefined, true),
        async (proxy) => {
          const waiting = ask(proxy.port, posted(call(2, 'x')));
          await underWay(proxy, 1);
          policy.expire();
          const { body } = await waiting;
          expect(body.toString()).toMatch(/"code":"TIMEOUT"/);
        },
        { mediation },
      );
    },
    'over time in the middle of a stream',
  );

  verifies(
    'wrap.policies',
    async () => {
      const policy = oneAtATime();
      const mediation = new Mediation({ policyOf: () => policy });
      const reached: unknown[] = [];
      // as the SDKs do: what is withdrawn is never answered, and its exchange stays open
      const handle = answering((id, method) => {
        reached.push(id ?? method);
        return id === 4 ? result(4) : undefined;
      });
      await behind(
        handle,
        async (proxy) => {
          const inSession = (message: object) => ask(proxy.port, posted(message, 'Mcp-Session-Id', 's-1'));
          const abandoned = inSession(call(1, 'x')).catch(() => undefined);
          await eventually('the first is made', () => reached.length === 1 || undefined);
          const waiting = inSession(call(2, 'x'));
          await underWay(proxy, 2);
          const ofAnother = ask(proxy.port, posted(cancelled(1), 'Mcp-Session-Id', 's-2')).catch(() => undefined);
          await eventually('a stranger withdraws nothing', () => reached.length === 2 || undefined);
          const withdrawals = [2, 1].map((id) => inSession(cancelled(id)).catch(() => undefined));
          const unmade = await waiting;
          expect([unmade.status, unmade.body.toString()]).toEqual([200, '']);
          // its place is free again
          expect((await inSession(call(4, 'x'))).body.toString()).toBe(JSON.stringify(result(4)));
          expect(reached).not.toContain(2);
          void Promise.all([abandoned, ofAnother, ...withdrawals]);
        },
        { mediation },
      );
    },
    'a call that is withdrawn by another exchange',
  );

  verifies(
    'wrap.policies',
    async () => {
      const policy = limit();
      const told: unknown[][] = [];
      const handle: Handle = (request, response) => {
        whenRead(request, (body) => {
          const message = JSON.parse(body.toString()) as { method: string };
          told.push([request.headers.authorization, request.headers['mcp-session-id'], message]);
          if (message.method !== 'tools/call') response.writeHead(202).end();
        });
      };
      await behind(
        handle,
        async (proxy) => {
          const credentials = ['Authorization', 'Bearer x', 'Mcp-Session-Id', 's-1'];
          const waiting = ask(proxy.port, posted(call(7, 'x'), ...credentials));
          await eventually('the call', () => told.length === 1 || undefined);
          policy.expire();
          expect((await waiting).body.toString()).toContain('TIMEOUT');
          await eventually('the withdrawal', () => told.length === 2 || undefined);
          expect(told[1]).toEqual([
            'Bearer x',
            's-1',
            {
              jsonrpc: '2.0',
              method: 'notifications/cancelled',
              params: { requestId: 7, reason: 'toolspan: the time of this call is over' },
            },
          ]);
        },
        { mediation: new Mediation({ policyOf: () => policy }) },
      );
    },
    'the server of a session is told of a call whose time is over',
  );

  verifies(
    'wrap.policies',
    async () => {
      const policy = limit();
      let begun: (() => void) | undefined;
      const half = new Promise<void>((resolve) => (begun = resolve));
      const handle: Handle = (request, response) => {
        request.resume();
        response.writeHead(200, { 'content-type': 'Text/Event-Stream' });
        response.write('data: {"jsonrpc":"2.0","method":"notifications/x"}\n\nevent: message\ndata: {"jso', begun);
      };
      await behind(
        handle,
        async (proxy) => {
          const { headers, body } = posted(call(2, 'x'));
          const sent = httpRequest({ host: '127.0.0.1', port: proxy.port, method: 'POST', path: '/mcp' });
          for (const [index, name] of (headers ?? []).entries())
            if (index % 2 === 0) sent.setHeader(name, headers?.[index + 1] ?? '');
          sent.end(body);
          const [response] = (await once(sent, 'response')) as [IncomingMessage];
          const chunks: string[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
          await half;
          // the notification is here, so the half of the event is at the proxy
          await eventually('the notification', () => chunks.length > 0 || undefined);
          policy.expire();
          await once(response, 'end');
          const events = chunks.join('').split('\n\n');
          expect(events).toEqual([
            'data: {"jsonrpc":"2.0","method":"notifications/x"}',
            expect.stringMatching(/^event: message\ndata: \{.*"code":"TIMEOUT".*\}$/),
            '',
          ]);
        },
        { mediation: new Mediation({ policyOf: () => policy }) },
      );
    },
    'over time in the middle of an event',
  );

  verifies(
    'wrap.policies',
    async () => {
      const mediation = new Mediation({ policyOf: (tool) => (tool === 'open' ? refusing : undefined) });
      const reached: string[] = [];
      const handle: Handle = (request, response) => {
        whenRead(request, (body) => {
          reached.push(body.toString());
          response.end();
        });
      };
      const mark = '\uFEFF';
      const refused = JSON.stringify(call(1, 'open'));
      const free = JSON.stringify(call(2, 'x'));
      await behind(
        handle,
        async (proxy) => {
          const send = async (body: string, type: string) =>
            (await ask(proxy.port, { headers: ['Content-Type', type], body })).body.toString();
          for (const type of ['Application/JSON', 'APPLICATION/json; charset=utf-8', 'text/plain']) {
            for (const body of [refused, `${mark}${refused}`, `[${refused}]`]) {
              expect(await send(body, type)).toContain('"code":"UNAVAILABLE"');
            }
            expect(await send(`${mark}[${free},${refused}]`, type)).toMatch(/^\{"jsonrpc":"2.0","error":.*one by one/);
          }
          expect(reached).toEqual([]);
          const passing = [`${mark}${free}`, `[${free},${free}]`, 'a=b', mark, ''];
          for (const body of passing) await send(body, 'text/plain');
          expect(reached).toEqual(passing);
          // what was no call of a tool is nobody's span
          expect(new Set(outcomes(proxy))).toEqual(
            new Set(['tools/call _other tool_error', 'tools/call _other protocol_error', 'tools/call _other aborted']),
          );
        },
        { mediation },
      );
    },
    'calls in batches, behind a mark of the byte order, and under any media type',
  );
});

describe('tools of the proxy', () => {
  for (const events of [false, true]) {
    verifies(
      'wrap.tools',
      async () => {
        const mediation = new Mediation({ policyOf: () => undefined, tools });
        await behind(
          answering((id) => ({ jsonrpc: '2.0', id, result: { tools: [{ name: 'theirs', big: 1 }] } }), events),
          async (proxy) => {
            const { body } = await ask(proxy.port, posted({ jsonrpc: '2.0', id: 1, method: 'tools/list' }));
            expect(body.toString()).toContain(
              '"tools":[{"name":"theirs","big":1},{"name":"get_server_health","inputSchema":{"type":"object"}}',
            );
            const health = await ask(proxy.port, posted(call(2, 'get_server_health')));
            expect(JSON.parse(health.body.toString())).toMatchObject({ id: 2, result: { asked: { a: 1 } } });
          },
          { mediation },
        );
      },
      events ? 'in a stream of events' : 'in JSON',
    );
  }

  verifies(
    'wrap.tools',
    async () => {
      const reached: string[] = [];
      let revoked = false;
      // lets in who has the key, wherever else it may answer
      const handle: Handle = (request, response) => {
        whenRead(request, (body) => {
          const { id, method } = JSON.parse(body.toString()) as { id: number; method: string };
          reached.push(method);
          const isLetIn = request.headers['x-api-key'] === 'right' && !revoked;
          const headers = {
            'content-type': 'application/json',
            ...(method === 'initialize' && { 'mcp-session-id': 's' }),
          };
          response.writeHead(isLetIn ? 200 : 401, headers);
          response.end(JSON.stringify(isLetIn ? { jsonrpc: '2.0', id, result: { tools: [] } } : {}));
        });
      };
      await behind(
        handle,
        async (proxy) => {
          const right = ['X-Api-Key', 'right'];
          const session = [...right, 'Mcp-Session-Id', 's'];
          const health = async (headers: readonly string[], path = '/mcp') => {
            const answer = await ask(proxy.port, { ...posted(call(2, 'get_server_health'), ...headers), path });
            return answer.body.toString().includes('asked') ? 'ours' : answer.status;
          };
          const list = (headers: readonly string[]) =>
            ask(proxy.port, posted({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, ...headers));
          await list([]);
          expect(await health([])).toBe(401);
          await list(right);
          expect(await health([...right, 'Mcp-Name', 'x', 'traceparent', 'y', 'Mcp-Param-A', 'z'])).toBe('ours');
          for (const headers of [[], ['X-Api-Key', 'wrong'], [...right, 'X-User', 'other'], ['Mcp-Session-Id', 's']])
            expect(await health(headers)).not.toBe('ours');
          expect(await health(right, '/other')).toBe(200);
          // the answer to initialize names the session that its client goes on with
          expect(await health([...session, 'Cookie', 'x'])).toBe(200);
          await ask(proxy.port, posted({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} }, ...right));
          expect(await health(session)).toBe('ours');
          // turned away later
          revoked = true;
          await list(session);
          expect(await health(session)).toBe(401);
        },
        { mediation: new Mediation({ policyOf: () => undefined, tools }) },
      );
    },
    'over HTTP for those whom the server has let in',
  );
});
