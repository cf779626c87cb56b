// What the proxy decides itself: calls under a policy, and tools of its own.
import { describe, expect } from 'vitest';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { Mediation } from '../../src/proxy/mediation.ts';
import { messagesIn } from '../../src/proxy/observed-peers.ts';
import { announcedPolicies } from '../../src/resilience/registry.ts';
import { policiesOf } from '../../src/proxy/tool-policies.ts';
import { StdioMediator } from '../../src/proxy/stdio-mediator.ts';
import { call, cancelled, limit, namedTools, oneAtATime, refusing, result, tools } from '../harness/mediated.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

function mediator(options: ConstructorParameters<typeof Mediation>[0]) {
  const [toServer, toClient]: [string[], string[]] = [[], []];
  const made = new StdioMediator(new Mediation(options), {
    toServer: (line) => void toServer.push(line.toString()),
    toClient: (line) => void toClient.push(line.toString()),
    answer: (message) => void toClient.push(JSON.stringify(message)),
  });
  const pass = (from: 'fromClient' | 'fromServer') => (message: object) => {
    const line = Buffer.from(`${JSON.stringify(message)}\n`);
    const passed = made[from](line, messagesIn(line) ?? [], [ROOT_CONTEXT]);
    if (passed !== undefined) (from === 'fromClient' ? toServer : toClient).push(passed.toString());
  };
  return { client: pass('fromClient'), server: pass('fromServer'), toServer, toClient };
}

const line = (message: object) => `${JSON.stringify(message)}\n`;

describe('policies on stdio', () => {
  verifies(
    'wrap.policies',
    async () => {
      const policy = limit();
      const { client, server, toServer, toClient } = mediator({
        policyOf: (tool) => (tool === 'slow' ? policy : undefined),
      });
      client(call(1, 'slow'));
      client(call(2, 'fast'));
      expect(toServer).toEqual([line(call(1, 'slow')), line(call(2, 'fast'))]);
      server(result(2));
      server({ ...result(1), extra: 12 });
      await eventually('the answer', () => toClient[1]);
      // the answer of the server, byte by byte
      expect(toClient).toEqual([line(result(2)), line({ ...result(1), extra: 12 })]);
      expect(policy.failures).toEqual([]);
    },
    'a call that it lets through',
  );

  verifies(
    'wrap.policies',
    async () => {
      const policy = limit();
      const { client, server, toServer, toClient } = mediator({ policyOf: () => policy });
      client(call(1, 'slow'));
      policy.expire();
      const [answer = ''] = await eventually('the answer', () => (toClient.length > 0 ? toClient : undefined));
      expect(JSON.parse(answer)).toMatchObject({
        id: 1,
        result: { isError: true, _meta: { 'toolspan/error': { code: 'TIMEOUT', retryable: true } } },
      });
      // the server is told, and what it says later is for nobody
      expect(JSON.parse(toServer[1] ?? '')).toMatchObject({
        method: 'notifications/cancelled',
        params: { requestId: 1 },
      });
      server(result(1));
      expect(toClient).toHaveLength(1);
    },
    'a call whose time is over',
  );

  verifies(
    'wrap.policies',
    async () => {
      const { client, toServer, toClient } = mediator({ policyOf: () => refusing });
      client(call(1, 'x'));
      const [answer = ''] = await eventually('the answer', () => (toClient.length > 0 ? toClient : undefined));
      expect(toServer).toEqual([]);
      expect(JSON.parse(answer)).toMatchObject({
        result: {
          content: [{ type: 'text', text: 'UNAVAILABLE: the breaker is open. Call again in 500 ms.' }],
          isError: true,
          _meta: { 'toolspan/error': { code: 'UNAVAILABLE', retryable: true, retry_after_ms: 500 } },
        },
      });
    },
    'a call that it refuses',
  );

  verifies(
    'wrap.policies',
    async () => {
      const policy = limit();
      const { client, server, toClient } = mediator({ policyOf: () => policy });
      client(call(1, 'x'));
      server(result(1, { isError: true }));
      client(call(2, 'x'));
      server({ jsonrpc: '2.0', id: 2, error: { code: -32_602, message: 'no such tool' } });
      client(call(3, 'x'));
      server({ jsonrpc: '2.0', id: 3, error: { code: -32_603, message: 'broken' } });
      await eventually('three answers', () => toClient.length === 3 || undefined);
      // all are passed on; only the last is a failure of the server
      expect(toClient.map((text) => (JSON.parse(text) as { id: number }).id)).toEqual([1, 2, 3]);
      expect(policy.failures.map(String)).toEqual(['Error: the server answered with the error -32603']);
    },
    'what counts as a failure',
  );

  verifies(
    'wrap.policies',
    async () => {
      const policy = oneAtATime();
      const { client, server, toServer, toClient } = mediator({ policyOf: () => policy });
      client(call(1, 'x'));
      await eventually('the first', () => toServer[0]);
      client(call(1, 'x'));
      await eventually('the second', () => toServer[1]);
      server(result(1));
      server(result(1));
      await eventually('both answers', () => toClient[1]);
      client(call(2, 'x'));
      // no slot has been lost
      await eventually('the next call', () => toServer[2]);
    },
    'two calls with one id',
  );

  verifies(
    'wrap.policies',
    async () => {
      const policy = oneAtATime();
      const { client, server, toServer, toClient } = mediator({ policyOf: () => policy });
      client(call(1, 'x'));
      client(call(2, 'x'));
      client(call(3, 'x'));
      await eventually('the first', () => toServer.length === 1 || undefined);
      // withdrawn while it waits: the server never hears of it; withdrawn at work: it does
      client(cancelled(2));
      client(cancelled(1));
      expect(toServer).toEqual([line(call(1, 'x')), line(cancelled(1))]);
      await eventually('the third', () => toServer.length === 3 || undefined);
      expect(toServer[2]).toBe(line(call(3, 'x')));
      server(result(3));
      await eventually('its answer', () => toClient.length === 1 || undefined);
      expect(toClient).toEqual([line(result(3))]);
    },
    'calls that are withdrawn',
  );
});

describe('a file of policies', () => {
  verifies(
    'wrap.policies',
    () => {
      const find = policiesOf(() => 'weather', {
        '*': { timeoutMs: 9 },
        '@readOnlyHint': { timeoutMs: 8 },
        a: { timeoutMs: 5, retry: { attempts: 2 } },
      });
      find('a', false, undefined);
      find('b', true, { readOnlyHint: true });
      // names that a client made up share one
      for (let index = 0; index < 1_000; index++) find(`made up ${index}`, false, undefined);
      const made = announcedPolicies().filter(({ name }) => name.startsWith('weather/'));
      expect(made.map((each) => [each.name, each.describe()[0]?.['limitMs']])).toEqual([
        ['weather/a', 5],
        ['weather/b', 8],
        ['weather/*', 9],
      ]);
      expect(policiesOf(() => 'other', {})('a', true, undefined)).toBeUndefined();
    },
    'one for each tool, and no more than are good',
  );

  verifies(
    'wrap.policies',
    async () => {
      const failOn = (answer: unknown) => (answer as { isError?: unknown }).isError === true;
      const find = policiesOf(() => 'bare', {
        answers: { breaker: { failures: 1 } },
        fails: { breaker: { failures: 1 }, failOn },
      });
      const { client, server, toServer, toClient } = mediator({ policyOf: (tool) => find(tool, true, undefined) });
      for (const [id, tool] of ['answers', 'answers', 'fails', 'fails'].entries()) {
        client(call(id, tool));
        if (toServer.length > id) server(result(id, { isError: true }));
        await eventually('an answer', () => toClient.length > id || undefined);
      }
      // the breaker has opened on what was called a failure
      expect(toServer).toHaveLength(3);
      expect(toClient[3]).toContain('UNAVAILABLE');
    },
    'what it calls a failure beside what says its code',
  );
});

describe('tools of the proxy on stdio', () => {
  verifies('wrap.tools', async () => {
    const { client, server, toServer, toClient } = mediator({ policyOf: () => undefined, tools });
    client({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    server({ jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'echo' }], nextCursor: 'more' } });
    client({ jsonrpc: '2.0', id: 2, method: 'tools/list', params: { cursor: 'more' } });
    server({ jsonrpc: '2.0', id: 2, result: { tools: [] } });
    expect(
      toClient.map((text) =>
        (JSON.parse(text) as { result: { tools: { name: string }[] } }).result.tools.map(({ name }) => name),
      ),
    ).toEqual([['echo'], ['get_server_health', 'toolspan_echo']]);
    // the figures leave them out, and the server's own tool of that name in
    expect(namedTools).toEqual(['get_server_health', 'toolspan_echo']);
    client(call(3, 'get_server_health'));
    client(call(4, 'toolspan_echo'));
    client(call(5, 'echo'));
    expect(toServer.slice(2)).toEqual([line(call(5, 'echo'))]);
    await eventually('both answers', () => toClient.length === 4 || undefined);
    expect(JSON.parse(toClient[2] ?? '')).toEqual({ jsonrpc: '2.0', id: 3, result: { content: [], asked: { a: 1 } } });
    expect(JSON.parse(toClient[3] ?? '')).toMatchObject({ id: 4, result: { isError: true } });
  });

  verifies(
    'wrap.tools',
    async () => {
      const { client, server, toServer, toClient } = mediator({ policyOf: () => undefined, tools });
      client({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} });
      server({ jsonrpc: '2.0', id: 0, result: { capabilities: { prompts: {} }, big: 1 } });
      expect(toClient[0]).toBe(
        '{"jsonrpc":"2.0","id":0,"result":{"capabilities":{"tools":{},"prompts":{}},"big":1}}\n',
      );
      client({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
      await eventually('the list', () => toClient.length === 2 || undefined);
      expect(JSON.parse(toClient[1] ?? '')).toMatchObject({
        result: { tools: [{ name: 'get_server_health' }, { name: 'echo' }] },
      });
      expect(toServer).toHaveLength(1);
    },
    'beside a server that has none',
  );

  verifies(
    'wrap.tools',
    async () => {
      const { client, server, toServer, toClient } = mediator({ policyOf: () => undefined, tools });
      const page = (id: number, names: readonly string[], nextCursor?: string) => {
        client({ jsonrpc: '2.0', id, method: 'tools/list' });
        server({ jsonrpc: '2.0', id, result: { tools: names.map((name) => ({ name })), nextCursor } });
      };
      // nobody has seen ours yet: it can only be the server's that is meant
      client(call(1, 'echo'));
      page(2, [], 'more');
      client(call(3, 'echo'));
      client({ jsonrpc: '2.0', id: 4, method: 'tools/list' });
      server({ jsonrpc: '2.0', id: 4, error: { code: -32_603, message: 'broken' } });
      client(call(5, 'echo'));
      expect(toServer.filter((text) => text.includes('tools/call'))).toEqual(
        [1, 3, 5].map((id) => line(call(id, 'echo'))),
      );
      page(6, ['x']);
      const passed = toServer.length;
      client(call(7, 'echo'));
      await eventually('our answer', () => toClient.find((text) => text.startsWith('{"jsonrpc":"2.0","id":7')));
      expect(toServer).toHaveLength(passed);
    },
    'none before they are offered',
  );
});
