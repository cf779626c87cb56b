// What happens around the end of a connection: its input ends, it is closed, it is dropped, it is taken over.
import { setFlagsFromString } from 'node:v8';
import { PassThrough } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { describe, expect } from 'vitest';
import { instrumentServer } from '../../src/index.ts';
import { shared } from '../../src/state/shared.ts';
import { referenceServer } from '../fixtures/reference-server.ts';
import { eventually } from '../harness/poll.ts';
import { recorder } from '../harness/recorder.ts';
import { script, scriptReference, ScriptedTransport, INITIALIZE } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

/** A transport that looks like the one of a stdio server. */
class PipedTransport extends ScriptedTransport {
  readonly _stdin = new PassThrough();
}

describe('the end of the input', () => {
  verifies(
    'outcome.ok',
    async () => {
      const { promise, resolve } = Promise.withResolvers<object>();
      const server = new ServerV1({ name: 's', version: '1' });
      server.registerTool('slow', {}, () => promise as never);
      const transport = new PipedTransport();
      const { recorder: recorded, call } = await script(server, {}, transport);
      call(1, 'slow');
      transport._stdin.end().resume();
      await eventually('the end is seen', () => transport._stdin.readableEnded || undefined);
      resolve(text('after the end'));
      await transport.answer(1);
      const span = await eventually('the span', () => recorded.spans().find(({ name }) => name === 'tools/call slow'));
      expect(span.attributes['toolspan.outcome']).toBe('ok');
      // the session ends with its last answer
      const sessions = await recorded.points('mcp.server.session.duration');
      expect(sessions).toHaveLength(1);
    },
    'answered after the end of stdin',
  );
});

describe('a notification and the end of its connection', () => {
  verifies(
    'outcome.ok',
    async () => {
      const { promise: accepted, resolve: accept } = Promise.withResolvers<undefined>();
      const server = new McpServer({ name: 's', version: '1' }, { capabilities: { logging: {} } });
      const { transport, recorder: recorded } = await script(server);
      transport.sending = () => accepted;
      void server.sendLoggingMessage({ level: 'error', data: 'the last words' });
      await eventually('it is handed over', () => (transport.sent.at(-1)?.['method'] === undefined ? undefined : true));
      await transport.close();
      accept(undefined);
      const span = recorded.spans().find(({ name }) => name === 'notifications/message');
      expect(span?.attributes['toolspan.outcome']).toBe('ok');
    },
    'handed over, then closed',
  );

  verifies(
    'outcome.notification-handler',
    async () => {
      const recorded = recorder();
      const { tracerProvider, meterProvider } = recorded;
      const { promise, reject } = Promise.withResolvers<never>();
      const handler = createMcpHandler(() => {
        const server = new McpServer({ name: 's', version: '1' });
        server.server.setNotificationHandler('notifications/roots/list_changed', () => promise);
        return instrumentServer(server, { tracerProvider, meterProvider });
      });
      const response = await handler.fetch(
        new Request('http://localhost/mcp', {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' }),
        }),
      );
      expect(response.status).toBe(202);
      reject(new RangeError('too late to tell'));
      const span = await eventually('the span', () => recorded.spans()[0]);
      expect(span.attributes).toMatchObject({ 'toolspan.outcome': 'protocol_error', 'error.type': 'RangeError' });
    },
    'over HTTP, where the connection closes first',
  );
});

describe('an application that listens for the close itself', () => {
  verifies(
    'outcome.aborted',
    async () => {
      const { transport, recorder: recorded, call } = await scriptReference('v1');
      // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a transport of MCP has this property
      transport.onclose = () => {};
      call(1, 'hang');
      await transport.close();
      const spans = recorded.spans().filter(({ name }) => name === 'tools/call hang');
      expect(spans.map(({ attributes }) => attributes['toolspan.outcome'])).toEqual(['aborted']);
    },
    'and is set after connect',
  );
});

describe('connections that nobody closes', () => {
  verifies('connections.dropped', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const kept = ['sessions', 'busy-connections'].map((name) => shared(name, () => new Set<object>()));
    const count = () => kept.reduce((sum, { size }) => sum + size, 0);
    const before = count();
    const transports: WeakRef<object>[] = [];
    for (let index = 0; index < 200; index++) {
      const { transport, call } = await scriptReference('v1');
      call(1, 'echo', { text: 'hi' });
      await transport.answer(1);
      transports.push(new WeakRef(transport));
    }
    expect(count()).toBeGreaterThanOrEqual(before + 200);
    await eventually('they are forgotten', () => {
      collectGarbage();
      const alive = transports.filter((transport) => transport.deref() !== undefined);
      return (alive.length < 20 && count() < before + 20) || undefined;
    });
  });
});

/** A transport that wraps the callbacks it is given, and counts how often it is given one. */
class WrappingTransport extends ScriptedTransport {
  given = 0;

  constructor() {
    super();
    let kept: ScriptedTransport['onmessage'];
    Object.defineProperty(this, 'onmessage', {
      get: () => kept,
      set: (callback: NonNullable<ScriptedTransport['onmessage']>) => {
        this.given++;
        kept = (message, extra) => callback(message, extra);
      },
    });
  }
}

/** One whose methods are bound each time they are read, as many a proxy does it. */
function bindingProxy(): ScriptedTransport & { given: number } {
  return new Proxy(Object.assign(new ScriptedTransport(), { given: 0 }), {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
    set(target, key, value) {
      if (key === 'onmessage') target.given++;
      return Reflect.set(target, key, value);
    },
  });
}

describe('a middleware on the transport', () => {
  for (const [name, make] of [
    ['in setters', () => new WrappingTransport()],
    ['in a proxy', bindingProxy],
  ] as const) {
    verifies(
      'passthrough.transport',
      async () => {
        const wrapping = make();
        const { transport, recorder: recorded, call } = await script(referenceServer('v2'), {}, wrapping);
        const { given } = wrapping;
        for (let id = 1; id <= 20; id++) {
          call(id, 'echo', { text: 'hi' });
          await transport.answer(id);
        }
        expect(recorded.spans().filter((span) => span.name === 'tools/call echo')).toHaveLength(20);
        expect(wrapping.given).toBe(given);
      },
      `one that wraps what it is given, ${name}`,
    );
  }

  verifies(
    'passthrough.transport',
    async () => {
      const { transport, recorder: recorded } = await scriptReference('v2');
      const inner = transport.onmessage;
      // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a transport of MCP has this property
      transport.onmessage = (message, extra) => inner?.({ ...(message as object) }, extra);
      transport.deliver({
        ...INITIALIZE,
        id: 1,
        method: 'tools/call',
        params: { name: 'echo', arguments: { text: 'x' } },
      });
      await transport.answer(1);
      expect(recorded.spans().map(({ name }) => name)).toEqual(['initialize', 'tools/call echo']);
    },
    'one that hands on a copy of the message',
  );
});
