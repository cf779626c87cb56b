// What the client door does beyond watching messages: an agent's own spans, the server that was dialled, nothing left open.
import { context, trace } from '@opentelemetry/api';
import { describe, expect } from 'vitest';
import { connect, COMBINATIONS, describeMatrix } from '../harness/matrix.ts';
import { recorder } from '../harness/recorder.ts';
import { verifies } from '../harness/verifies.ts';

const CLIENT = 2;

describeMatrix(
  'an agent',
  (combination) => {
    verifies('client.execute-tool', async () => {
      const recorded = recorder();
      const { tracerProvider, meterProvider } = recorded;
      const connected = await connect(combination, { client: { tracerProvider, meterProvider } });
      const agent = tracerProvider.getTracer('an agent framework');
      const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'echo' };
      const span = agent.startSpan('execute_tool echo', { attributes });
      await context.with(trace.setSpan(context.active(), span), async () => {
        await connected.call('echo', { text: 'first' });
        // a second call, and one of another tool, are not what this span stands for
        await connected.call('echo', { text: 'second' });
        await connected.call('fails');
      });
      span.end();
      const failing = agent.startSpan('execute_tool', { attributes: { 'gen_ai.operation.name': 'execute_tool' } });
      await context.with(trace.setSpan(context.active(), failing), () => connected.call('fails'));
      failing.end();
      await connected.close();

      const calls = recorded.spans().filter(({ attributes: { 'mcp.method.name': method } }) => method === 'tools/call');
      expect(calls.map(({ name, kind, scope }) => [name, kind, scope])).toEqual([
        ['tools/call echo', CLIENT, 'toolspan'],
        ['tools/call _other', CLIENT, 'toolspan'],
        ['execute_tool echo', 0, 'an agent framework'],
        ['execute_tool', 0, 'an agent framework'],
      ]);
      const [, , enriched, failed] = calls;
      expect(enriched?.attributes).toMatchObject({ 'toolspan.outcome': 'ok', 'gen_ai.tool.name': 'echo' });
      expect(typeof enriched?.attributes['jsonrpc.request.id']).toBe('string');
      expect(failed?.attributes).toMatchObject({
        'toolspan.outcome': 'tool_error',
        'error.type': 'tool_error',
        'gen_ai.tool.name': 'fails',
      });
      // its status is for the one who made it to say
      expect(failed?.status.code).toBe(0);
      const measured = (await recorded.points('mcp.client.operation.duration')).filter(
        (point) => point.attributes['mcp.method.name'] === 'tools/call',
      );
      expect(measured.reduce((sum, { value }) => sum + value, 0)).toBe(4);
      // the server is the child of the agent's span
      const served = connected.spans().filter(({ name }) => name === 'tools/call echo');
      expect(served.map(({ parentSpanId }) => parentSpanId)).toContain(enriched?.spanId);
    });
  },
  ({ carrier }) => carrier === 'memory',
);

describeMatrix(
  'a client',
  (combination) => {
    const { carrier } = combination;
    verifies('client.server-address', async () => {
      const recorded = recorder();
      const { tracerProvider, meterProvider } = recorded;
      const connected = await connect(combination, { client: { tracerProvider, meterProvider } });
      await connected.call('echo', { text: 'hi' });
      await connected.close();
      const spans = recorded.spans();
      const points = await recorded.points('mcp.client.operation.duration');
      for (const { attributes } of [...spans.filter(({ kind }) => kind === CLIENT), ...points]) {
        expect(attributes['server.address']).toBe(carrier === 'http' ? '127.0.0.1' : undefined);
        expect(typeof attributes['server.port']).toBe(carrier === 'http' ? 'number' : 'undefined');
      }
      const received = await recorded.points('mcp.server.operation.duration');
      for (const { attributes } of received) expect(attributes['server.address']).toBeUndefined();
      // the server does not name itself
      for (const { attributes } of connected.spans()) expect(attributes['server.address']).toBeUndefined();
    });
  },
  ({ carrier }) => carrier !== 'stdio',
);

describe.each(COMBINATIONS)('$peer over $carrier', (combination) => {
  verifies(
    'client.no-open-span',
    async () => {
      const recorded = recorder();
      const started: string[] = [];
      const { tracerProvider, meterProvider } = recorded;
      const counting = {
        getTracer: (name: string) => {
          const tracer = tracerProvider.getTracer(name);
          const { startSpan } = tracer;
          return Object.assign(Object.create(tracer) as typeof tracer, {
            startSpan: (...args: Parameters<typeof startSpan>) => {
              started.push(args[0]);
              return startSpan.apply(tracer, args);
            },
          });
        },
      };
      const connected = await connect(combination, { client: { tracerProvider: counting, meterProvider } });
      const pending = connected.call('hang').catch(() => undefined);
      await connected.call('echo', { text: 'hi' });
      await connected.close();
      await pending;
      expect(recorded.spans().map(({ name }) => name)).toHaveLength(started.length);
      expect(
        recorded.spans().find(({ attributes }) => attributes['gen_ai.tool.name'] === 'hang')?.attributes,
      ).toMatchObject({
        'toolspan.outcome': 'aborted',
      });
    },
    `${combination.peer} over ${combination.carrier}`,
  );
});

describeMatrix(
  'rounds for input',
  (combination) => {
    verifies('span.rounds', async () => {
      const connected = await connect(combination);
      await connected.call('ask');
      await connected.call('ask');
      await connected.close();
      const rounds = connected.spans().filter(({ name }) => name === 'tools/call ask');
      expect(rounds.map(({ links }) => links.map(({ spanId }) => spanId))).toEqual([
        [],
        [rounds[0]?.spanId],
        [],
        [rounds[2]?.spanId],
      ]);
    });

    verifies(
      'span.rounds',
      async () => {
        const connected = await connect(combination);
        // two that ask for the same: which one is continued cannot be told, so neither is
        await Promise.all([connected.call('ask'), connected.call('ask')]);
        await connected.close();
        const links = connected.spans().flatMap(({ links: linked }) => linked);
        expect(links.length).toBeLessThan(2);
      },
      'two at a time',
    );
  },
  ({ peer, carrier }) => peer === 'v2 modern' && carrier !== 'stdio',
);
