// The parts together: their order, what they share, what they cost, and what can be read of them.
import { describe, expect, vi } from 'vitest';
import { runningCalls } from '../../src/context.ts';
import {
  announcedPolicies,
  bulkhead,
  circuitBreaker,
  policy,
  rateLimit,
  refusalOf,
  retry,
  wrap,
  type PolicyOptions,
} from '../../src/resilience/index.ts';
import { ManualClock, settled, watch } from '../harness/manual-clock.ts';
import { down, freshName, policyUnder as under } from '../harness/policy.ts';
import { verifies } from '../harness/verifies.ts';

const everything: PolicyOptions<string> = {
  fallback: 'cached',
  timeoutMs: 5_000,
  attemptTimeoutMs: 2_000,
  rateLimit: { permits: 100 },
  bulkhead: { concurrency: 2, queue: 1 },
  retry: { attempts: 3, jitter: 'none' },
  breaker: { failures: 4 },
};

describe('all parts', () => {
  verifies('policy.order', async () => {
    const { policy: all, clock, events } = under(everything);
    const kinds = all
      .describe()
      .map(({ policy: kind, scope }) => (scope === undefined ? kind : `${kind} ${scope as string}`));
    expect(kinds).toEqual([
      'fallback',
      'timeout total',
      'rate_limit',
      'bulkhead',
      'retry',
      'circuit_breaker',
      'timeout attempt',
    ]);
    expect(all.describe()[4]).toEqual({
      policy: 'retry',
      attempts: 3,
      initialDelayMs: 200,
      maxDelayMs: 5_000,
      multiplier: 2,
      jitter: 'none',
      deadlineMs: 5_000,
      budget: { ratio: 0.2, min: 10, perMs: 60_000 },
    });
    // the fallback sees what is left when the retry gives up
    const first = watch(all.run(() => Promise.reject(down())));
    await clock.pass(10_000);
    expect(first).toEqual({ state: 'fulfilled', value: 'cached' });
    expect(events.map(({ type }) => type)).toEqual(['retry', 'retry', 'retry.gave_up', 'fallback']);
  });

  verifies(
    'policy.order',
    async () => {
      const { policy: all, clock, events } = under({ ...everything, breaker: { failures: 2 } });
      const runs: number[] = [];
      const call = watch(
        all.run(({ attempt, signal }) => {
          runs.push(attempt);
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          });
        }),
      );
      await clock.pass(10_000);
      expect([runs, call.value]).toEqual([[1, 2], 'cached']);
      expect(events.map(({ type }) => type)).toEqual([
        'timeout',
        'retry',
        'timeout',
        'circuit_breaker.transition',
        'retry',
        'circuit_breaker.rejected',
        'fallback',
      ]);
      expect(clock.pending).toBe(0);
    },
    'a timeout of an attempt is one failure, and an open breaker ends the retries',
  );

  verifies('policy.slot-kept', async () => {
    const { policy: one, clock } = under({ bulkhead: { concurrency: 1 }, retry: { jitter: 'none' } });
    watch(one.run(() => Promise.reject(down())));
    await clock.pass(300);
    const other = watch(one.run(() => 'ok'));
    await settled();
    expect(refusalOf(other.value)).toBe('bulkhead');
    await clock.pass(10_000);
    expect(await one.run(() => 'ok')).toBe('ok');
  });

  verifies('policy.refusal', async () => {
    // of each kind, seen from a policy around it that would retry and count anything
    const busy = bulkhead({ concurrency: 1 });
    watch(busy.run(() => new Promise(() => {})));
    const spent = rateLimit({ permits: 1, perMs: 1_000_000 });
    await spent.run(() => 'the only one');
    const broken = circuitBreaker();
    broken.isolate();
    for (const inner of [busy, spent, broken]) {
      const outer = circuitBreaker({ failures: 1, when: () => true });
      let runs = 0;
      const around = wrap(retry({ when: () => true, initialDelayMs: 0 }), outer);
      const refused = watch(
        around.run(() => {
          runs++;
          return inner.run(() => 'never');
        }),
      );
      await settled();
      expect(refused.value).toMatchObject({ retryable: true, retryAfterMs: expect.any(Number) as number });
      expect([refused.state, runs, outer.state]).toEqual(['rejected', 1, 'closed']);
    }
  });

  verifies(
    'policy.refusal',
    async () => {
      vi.resetModules();
      const copy = await import('../../src/resilience/index.ts');
      expect(copy.circuitBreaker).not.toBe(circuitBreaker);
      const broken = copy.circuitBreaker();
      broken.isolate();
      const outer = circuitBreaker({ failures: 1, when: () => true });
      const refused = watch(outer.run(() => broken.run(() => 'never')));
      await settled();
      expect([refusalOf(refused.value), outer.state]).toEqual(['circuit_breaker', 'closed']);
      // and both see the same policies
      const there = policy(freshName('shared'), { breaker: {} });
      expect(copy.announcedPolicies().map(({ name }) => name)).toContain(there.name);
      expect(copy.policy(there.name, { breaker: {} })).toBe(there);
    },
    'of another copy of this package',
  );

  verifies('policy.shared-breaker', async () => {
    const name = freshName('shared');
    const breaker = circuitBreaker({ name, failures: 2 });
    const one = policy(freshName(), { breaker });
    const two = policy(freshName(), { breaker });
    await one.run(() => Promise.reject(down())).catch(() => {});
    await two.run(() => Promise.reject(down())).catch(() => {});
    expect([one.breaker?.state, two.breaker?.state, breaker.state]).toEqual(['open', 'open', 'open']);
    const refused = watch(two.run(() => 'never'));
    await settled();
    expect((refused.value as Error).message).toBe(`${name} is unavailable, its circuit breaker is open`);
    const announcing = announcedPolicies().filter((announced) => [name, one.name, two.name].includes(announced.name));
    expect(announcing.map((announced) => announced.snapshot().breaker?.state)).toEqual(['open', undefined, undefined]);
    one.breaker?.reset();
    expect(await two.run(() => 'ok')).toBe('ok');
  });

  verifies('wrap.order', async () => {
    const breaker = circuitBreaker({ failures: 2 });
    const both = wrap(retry({ initialDelayMs: 0 }), breaker);
    expect(both.describe().map(({ policy: kind }) => kind)).toEqual(['retry', 'circuit_breaker']);
    const runs: number[] = [];
    const work = ({ attempt }: { attempt: number }) => {
      runs.push(attempt);
      return Promise.reject(down());
    };
    const refused = await both.run(work).catch((error: unknown) => error);
    expect([runs, refusalOf(refused)]).toEqual([[1, 2], 'circuit_breaker']);
    breaker.reset();
    runs.length = 0;
    const other = wrap(breaker, retry({ initialDelayMs: 0, attempts: 2 }));
    await other.run(work).catch(() => {});
    expect([runs, breaker.state]).toEqual([[1, 2], 'closed']);
    expect(() => wrap()).toThrow('wrap: expected at least one policy, got none');
    expect(() => wrap({ run: () => {} } as never)).toThrow('wrap: expected policies of toolspan, got an object');
  });
});

describe('defaults', () => {
  verifies('policy.defaults', () => {
    const described = (options: PolicyOptions) => policy(freshName(), options).describe();
    expect(described({})).toEqual([{ policy: 'timeout', scope: 'total', limitMs: 30_000 }]);
    expect(described({ timeoutMs: false })).toEqual([]);
    expect(described({ timeoutMs: undefined, retry: { attempts: undefined } })[1]).toMatchObject({ attempts: 3 });
    expect(described({ bulkhead: {}, retry: {}, breaker: {} })).toEqual([
      { policy: 'timeout', scope: 'total', limitMs: 30_000 },
      { policy: 'bulkhead', concurrency: 25, queue: 0 },
      {
        policy: 'retry',
        attempts: 3,
        initialDelayMs: 200,
        maxDelayMs: 5_000,
        multiplier: 2,
        jitter: 'full',
        deadlineMs: 30_000,
        budget: { ratio: 0.2, min: 10, perMs: 60_000 },
      },
      {
        policy: 'circuit_breaker',
        failures: 5,
        window: { durationMs: 30_000, minimumCalls: 10, failureRatio: 0.5, slowMs: false, slowRatio: 0.5 },
        resetAfterMs: 30_000,
        resetMultiplier: 2,
        maxResetAfterMs: 300_000,
        resetJitter: 0.1,
        probes: 1,
        probeTimeoutMs: 10_000,
        critical: false,
      },
      { policy: 'timeout', scope: 'attempt', limitMs: 10_000 },
    ]);
    const attempt = { policy: 'timeout', scope: 'attempt', limitMs: 10_000 };
    for (const options of [{ retry: {} }, { breaker: {} }]) expect(described(options).at(-1)).toEqual(attempt);
    // a limit for attempts that the whole call would reach first is none
    expect(described({ timeoutMs: 10_000, retry: {} }).at(-1)).toMatchObject({ policy: 'retry' });
    expect(described({ timeoutMs: 8_000, retry: {} }).map(({ scope }) => scope)).toEqual(['total', undefined]);
    expect(described({ attemptTimeoutMs: 20_000, breaker: {} })[1]).toMatchObject({
      window: { durationMs: 40_000 },
      probeTimeoutMs: 20_000,
    });
    expect(described({ rateLimit: { permits: 5 } })[1]).toEqual({
      policy: 'rate_limit',
      permits: 5,
      perMs: 1_000,
      maxKeys: 10_000,
    });
  });

  verifies('policy.cross-checks', () => {
    const attempts: [() => unknown, typeof RangeError | typeof TypeError, string][] = [
      [
        () => policy('x', { timeoutMs: 1_000, attemptTimeoutMs: 2_000 }),
        RangeError,
        'policy "x": option "attemptTimeoutMs" must be at most "timeoutMs" (1000), got 2000 (number)',
      ],
      [
        () => policy('x', { attemptTimeoutMs: 9_000, breaker: { window: { durationMs: 17_000 } } }),
        RangeError,
        'policy "x": breaker: window: option "durationMs" must be at least twice the time limit of an attempt (9000), got 17000 (number)',
      ],
      [
        () => retry({ initialDelayMs: 100, maxDelayMs: 50 }),
        RangeError,
        'retry: option "maxDelayMs" must be at least "initialDelayMs" (100), got 50 (number)',
      ],
      [
        () => circuitBreaker({ resetAfterMs: 100, maxResetAfterMs: 50 }),
        RangeError,
        'circuitBreaker: option "maxResetAfterMs" must be at least "resetAfterMs" (100), got 50 (number)',
      ],
      [
        () => circuitBreaker({ failures: false, window: false }),
        TypeError,
        'circuitBreaker: options "failures" and "window" must not both be false: nothing would open it',
      ],
      [
        () => circuitBreaker({ window: { calls: 5, durationMs: 1_000 } }),
        TypeError,
        'circuitBreaker: window: options "calls" and "durationMs" exclude each other; choose one',
      ],
      [
        () => circuitBreaker({ window: { calls: 5, minimumCalls: 6 } }),
        RangeError,
        'circuitBreaker: window: option "minimumCalls" must be at most "calls" (5), got 6 (number)',
      ],
    ];
    for (const [attempt, type, message] of attempts) {
      expect(attempt).toThrow(type);
      expect(attempt).toThrow(message);
    }
    expect(announcedPolicies().some(({ name }) => name === 'x')).toBe(false);
  });
});

describe('an abort by the caller', () => {
  verifies('policy.abort', async () => {
    // while it runs, while it waits in the queue, while it waits for a retry, before it began
    const { policy: all, clock, events, calls } = under({ ...everything, bulkhead: { concurrency: 1, queue: 1 } });
    const caller = new AbortController();
    const { signal } = caller;
    const runs: string[] = [];
    const running = watch(all.run(() => (runs.push('running'), new Promise(() => {})), { signal }));
    const waiting = watch(all.run(() => runs.push('waiting'), { signal }));
    await settled();
    caller.abort('enough');
    await settled();
    const before = watch(all.run(() => runs.push('before'), { signal }));
    await settled();
    for (const call of [running, waiting, before]) expect(call).toEqual({ state: 'rejected', value: 'enough' });
    expect([runs, events, calls()?.cancelled]).toEqual([['running'], [], 3]);
    const second = new AbortController();
    const retrying = watch(all.run(() => (runs.push('retrying'), Promise.reject(down())), { signal: second.signal }));
    await clock.pass(100);
    second.abort('enough too');
    await clock.pass(0);
    expect(retrying).toEqual({ state: 'rejected', value: 'enough too' });
    await clock.pass(100_000);
    expect([runs, clock.pending, calls()?.cancelled]).toEqual([['running', 'retrying'], 0, 4]);
    expect(all.snapshot()).toMatchObject({ bulkhead: { running: 0, waiting: 0 }, retry: { calls: { cancelled: 2 } } });
  });

  verifies(
    'policy.abort',
    async () => {
      const { policy: all } = under(everything);
      const caller = new AbortController();
      const { signal } = caller;
      const added = vi.spyOn(signal, 'addEventListener');
      const removed = vi.spyOn(signal, 'removeEventListener');
      for (let calls = 0; calls < 20; calls++) await all.run(({ signal: own }) => own.aborted, { signal });
      expect(added.mock.calls.length).toBe(20);
      expect(removed.mock.calls.length).toBe(20);
    },
    'leaves no listener behind',
  );

  verifies('policy.ambient', async () => {
    const { policy: all } = under(everything);
    const tool = new AbortController();
    const own = new AbortController();
    const call = {
      method: 'tools/call',
      target: 'search',
      signal: tool.signal,
      entered: true,
      noteThrown: () => {},
      noteEntered: () => {},
      noteLeft: () => {},
    };
    const start = (signal?: AbortSignal) =>
      runningCalls.run(call, () => watch(all.run(() => new Promise(() => {}), { signal })));
    const [linked, given] = [start(), start(own.signal)];
    own.abort('own');
    await settled();
    expect([linked.state, given.value]).toEqual(['pending', 'own']);
    const both = start(new AbortController().signal);
    tool.abort('the tool call is withdrawn');
    await settled();
    expect([linked.value, both.value]).toEqual(['the tool call is withdrawn', 'the tool call is withdrawn']);
  });
});

describe('a call that succeeds', () => {
  verifies('policy.cheap', async () => {
    const controllers = vi.spyOn(globalThis, 'AbortController');
    const cases: [PolicyOptions<string>, number, number][] = [
      [{ ...everything, timeoutMs: false, attemptTimeoutMs: false }, 1, 0],
      [everything, 1, 2],
      [{ timeoutMs: 1_000 }, 1, 1],
      [{ timeoutMs: false, retry: {}, breaker: { window: false }, attemptTimeoutMs: false }, 1, 0],
      [{ timeoutMs: false, breaker: { window: false }, attemptTimeoutMs: false }, 0, 0],
      [{ timeoutMs: false, bulkhead: {}, fallback: 'x' }, 0, 0],
    ];
    for (const [options, reads, timers] of cases) {
      const { policy: one, clock } = under(options);
      clock.reads = 0;
      await one.run(() => Promise.resolve('ok'));
      expect([clock.reads, clock.timersSet, clock.pending], JSON.stringify(options)).toEqual([reads, timers, 0]);
    }
    const clock = new ManualClock();
    const both = wrap(
      retry({ clock }),
      circuitBreaker({ clock }),
      rateLimit({ clock, permits: 9 }),
      bulkhead({ clock }),
    );
    clock.reads = 0;
    await both.run(() => 'ok');
    expect([clock.reads, clock.timersSet]).toEqual([1, 0]);
    expect(controllers).not.toHaveBeenCalled();
    // whoever asks for a signal gets one
    expect(await both.run(({ signal }) => signal.aborted)).toBe(false);
    expect(controllers).toHaveBeenCalledOnce();
    vi.restoreAllMocks();
  });
});
