// A call that is withdrawn, and answered all the same: the proxy sees what the SDK of a server would hold back.
import { afterEach, describe, expect, vi } from 'vitest';
import { DEFAULT_MAX_OPERATION_MS } from '../../src/observer/door-options.ts';
import { KnownNames } from '../../src/observer/names.ts';
import { IN_PROXY, ObservedPeers, STDIO_WIRE } from '../../src/proxy/observed-peers.ts';
import { Signals } from '../../src/telemetry/signals.ts';
import { recorder } from '../harness/recorder.ts';
import { verifies } from '../harness/verifies.ts';

const ASKED = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow' } };
const WITHDRAWN = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
const ANSWER = { jsonrpc: '2.0', id: 1, result: { content: [] } };

function observed() {
  const recorded = recorder();
  let now = 1_000;
  const { tracerProvider, meterProvider } = recorded;
  const door = {
    ...IN_PROXY,
    signals: new Signals({ tracerProvider, meterProvider, clock: { now: () => now } }),
    names: new KnownNames(() => undefined, { tool: new Set(['slow']), prompt: new Set() }),
    maxOperationMs: DEFAULT_MAX_OPERATION_MS,
  };
  const call = () => recorded.spans().find(({ name }) => name === 'tools/call slow');
  return {
    peers: new ObservedPeers(door, STDIO_WIRE),
    recorded,
    call,
    pass: (ms: number) => void (now += ms),
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a call that is withdrawn', () => {
  verifies(
    'wrap.late-answer',
    async () => {
      const { peers, recorded, call, pass } = observed();
      peers.fromClient(ASKED);
      pass(20);
      peers.fromClient(WITHDRAWN);
      expect(call()).toBeUndefined();
      pass(300);
      peers.fromServer(ANSWER);
      const { attributes, events, status } = call() ?? {};
      expect(attributes?.['toolspan.outcome']).toBe('cancelled');
      expect([status?.code, events?.map(({ name }) => name)]).toEqual([0, ['toolspan.late_answer']]);
      // it lasted until it was withdrawn
      const points = await recorded.points('mcp.server.operation.duration');
      const measured = points.find(({ attributes: labels }) => labels['gen_ai.tool.name'] === 'slow');
      expect(measured?.sum).toBeCloseTo(0.02);
      peers.fromServer(ANSWER);
      peers.close();
      expect(recorded.spans().filter(({ name }) => name === 'tools/call slow')).toHaveLength(1);
    },
    'and answered',
  );

  verifies(
    'wrap.late-answer',
    () => {
      vi.useFakeTimers();
      const { peers, call } = observed();
      peers.fromClient(ASKED);
      peers.fromClient(WITHDRAWN);
      vi.advanceTimersByTime(5_000);
      expect(call()).toMatchObject({ attributes: { 'toolspan.outcome': 'cancelled' }, events: [] });
      peers.fromServer(ANSWER);
      expect(call()?.events).toEqual([]);
      peers.close();
    },
    'and never answered',
  );

  verifies(
    'wrap.late-answer',
    () => {
      const { peers, recorded } = observed();
      peers.fromClient(ASKED);
      peers.fromClient(WITHDRAWN);
      // an id may be used again: the answer is for who still waits
      peers.fromClient(ASKED);
      peers.fromServer(ANSWER);
      peers.close();
      const calls = recorded.spans().filter(({ name }) => name === 'tools/call slow');
      expect(calls.map(({ attributes }) => attributes['toolspan.outcome']).toSorted()).toEqual(['cancelled', 'ok']);
    },
    'and closed with its conversation',
  );
});
