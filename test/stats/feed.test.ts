// The observer feeds the figures: by outcome and code, on every generation and wire, with no OpenTelemetry SDK at all.
import { describe, expect, onTestFinished, vi } from 'vitest';
import { McpServer } from '@modelcontextprotocol/server';
import { instrumentServer } from '../../src/index.ts';
import { recentErrorsOf } from '../../src/state/recent-errors.ts';
import { statsOf } from '../../src/state/stats.ts';
import { WINDOWS } from '../../src/stats/series.ts';
import { connect, describeMatrix } from '../harness/matrix.ts';
import { eventually } from '../harness/poll.ts';
import { GENERATIONS, scriptReference, ScriptedTransport, INITIALIZE } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

let servers = 0;
const freshName = () => `feed ${process.pid} ${servers++}`;

function figuresOf(name: string) {
  const now = performance.now();
  const stats = statsOf(name);
  const ends = new Map<string, string[]>();
  for (const { side, operation, series } of stats) {
    const tally = series.read('start', now);
    const list = Array.from(tally.ends, ([{ outcome, code, blame }, count]) => `${count} ${outcome} ${code} ${blame}`);
    ends.set(`${side} ${operation}`, list.toSorted());
  }
  return { ends, calls: stats.calls.read('start', now), inFlight: stats.inFlight };
}

describeMatrix(
  'the feed',
  (combination) => {
    verifies('stats.feed', async () => {
      const serverName = freshName();
      // the reference server instruments with no global providers registered
      const { call, close, client } = await connect(combination, { server: { serverName } });
      for (let index = 0; index < 3; index++) await call('echo', { text: 'hi' });
      await call('boom');
      await call('fails');
      await call('echo', { wrong: 1 });
      await call('no such tool').catch(() => undefined);
      await client.readResource({ uri: 'memo://note' });
      await close();
      const { ends, calls, inFlight } = figuresOf(serverName);
      expect(ends.get('in tools/call echo')).toEqual(['1 tool_error VALIDATION_ERROR mistake', '3 ok undefined none']);
      expect(ends.get('in tools/call boom')).toEqual(['1 tool_error INTERNAL_ERROR failure']);
      expect(ends.get('in tools/call fails')).toEqual(['1 tool_error INTERNAL_ERROR failure']);
      expect(ends.get('in tools/call _other')?.[0]).toMatch(/^1 protocol_error \w+ mistake$/);
      expect(ends.get('in resources/read')).toEqual(['1 ok undefined none']);
      expect(calls.count).toBe(8);
      expect([calls.blamed('failure'), calls.blamed('mistake')]).toEqual([2, 2]);
      expect(inFlight).toBe(0);
      const errors = [...recentErrorsOf(serverName).newestFirst()];
      expect(errors.map(({ target }) => target)).toEqual(['_other', 'echo', 'fails', 'boom']);
    });
  },
  ({ carrier }) => carrier !== 'stdio',
);

describe.each(GENERATIONS)('endings on %s', (generation) => {
  verifies('stats.blame', async () => {
    const serverName = freshName();
    const { transport, call } = await scriptReference(generation, { serverName, maxOperationMs: 40 });
    call(1, 'hang');
    transport.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    call(2, 'hang');
    await eventually('the call has expired', () => (statsOf(serverName).inFlight === 0 ? true : undefined));
    transport.deliver({ jsonrpc: '2.0', id: 3, method: 'resources/read', params: { uri: 'memo://torn' } });
    transport.deliver({ jsonrpc: '2.0', id: 4, method: 'no/such' });
    await Promise.all([transport.answer(3), transport.answer(4)]);
    const { ends } = figuresOf(serverName);
    expect(ends.get('in tools/call hang')).toEqual(['1 cancelled CANCELLED none', '1 expired TIMEOUT failure']);
    expect(ends.get('in resources/read')).toEqual(['1 protocol_error INTERNAL_ERROR failure']);
    expect(ends.get('in _other')).toEqual(['1 protocol_error RESOURCE_NOT_FOUND mistake']);
    const errors = [...recentErrorsOf(serverName).newestFirst()];
    const torn = errors.find(({ method }) => method === 'resources/read');
    expect(torn).toMatchObject({ code: 'INTERNAL_ERROR', message: 'EvalError' });
    const expired = errors.find(({ method }) => method === 'tools/call');
    expect(expired).toMatchObject({ target: 'hang', outcome: 'expired', code: 'TIMEOUT', message: 'timeout' });
    // a call that was withdrawn is nobody's failure
    expect(errors).toHaveLength(3);
  });

  verifies('stats.in-flight', async () => {
    const serverName = freshName();
    const { transport, call } = await scriptReference(generation, { serverName });
    call(1, 'hang');
    call(2, 'hang');
    call(2, 'hang');
    transport.deliver({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect(statsOf(serverName).inFlight).toBe(3);
    transport.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } });
    expect(statsOf(serverName).inFlight).toBe(2);
    await transport.close();
    await transport.close();
    expect(statsOf(serverName).inFlight).toBe(0);
  });
});

describe('a wall clock that jumps', () => {
  verifies(
    'stats.clock',
    async () => {
      const serverName = freshName();
      const { transport, call } = await scriptReference('v2', { serverName });
      const wall = vi.spyOn(Date, 'now');
      onTestFinished(() => wall.mockRestore());
      for (const [id, at] of [Date.UTC(2040), 0, Date.UTC(2001)].entries()) {
        wall.mockReturnValue(at);
        call(id, 'boom');
        await transport.answer(id);
      }
      const now = performance.now();
      const { calls, lastFailureAt } = statsOf(serverName);
      for (const window of WINDOWS) expect(calls.read(window, now).count).toBe(3);
      expect(calls.read('1m', now).durations.max).toBeLessThan(60_000);
      // only time stamps follow it
      expect(lastFailureAt).toBe(Date.UTC(2001));
    },
    'in a running server',
  );
});

describe('a server that is made anew', () => {
  verifies('stats.outlives', async () => {
    const name = freshName();
    for (let instance = 0; instance < 3; instance++) {
      const server = new McpServer({ name, version: '1' });
      server.registerTool('ping_me', {}, () => ({ content: [] }));
      instrumentServer(server);
      const transport = new ScriptedTransport();
      await server.connect(transport);
      transport.deliver(INITIALIZE);
      await transport.answer('init');
      transport.deliver({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'ping_me' } });
      await transport.answer(1);
      await server.close();
    }
    const { ends, calls } = figuresOf(name);
    expect(ends.get('in tools/call ping_me')).toEqual(['3 ok undefined none']);
    expect(calls.count).toBe(3);
    const { avg, min } = calls.durations.summary();
    expect(avg).toBeGreaterThanOrEqual(min as number);
    expect(min).toBeGreaterThan(0);
  });
});
