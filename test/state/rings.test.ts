// The rings of recent errors and traces: what they keep, and how much.
import { describe, expect } from 'vitest';
import { RecentErrors, type RecentError } from '../../src/state/recent-errors.ts';
import { RecentTraces, type HeldSpan } from '../../src/state/recent-traces.ts';
import { verifies } from '../harness/verifies.ts';

const span = (traceId: string, remarkable = false, bytes = 1_000): HeldSpan => ({
  traceId,
  bytes,
  remarkable,
  read: () => {
    throw new Error('read by nobody');
  },
});

describe('recent traces', () => {
  verifies('agent.rings', () => {
    const traces = new RecentTraces(100_000);
    for (let index = 0; index < 1_000; index++) {
      traces.add(span(`ordinary ${index}`));
      expect(traces.bytes).toBeLessThanOrEqual(100_000);
      if (index % 50 === 0) traces.add(span(`failed ${index}`, true));
    }
    // the latest few ordinary ones, but every failed one
    expect(traces.get('ordinary 999')?.spans).toHaveLength(1);
    expect(traces.get('ordinary 990')).toBeUndefined();
    for (let index = 0; index < 1_000; index += 50) expect(traces.get(`failed ${index}`)).toBeDefined();
    for (let index = 0; index < 1_000; index++) {
      traces.add(span(`also failed ${index}`, true));
      expect(traces.bytes).toBeLessThanOrEqual(100_000);
    }
    expect(traces.get('failed 0')).toBeUndefined();
    expect(traces.get('also failed 999')).toBeDefined();
    traces.limitTo(64_000);
    expect(traces.bytes).toBeLessThanOrEqual(64_000);
  });

  verifies(
    'agent.rings',
    () => {
      const traces = new RecentTraces(1_000_000);
      for (let index = 0; index < 20; index++) traces.add(span('one'));
      traces.add(span('one', true));
      traces.add(span('one'));
      expect(traces.get('one')).toMatchObject({ left: 0 });
      expect(traces.get('one')?.spans).toHaveLength(22);
      const before = traces.bytes;
      // one without end does not push out what has failed, and keeps what fails in it
      for (let index = 0; index < 5_000; index++) traces.add(span('endless'));
      expect(traces.get('one')).toBeDefined();
      expect(traces.bytes - before).toBeLessThanOrEqual(62_500);
      traces.add(span('endless', true));
      expect(traces.get('endless')?.spans.at(-1)?.remarkable).toBe(true);
      for (let index = 0; index < 5_000; index++) traces.add(span('endless'));
      expect(traces.get('endless')?.spans).toHaveLength(31);
      expect(traces.get('endless')?.left).toBe(5_032);
      for (let index = 0; index < 5_000; index++) traces.add(span('all failed', true, 10));
      expect(traces.get('all failed')).toMatchObject({ left: 4_000 });
    },
    'a trace that turns out to be remarkable, and one without end',
  );
});

describe('recent errors', () => {
  verifies(
    'agent.rings',
    () => {
      const errors = new RecentErrors(20_000);
      const error = (index: number): RecentError => ({
        at: index,
        method: 'tools/call',
        target: 'tool',
        outcome: 'tool_error',
        code: 'TIMEOUT',
        message: 'm'.repeat(index % 300),
        durationMs: 1,
        traceId: undefined,
        sessionId: undefined,
      });
      for (let index = 0; index < 5_000; index++) {
        errors.add(error(index));
        expect(errors.bytes).toBeLessThanOrEqual(20_000);
      }
      const kept = [...errors.newestFirst()].map(({ at }) => at);
      expect(kept.length).toBeGreaterThan(15);
      expect(kept).toEqual(kept.map((_, index) => 4_999 - index));
    },
    'errors, oldest forgotten first',
  );
});
