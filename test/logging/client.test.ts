// What a client is told by notifications/message: nothing it has not asked for, and nothing it may not see.
import { describe, expect } from 'vitest';
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { McpServer } from '@modelcontextprotocol/server';
import { logger, type InstrumentServerOptions } from '../../src/index.ts';
import { RequestReader, ClientLog } from '../../src/logging/client-log.ts';
import { keepLines } from '../harness/lines.ts';
import { connect, describeMatrix, type AnyClient, type Peer } from '../harness/matrix.ts';
import { GENERATIONS, script, scriptReference, type Json } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

interface Told {
  readonly level: string;
  readonly logger: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

function listen(client: AnyClient, peer: Peer): Told[] {
  const told: Told[] = [];
  const set = client as unknown as {
    setNotificationHandler(method: unknown, handle: (message: { params: unknown }) => void): void;
  };
  set.setNotificationHandler(
    peer === 'v1' ? LoggingMessageNotificationSchema : 'notifications/message',
    ({ params }) => void told.push(params as Told),
  );
  return told;
}

const brief = ({ level, data }: Told) => [level, data['event_type'] ?? 'log', data['message']];

describeMatrix(
  'a client that asks',
  (combination) => {
    const { peer, carrier } = combination;
    const modern = peer === 'v2 modern';
    // a server for each request has no session to keep a level in
    const stateless = peer === 'v2 legacy' && carrier === 'http';
    const conversation = async (server: InstrumentServerOptions, level: string) => {
      const { client, call, close } = await connect(combination, { server });
      const told = listen(client, peer);
      if (!modern)
        await (client as unknown as { setLoggingLevel(level: string): Promise<unknown> }).setLoggingLevel(level);
      const options = modern ? { _meta: { [LOG_LEVEL]: level } } : {};
      await call('logs', { city: 'Paris' }, options);
      await call('boom', {}, options);
      await close();
      return told;
    };

    verifies(modern ? 'logging.client-request-level' : 'logging.client-level', async () => {
      keepLines();
      const info = await conversation({}, 'info');
      expect(info.map(brief)).toEqual(
        stateless
          ? []
          : [
              ['info', 'tool_start', 'Tool logs started'],
              ['info', 'tool_success', 'Tool logs succeeded'],
              ['info', 'tool_start', 'Tool boom started'],
              ['error', 'tool_error', 'Tool boom failed: INTERNAL_ERROR'],
            ],
      );
      if (stateless) return;
      expect(info[1]).toMatchObject({
        logger: 'toolspan',
        data: { trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string },
      });
      expect((await conversation({}, 'error')).map(brief)).toEqual([
        ['error', 'tool_error', 'Tool boom failed: INTERNAL_ERROR'],
      ]);
      expect(await conversation({}, 'critical')).toEqual([]);
    });

    verifies('logging.client-internals', async () => {
      keepLines();
      const options = { captureArguments: true, captureResults: true, logLevel: 'debug' } as const;
      const events = JSON.stringify(await conversation(options, 'debug'));
      expect(events).not.toMatch(/Paris|forecast|went off|TypeError: |at .*\.ts|sunny/);
      const all = await conversation({ ...options, clientLogs: 'all' }, 'info');
      if (stateless) return;
      expect(all.map(brief)).toContainEqual(['info', 'log', 'forecast served for Paris']);
      expect(all.find(({ data }) => data['city'] === 'Paris')?.data).toMatchObject({
        unit: 'celsius',
        password: '[REDACTED]',
      });
      expect(JSON.stringify(all)).not.toMatch(/went off|at .*\.ts|sunny|hunter2/);
      expect(await conversation({ ...options, clientLogs: 'off' }, 'debug')).toEqual([]);
    });
  },
  ({ carrier }) => carrier !== 'stdio',
);

const messagesOf = (sent: readonly Json[]) => sent.filter(({ method }) => method === 'notifications/message');
const setLevel = (level: string, id: unknown = 'level'): Json => ({
  jsonrpc: '2.0',
  id,
  method: 'logging/setLevel',
  params: { level },
});

describe.each(GENERATIONS)('over one connection of %s', (generation) => {
  verifies('logging.client-off', async () => {
    const { transport, call, recorder } = await scriptReference(generation, { logLevel: 'debug', clientLogs: 'all' });
    call(1, 'logs', { city: 'Paris' });
    await transport.answer(1);
    expect(messagesOf(transport.sent)).toEqual([]);
    transport.deliver(setLevel('loud'));
    call(2, 'logs', { city: 'Paris' });
    await transport.answer(2);
    expect(messagesOf(transport.sent)).toEqual([]);
    transport.deliver(setLevel('info', 'again'));
    call(3, 'logs', { city: 'Paris' });
    await transport.answer(3);
    expect(messagesOf(transport.sent)).toHaveLength(3);
    // it is nobody's operation: no span of its own
    expect(recorder.spans().map(({ name }) => name)).not.toContain('notifications/message');
    // before the answer, since nothing belongs to a request that is answered
    const order = transport.sent.map(({ id, method }) => method ?? id);
    expect(order.lastIndexOf('notifications/message')).toBeLessThan(order.indexOf(3));
  });

  verifies(
    'logging.client-off',
    async () => {
      const server = (
        generation === 'v1'
          ? new ServerV1({ name: 'quiet', version: '1' })
          : new (await import('@modelcontextprotocol/server')).McpServer({ name: 'quiet', version: '1' })
      ) as McpServer;
      server.registerTool('work', {}, () => {
        logger.error('an internal matter');
        return { content: [] };
      });
      const { transport, call } = await script(server, { clientLogs: 'all' });
      transport.deliver(setLevel('debug'));
      call(1, 'work', {}, { [LOG_LEVEL]: 'debug' });
      await transport.answer(1);
      expect(messagesOf(transport.sent)).toEqual([]);
    },
    'of a server that offers no logging',
  );

  verifies(
    'logging.client-off',
    async () => {
      const { transport, call } = await scriptReference(generation, { errors: 'passthrough' });
      transport.deliver(setLevel('debug'));
      call(1, 'boom');
      await transport.answer(1);
      expect(messagesOf(transport.sent)).toEqual([]);
    },
    "of a server that wants the bare server's answers",
  );

  verifies(
    'logging.client-level',
    async () => {
      const [first, second] = await Promise.all([scriptReference(generation), scriptReference(generation)]);
      first.transport.deliver(setLevel('info'));
      for (const { call } of [first, second]) call(1, 'echo', { text: 'hi' });
      await Promise.all([first, second].map(({ transport }) => transport.answer(1)));
      expect(messagesOf(first.transport.sent)).toHaveLength(2);
      expect(messagesOf(second.transport.sent)).toEqual([]);
      first.transport.deliver(setLevel('warning', 'higher'));
      first.call(2, 'echo', { text: 'hi' });
      await first.transport.answer(2);
      expect(messagesOf(first.transport.sent)).toHaveLength(2);
    },
    'each session for itself, and the latest level holds',
  );

  verifies('logging.client-rate', async () => {
    let now = 0;
    const { transport, call } = await scriptReference(generation);
    transport.deliver(setLevel('info'));
    for (let id = 0; id < 100; id++) call(id, 'echo', { text: 'hi' });
    await transport.answer(99);
    expect(messagesOf(transport.sent).length).toBeLessThan(80);
    const sent: Json[] = [];
    const log = new ClientLog({ offersLogs: () => true }, (message) => void sent.push(message as Json), {
      now: () => now,
    });
    const reader = new RequestReader(log, 1, 0);
    const flood = () => {
      for (let time = 0; time < 200; time++) if (reader.allows()) reader.send('info', { message: 'm' });
      return sent.splice(0).map(({ params }) => (params as Told).data);
    };
    expect(flood()).toHaveLength(50);
    now += 1_000;
    const later = flood();
    expect(later).toHaveLength(20);
    expect(later[0]).toEqual({ message: 'm', dropped_before: 150 });
    expect(later[1]).toEqual({ message: 'm' });
    now += 3_600_000;
    expect(flood()).toHaveLength(50);
  });

  verifies(
    'logging.client-off',
    async () => {
      const { transport, call } = await scriptReference(generation, { clientLogs: 'all', logLevel: 'info' });
      transport.deliver(setLevel('info'));
      transport.sending = (message) => {
        if (message['method'] === 'notifications/message') throw new Error('the client is gone');
        return Promise.resolve();
      };
      call(1, 'logs', { city: 'Paris' });
      expect((await transport.answer(1))['result']).toMatchObject({ content: [{ text: 'sunny' }] });
      transport.sending = (message) =>
        message['method'] === 'notifications/message' ? Promise.reject(new Error('gone')) : Promise.resolve();
      call(2, 'logs', { city: 'Paris' });
      expect((await transport.answer(2))['result']).toMatchObject({ content: [{ text: 'sunny' }] });
    },
    'and one that cannot be reached harms no call',
  );
});
