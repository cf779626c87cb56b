// What a half-open breaker lets through, and what has no say. The traps are those of other libraries.
import { describe, expect } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { isTimeLimit, refusalOf, retry, wrap, type CircuitBreakerOptions } from '../../src/resilience/index.ts';
import { breakerUnder as under, down } from '../harness/breaker.ts';
import { settled, watch } from '../harness/manual-clock.ts';
import { verifies } from '../harness/verifies.ts';

describe('half-open', () => {
  const halfOpen = async (options: CircuitBreakerOptions = {}) => {
    const made = under({ probes: 3, ...options });
    await made.open();
    await made.clock.pass(1_000);
    return made;
  };

  verifies('breaker.probes', async () => {
    const { start, breaker, clock, transitions } = await halfOpen();
    const calls = Array.from({ length: 20 }, () => start());
    expect(calls.filter(({ admitted }) => admitted)).toHaveLength(3);
    calls[0]?.resolve('ok');
    calls[1]?.resolve('ok');
    await settled();
    // no more than three altogether, however quickly they end
    expect([start().admitted, breaker.state]).toEqual([false, 'half_open']);
    calls[2]?.resolve('ok');
    await settled();
    expect([breaker.state, start().admitted]).toEqual(['closed', true]);
    expect(transitions().at(-1)).toBe('half_open > closed: probe_ok');
    expect(clock.timersSet).toBe(0);
  });

  verifies(
    'breaker.probes',
    async () => {
      const { start, breaker, transitions } = await halfOpen();
      const calls = [start(), start(), start()];
      calls[0]?.resolve('ok');
      await settled();
      calls[1]?.reject(new ToolError('TIMEOUT', 'late'));
      await settled();
      expect([breaker.state, transitions().at(-1)]).toEqual(['open', 'half_open > open: probe_failed']);
      // the third is of an era that is over
      calls[2]?.resolve('ok');
      await settled();
      expect([breaker.state, breaker.status().lastErrorCode]).toEqual(['open', 'TIMEOUT']);
    },
    'one failed probe opens it',
  );

  verifies('breaker.lease', async () => {
    const mistake = new ToolError('VALIDATION_ERROR', 'wrong city');
    const { start, breaker } = await halfOpen({ probes: 1 });
    for (const error of [mistake, new ToolError('CANCELLED', 'no'), new ToolError('PERMISSION_DENIED', 'no')]) {
      const probe = start();
      expect([probe.admitted, start().admitted]).toEqual([true, false]);
      probe.reject(error);
      await settled();
      expect(breaker.state).toBe('half_open');
    }
    expect(start().admitted).toBe(true);
  });

  verifies(
    'breaker.lease',
    async () => {
      const { start, breaker, clock } = await halfOpen({ probes: 1, probeTimeoutMs: 400 });
      const hangs = start();
      await clock.pass(399);
      const early = start();
      await settled();
      expect([early.admitted, (early.call.value as ToolError).retryAfterMs]).toEqual([false, 1]);
      await clock.pass(1);
      const second = start();
      expect(second.admitted).toBe(true);
      // what comes from the first one now is too late to count, for better or worse
      hangs.reject(down());
      await settled();
      expect([breaker.state, start().admitted]).toEqual(['half_open', false]);
      second.resolve('ok');
      await settled();
      expect(breaker.state).toBe('closed');
    },
    'a probe that hangs',
  );

  verifies(
    'breaker.lease',
    async () => {
      const caller = new AbortController();
      const { start, breaker } = await halfOpen({ probes: 1 });
      const probe = start({ signal: caller.signal });
      caller.abort();
      await settled();
      expect([probe.call.state, breaker.state]).toEqual(['rejected', 'half_open']);
      const next = start();
      expect(next.admitted).toBe(true);
      // the function of the first one goes on, and has no say
      probe.reject(down());
      await settled();
      expect(breaker.state).toBe('half_open');
      next.resolve('ok');
      await settled();
      expect(breaker.state).toBe('closed');
    },
    'a probe that is cancelled gives no verdict',
  );
});

describe('what has no say', () => {
  verifies('breaker.eras', async () => {
    const { start, open, clock, breaker, succeed } = under();
    const old = Array.from({ length: 10 }, () => start());
    await open();
    await clock.pass(1_000);
    expect(breaker.state).toBe('half_open');
    old[0]?.resolve('ok');
    for (const call of old.slice(1, 5)) call.reject(down());
    await settled();
    expect(breaker.state).toBe('half_open');
    succeed();
    await settled();
    expect(breaker.state).toBe('closed');
    for (const call of old.slice(5)) call.reject(down());
    await settled();
    expect([breaker.state, breaker.status().failures]).toEqual(['closed', 0]);
  });

  verifies('breaker.void', async () => {
    const { fail, start, breaker } = under({ failures: 2, window: { minimumCalls: 2, calls: 4 } });
    fail();
    await settled();
    for (const code of ['VALIDATION_ERROR', 'RESOURCE_NOT_FOUND', 'RATE_LIMIT_EXCEEDED', 'CANCELLED'] as const) {
      for (let times = 0; times < 5; times++) fail(new ToolError(code, 'not the fault of what is guarded'));
    }
    const caller = new AbortController();
    const withdrawn = Array.from({ length: 5 }, () => start({ signal: caller.signal }));
    caller.abort();
    await settled();
    expect(withdrawn.every(({ call }) => call.value === caller.signal.reason)).toBe(true);
    expect([breaker.state, breaker.status().failures]).toEqual(['closed', 1]);
    // nor do they count as successes: the next failure is the second in a row
    fail();
    await settled();
    expect(breaker.state).toBe('open');
  });

  verifies(
    'breaker.void',
    async () => {
      const { fail, breaker } = under({ failures: 1, when: (error) => error instanceof RangeError });
      for (let times = 0; times < 9; times++) fail(down());
      await settled();
      expect(breaker.state).toBe('closed');
      fail(new RangeError());
      await settled();
      expect(breaker.state).toBe('open');
    },
    'or as the user says',
  );

  verifies(
    'policy.refusal',
    async () => {
      const inner = under({ failures: 1 });
      await inner.open(1);
      const outer = under({ failures: 1, when: () => true });
      const runs: number[] = [];
      const both = wrap(retry({ clock: inner.clock, when: () => true }), outer.breaker);
      const refused = watch(
        both.run(({ attempt }) => {
          runs.push(attempt);
          return inner.breaker.run(() => 'never');
        }),
      );
      await settled();
      expect([runs, refused.state, outer.breaker.state]).toEqual([[1], 'rejected', 'closed']);
      const wrapped = watch(both.run(() => Promise.reject(new Error('no weather', { cause: refused.value }))));
      await settled();
      expect([wrapped.state, outer.breaker.state]).toEqual(['rejected', 'closed']);
    },
    'of a breaker further inside, also as the cause of another error',
  );

  verifies(
    'policy.refusal',
    () => {
      const round = new Error('round and round');
      round.cause = round;
      const rude = new Proxy(new Error('rude'), {
        get() {
          throw new Error('not telling');
        },
      });
      for (const value of [round, rude, undefined, null, 7, 'text', {}]) {
        expect([refusalOf(value), isTimeLimit(value)]).toEqual([undefined, false]);
      }
    },
    'and nothing else is one, whatever it is',
  );
});
