// When a circuit breaker opens, how long it stays so, and what it tells.
import { describe, expect } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { httpFailure, refusalOf } from '../../src/resilience/index.ts';
import { breakerUnder as under } from '../harness/breaker.ts';
import { settled } from '../harness/manual-clock.ts';
import { verifies } from '../harness/verifies.ts';

describe('opening', () => {
  verifies('breaker.opens', async () => {
    const { breaker, fail, succeed, transitions } = under({ window: false });
    for (let failures = 0; failures < 4; failures++) fail();
    await settled();
    succeed();
    await settled();
    for (let failures = 0; failures < 4; failures++) fail();
    await settled();
    expect(breaker.state).toBe('closed');
    fail();
    await settled();
    expect([breaker.state, transitions()]).toEqual(['open', ['closed > open: consecutive']]);
  });

  verifies(
    'breaker.opens',
    async () => {
      // a quiet server's breaker opens too
      const { breaker, fail, succeed, clock, events } = under({ resetAfterMs: 60_000 });
      for (let calls = 0; calls < 5; calls++) {
        succeed();
        fail();
        await clock.pass(2_000);
      }
      expect(breaker.state).toBe('open');
      expect(events).toMatchObject([{ reason: 'ratio', calls: 10, failures: 5 }]);
      const rare = under();
      for (let calls = 0; calls < 50; calls++) {
        rare.succeed();
        rare.fail();
        await rare.clock.pass(10_000);
      }
      expect(rare.breaker.state).toBe('closed');
    },
    'on half of at least ten calls in 30 s',
  );

  verifies(
    'breaker.opens',
    async () => {
      const { breaker, fail, succeed, clock, events } = under({
        failures: false,
        window: { calls: 8, minimumCalls: 4 },
      });
      for (let calls = 0; calls < 3; calls++) fail();
      await settled();
      expect(breaker.state).toBe('closed');
      for (let calls = 0; calls < 8; calls++) succeed();
      await settled();
      for (let calls = 0; calls < 3; calls++) fail();
      await clock.pass(1_000_000);
      expect([breaker.state, breaker.status().failures]).toEqual(['closed', 3]);
      fail();
      await settled();
      expect(events).toMatchObject([{ reason: 'ratio', calls: 8, failures: 4 }]);
    },
    'on the latest calls, whenever they were',
  );

  verifies(
    'breaker.opens',
    async () => {
      for (const window of [
        { slowMs: 100, minimumCalls: 4 },
        { slowMs: 100, calls: 4 },
      ]) {
        const { breaker, start, clock, events } = under({ failures: false, window });
        const calls = [start(), start(), start(), start()];
        calls[0]?.resolve('quick');
        calls[1]?.resolve('quick');
        await clock.pass(100);
        calls[2]?.resolve('slow');
        await settled();
        expect(breaker.state).toBe('closed');
        calls[3]?.reject(new ToolError('VALIDATION_ERROR', 'no matter how long it took'));
        await settled();
        expect(breaker.state).toBe('closed');
        const last = start();
        await clock.pass(100);
        last.resolve('slow');
        await settled();
        expect(events, JSON.stringify(window)).toMatchObject([{ reason: 'slow_ratio' }]);
      }
    },
    'on slow calls',
  );

  verifies(
    'breaker.opens',
    async () => {
      // when() is about what is thrown
      const { breaker, succeed } = under({ failOn: httpFailure, when: () => false });
      for (let calls = 0; calls < 20; calls++) succeed(new Response(null, { status: 404 }));
      for (let calls = 0; calls < 20; calls++) succeed(new Response(null, { status: 429 }));
      await settled();
      expect(breaker.state).toBe('closed');
      const answers = Array.from({ length: 5 }, () => succeed(new Response(null, { status: 503 })));
      await settled();
      expect(answers.map(({ value }) => (value as Response).status)).toEqual([503, 503, 503, 503, 503]);
      expect(breaker.state).toBe('open');
    },
    'on failed results',
  );
});

describe('open', () => {
  verifies('breaker.retry-after', async () => {
    const { clock, breaker, open, start, events } = under();
    await open();
    await clock.pass(250);
    const refused = start();
    await settled();
    expect([refused.admitted, refused.call.state]).toEqual([false, 'rejected']);
    expect(refused.call.value).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 750, retryable: true });
    expect(refusalOf(refused.call.value)).toBe('circuit_breaker');
    expect(events.at(-1)).toEqual({
      type: 'circuit_breaker.rejected',
      policy: undefined,
      state: 'open',
      retryAfterMs: 750,
    });
    expect(breaker.status()).toMatchObject({ retryAfterMs: 750, sinceMs: 250, failures: 5 });
    await clock.pass(750);
    const probe = start();
    const waiting = start();
    await settled();
    expect([probe.admitted, waiting.admitted]).toEqual([true, false]);
    expect(waiting.call.value).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
  });

  verifies('breaker.reads', async () => {
    const { clock, breaker, open, succeed, transitions, events } = under();
    await open();
    clock.skip(999);
    expect(breaker.state).toBe('open');
    clock.skip(5_001);
    expect([breaker.state, clock.timersSet]).toEqual(['half_open', 0]);
    // half-open since its time was over, not since somebody looked
    expect(breaker.status()).toMatchObject({
      sinceMs: 5_000,
      retryAfterMs: 0,
      timeInStateMs: { open: 1_000, half_open: 5_000 },
    });
    // told with the call that comes next, not with a reading that no trace belongs to
    expect(transitions()).toEqual(['closed > open: consecutive']);
    succeed();
    expect(transitions()).toEqual(['closed > open: consecutive', 'open > half_open: reset_elapsed']);
    expect(events.at(-1)).toMatchObject({ resetAfterMs: undefined });
    await settled();
    expect(transitions().slice(2)).toEqual(['half_open > closed: probe_ok']);
  });

  verifies('breaker.growth', async () => {
    const { clock, breaker, open, fail, succeed } = under({ maxResetAfterMs: 5_000, name: 'growth' });
    await open();
    const waits: (number | undefined)[] = [];
    for (let probes = 0; probes < 5; probes++) {
      const { retryAfterMs = 0 } = breaker.status();
      waits.push(retryAfterMs);
      await clock.pass(retryAfterMs);
      fail();
      await settled();
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    await clock.pass(5_000);
    succeed();
    await settled();
    await open();
    expect(breaker.status().retryAfterMs).toBe(1_000);
  });

  verifies(
    'breaker.growth',
    async () => {
      for (const [chance, wait] of [
        [0, 900],
        [0.5, 1_000],
        [1, 1_000],
        [7, 1_000],
        [-9, 0],
      ] as const) {
        const { breaker, fail } = under({ random: () => chance, maxResetAfterMs: 1_000 });
        for (let failures = 0; failures < 5; failures++) fail();
        await settled();
        // open for no time at all is half-open
        expect(breaker.status()).toMatchObject(
          wait === 0 ? { state: 'half_open', retryAfterMs: 0 } : { state: 'open', retryAfterMs: wait },
        );
      }
      const { breaker, fail, clock } = under({
        resetMultiplier: 1_000,
        resetAfterMs: 2_000_000_000,
        maxResetAfterMs: 2_100_000_000,
      });
      for (let failures = 0; failures < 5; failures++) fail();
      await settled();
      for (let openings = 0; openings < 60; openings++) {
        clock.skip(2_100_000_000);
        fail();
        await settled();
        expect(breaker.status().retryAfterMs).toBeGreaterThan(0);
        expect(breaker.status().retryAfterMs).toBeLessThanOrEqual(2_100_000_000);
      }
    },
    'never beyond the limit, never below nothing',
  );
});

describe('by hand', () => {
  verifies('breaker.manual', async () => {
    const { breaker, start, clock, transitions, open } = under();
    breaker.isolate();
    breaker.isolate();
    await clock.pass(1_000_000);
    const refused = start();
    await settled();
    expect([breaker.state, refused.admitted]).toEqual(['isolated', false]);
    expect(refused.call.value).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
    breaker.reset();
    expect([breaker.state, start().admitted]).toEqual(['closed', true]);
    await open();
    breaker.reset();
    expect(breaker.state).toBe('closed');
    breaker.reset();
    expect(transitions()).toEqual([
      'closed > isolated: manual',
      'isolated > closed: manual',
      'closed > open: consecutive',
      'open > closed: manual',
    ]);
  });

  verifies('breaker.explains', async () => {
    const { events, open, clock, succeed, breaker } = under({ name: 'explains' });
    for (let calls = 0; calls < 3; calls++) succeed();
    await settled();
    await open();
    await clock.pass(1_000);
    succeed();
    await settled();
    const common = { type: 'circuit_breaker.transition', policy: 'explains', lastErrorCode: 'UNAVAILABLE' };
    expect(events.filter(({ type }) => type === 'circuit_breaker.transition')).toEqual([
      { ...common, from: 'closed', to: 'open', reason: 'consecutive', failures: 5, calls: 8, resetAfterMs: 1_000 },
      {
        ...common,
        from: 'open',
        to: 'half_open',
        reason: 'reset_elapsed',
        failures: 5,
        calls: 8,
        resetAfterMs: undefined,
      },
      {
        ...common,
        from: 'half_open',
        to: 'closed',
        reason: 'probe_ok',
        failures: 5,
        calls: 8,
        resetAfterMs: undefined,
      },
    ]);
    expect(breaker.status().transitions).toEqual([
      { from: 'closed', to: 'open', count: 1 },
      { from: 'open', to: 'half_open', count: 1 },
      { from: 'half_open', to: 'open', count: 0 },
      { from: 'half_open', to: 'closed', count: 1 },
    ]);
  });
});
