// The retry: which calls are tried again, when, how often, and how it stops.
import { AsyncLocalStorage } from 'node:async_hooks';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { backoffMs, JITTERS } from '../../src/resilience/backoff.ts';
import {
  announcedPolicies,
  httpFailure,
  policy as composed,
  retry,
  type PolicyEvent,
  type RetryOptions,
} from '../../src/resilience/index.ts';
import { RetryBudget } from '../../src/resilience/retry-budget.ts';
import { ManualClock, watch } from '../harness/manual-clock.ts';
import { verifies } from '../harness/verifies.ts';

const down = (retryAfterMs?: number) => new ToolError('UNAVAILABLE', 'down', { retryAfterMs });

/** A retry under a manual clock, with chance at its worst, and what it tells. */
function under(options: RetryOptions = {}) {
  const clock = new ManualClock();
  const policy = retry({ clock, random: () => 1, jitter: 'none', ...options });
  const events: PolicyEvent[] = [];
  policy.on((event) => events.push(event));
  const runs: number[] = [];
  /** Runs work that does this at each attempt: throws an error, or returns anything else. */
  const run = (each: (attempt: number) => unknown, more = {}) =>
    watch(
      policy.run(({ attempt }) => {
        runs.push(clock.time);
        const next = each(attempt);
        if (next instanceof Error) throw next;
        return next;
      }, more),
    );
  return { clock, policy, events, runs, run };
}

describe('attempts', () => {
  verifies('retry.attempts', async () => {
    const { clock, runs, run, events } = under({ attempts: 4, initialDelayMs: 100 });
    const error = down();
    const failed = run(() => error);
    await clock.pass(10_000);
    expect(runs).toEqual([0, 100, 300, 700]);
    expect(failed).toEqual({ state: 'rejected', value: error });
    expect(events.map((event) => [event.type, 'attempt' in event ? event.attempt : undefined])).toEqual([
      ['retry', 2],
      ['retry', 3],
      ['retry', 4],
      ['retry.gave_up', undefined],
    ]);
    expect(events.at(-1)).toMatchObject({ result: 'exhausted', attempts: 4, code: 'UNAVAILABLE', error });
  });

  verifies(
    'retry.attempts',
    async () => {
      const { clock, runs, run } = under({ attempts: 1 });
      expect(run(() => down()).state).toBe('pending');
      await clock.pass(60_000);
      expect(runs).toEqual([0]);
      const { run: again, clock: later, events } = under();
      const recovered = again((attempt) => (attempt === 3 ? 'there' : down()));
      await later.pass(10_000);
      expect(recovered).toEqual({ state: 'fulfilled', value: 'there' });
      expect(events.map(({ type }) => type)).toEqual(['retry', 'retry']);
    },
    'one is none more, and the third may succeed',
  );

  verifies('retry.context', async () => {
    const storage = new AsyncLocalStorage<string>();
    const { clock, policy } = under();
    const seen: unknown[] = [];
    const done = storage.run('caller', () =>
      watch(
        policy.run(() => {
          seen.push(storage.getStore());
          return storage.run('an attempt', () => Promise.reject(down()));
        }),
      ),
    );
    await storage.run('another', () => clock.pass(10_000));
    expect(done.state).toBe('rejected');
    expect(seen).toEqual(['caller', 'caller', 'caller']);
  });
});

describe('delays', () => {
  const settings = { initialDelayMs: 100, maxDelayMs: 1_000, multiplier: 2 };

  verifies('retry.backoff', () => {
    const by = (jitter: (typeof JITTERS)[number], chance: number, retries = 6) => {
      let last = settings.initialDelayMs;
      return Array.from(
        { length: retries },
        (_, index) => (last = backoffMs({ ...settings, jitter }, index + 1, last, () => chance)),
      );
    };
    expect(by('none', 0.5)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(by('full', 0)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(by('full', 0.5)).toEqual([50, 100, 200, 400, 500, 500]);
    expect(by('equal', 0)).toEqual([50, 100, 200, 400, 500, 500]);
    expect(by('equal', 0.5)).toEqual([75, 150, 300, 600, 750, 750]);
    expect(by('decorrelated', 0)).toEqual([100, 100, 100, 100, 100, 100]);
    expect(by('decorrelated', 0.5)).toEqual([200, 350, 575, 912.5, 1_000, 1_000]);
  });

  verifies(
    'retry.backoff',
    () => {
      const any = fc.double({ min: -1, max: 2, noNaN: true });
      const ms = fc.integer({ min: 0, max: 2 ** 31 - 1 });
      fc.assert(
        fc.property(
          ms,
          ms,
          fc.double({ min: 1, max: 1_000, noNaN: true }),
          fc.nat(1_000),
          any,
          fc.constantFrom(...JITTERS),
          (a, b, multiplier, retries, chance, jitter) => {
            const [initialDelayMs, maxDelayMs] = [Math.min(a, b), Math.max(a, b)];
            const delay = backoffMs(
              { initialDelayMs, maxDelayMs, multiplier, jitter },
              retries + 1,
              maxDelayMs,
              () => chance,
            );
            expect(delay).toBeGreaterThanOrEqual(0);
            expect(delay).toBeLessThanOrEqual(maxDelayMs);
          },
        ),
      );
    },
    'never negative, never beyond the cap, never no number',
  );
});

describe('what may be retried', () => {
  verifies('retry.retryable', async () => {
    const cases: [unknown, boolean][] = [
      [down(), true],
      [new ToolError('TIMEOUT', 'late'), true],
      [new ToolError('RATE_LIMIT_EXCEEDED', 'slow down'), true],
      [new ToolError('VALIDATION_ERROR', 'no'), false],
      [new ToolError('RESOURCE_NOT_FOUND', 'no'), false],
      [new ToolError('PERMISSION_DENIED', 'no'), false],
      [new ToolError('AUTHENTICATION_FAILED', 'no'), false],
      [new ToolError('CANCELLED', 'no'), false],
      [new ToolError('INTERNAL_ERROR', 'a bug'), false],
      [new ToolError('UNAVAILABLE', 'for ever', { retryable: false }), false],
      [new ToolError('VALIDATION_ERROR', 'stale', { retryable: true }), true],
      [new RangeError('a bug'), false],
    ];
    for (const [index, [error, retried]] of cases.entries()) {
      const { clock, runs, run, policy } = under({ name: `retryable ${index}` });
      const failed = run(() => error);
      await clock.pass(10_000);
      expect(failed.value).toBe(error);
      expect(runs, String(error)).toHaveLength(retried ? 3 : 1);
      const { retry: counts } =
        announcedPolicies()
          .find(({ name }) => name === policy.name)
          ?.snapshot() ?? {};
      expect(counts?.calls).toMatchObject({ [retried ? 'exhausted' : 'not_retryable']: 1 });
    }
  });

  verifies(
    'retry.retryable',
    async () => {
      const { clock, runs, run } = under({ when: (error) => error instanceof RangeError });
      run(() => new RangeError('flaky'));
      run(() => down());
      await clock.pass(10_000);
      expect(runs).toHaveLength(3 + 1);
    },
    'or as the user says',
  );

  verifies('retry.once', async () => {
    const { clock, runs, run } = under();
    const failed = run(() => down(), { idempotent: false });
    await clock.pass(10_000);
    expect([runs.length, failed.state]).toEqual([1, 'rejected']);
  });

  verifies('retry.fail-on', async () => {
    const cancelled: number[] = [];
    const response = (status: number, headers = {}) =>
      new Response(new ReadableStream({ cancel: () => void cancelled.push(status) }), { status, headers });
    const { clock, runs, run, events } = under({ failOn: httpFailure });
    const last = run((attempt) => response(500 + attempt));
    await clock.pass(10_000);
    // 501 is hopeless
    expect(runs).toHaveLength(1);
    expect(last.state).toBe('fulfilled');
    const three = run((attempt) => response([503, 500, 502][attempt - 1] ?? 0));
    await clock.pass(10_000);
    expect((three.value as Response).status).toBe(502);
    // bodies that nobody reads give their connections back; the last one is the caller's
    expect(cancelled).toEqual([503, 500]);
    expect(events.at(-1)).toMatchObject({ type: 'retry.gave_up', code: 'UNAVAILABLE', error: undefined });
    const fine = run(() => response(404));
    await clock.pass(10_000);
    expect((fine.value as Response).status).toBe(404);
    const flag = under({ failOn: (result) => result === 'bad' });
    const bad = flag.run(() => 'bad');
    await flag.clock.pass(10_000);
    expect([flag.runs.length, bad.value]).toEqual([3, 'bad']);
  });
});

describe('Retry-After', () => {
  verifies('retry.retry-after', async () => {
    const { clock, runs, run } = under();
    run((attempt) => down(attempt === 1 ? 7_000 : undefined));
    await clock.pass(60_000);
    // longer than the cap of the delays, then the backoff goes on
    expect(runs).toEqual([0, 7_000, 7_400]);
    const short = under({ initialDelayMs: 1_000 });
    short.run(() => down(10));
    await short.clock.pass(60_000);
    expect(short.runs).toEqual([0, 1_000, 3_000]);
  });

  verifies('retry.deadline', async () => {
    const { clock, runs, run, events } = under();
    const error = down(86_400_000);
    const failed = run(() => error);
    await clock.pass(0);
    expect([runs.length, failed]).toEqual([1, { state: 'rejected', value: error }]);
    expect(events.map((event) => 'result' in event && event.result)).toEqual(['deadline']);
    const slow = under({ attempts: 100, deadlineMs: 1_000, initialDelayMs: 300, multiplier: 1 });
    const late = slow.run(() => down());
    await slow.clock.pass(10_000);
    expect([slow.runs, late.state]).toEqual([[0, 300, 600, 900], 'rejected']);
    expect(slow.clock.pending).toBe(0);
  });
});

describe('an abort', () => {
  verifies('retry.abort', async () => {
    const { clock, runs, policy } = under();
    const caller = new AbortController();
    const reason = new DOMException('enough', 'AbortError');
    const failed = watch(
      policy.run(
        () => {
          runs.push(clock.time);
          throw down();
        },
        { signal: caller.signal },
      ),
    );
    await clock.pass(50);
    expect([runs, failed.state, clock.pending]).toEqual([[0], 'pending', 1]);
    caller.abort(reason);
    // settles without the clock moving
    await clock.pass(0);
    expect(failed).toEqual({ state: 'rejected', value: reason });
    await clock.pass(60_000);
    expect([runs.length, clock.pending]).toEqual([1, 0]);
  });
});

describe('the budget', () => {
  const failing = (options: RetryOptions = {}) => {
    const made = under({ initialDelayMs: 0, attempts: 4, ...options });
    const call = async () => {
      made.run(() => down());
      await made.clock.pass(0);
    };
    return { ...made, call };
  };

  verifies('retry.budget', async () => {
    const { call, runs, events } = failing();
    for (let calls = 0; calls < 40; calls++) await call();
    // at least 10 however few calls there are, and no more for 40 calls
    expect(runs.length).toBe(40 + 10);
    expect(events.filter((event) => 'result' in event && event.result === 'budget').length).toBeGreaterThan(30);
    for (let calls = 0; calls < 60; calls++) await call();
    expect(runs.length).toBe(100 + 20);
  });

  verifies(
    'retry.budget',
    async () => {
      const { call, runs, clock } = failing();
      for (let calls = 0; calls < 40; calls++) await call();
      await clock.pass(59_000);
      await call();
      expect(runs.length).toBe(51);
      await clock.pass(2_000);
      await call();
      expect(runs.length).toBe(51 + 4);
    },
    'time heals it',
  );

  verifies(
    'retry.budget',
    async () => {
      const { call, runs } = failing({ budget: false });
      for (let calls = 0; calls < 40; calls++) await call();
      expect(runs.length).toBe(160);
      const small = failing({ budget: { min: 0, ratio: 0.5 } });
      for (let calls = 0; calls < 40; calls++) await small.call();
      expect(small.runs.length).toBe(60);
    },
    'switched off, or otherwise',
  );

  verifies(
    'retry.budget',
    async () => {
      // a call counts from its start: a hundred that still run allow twenty retries
      const { call, runs, run, policy } = failing();
      for (let calls = 0; calls < 100; calls++) void policy.run(() => new Promise(() => {}));
      for (let calls = 0; calls < 20; calls++) await call();
      expect(runs.length).toBe(20 + 24);
      // each policy has its own: the others are not starved
      const other = failing();
      other.run(() => down());
      await other.clock.pass(0);
      expect([other.runs.length, run(() => 'ok').state]).toEqual([4, 'pending']);
      // and it is wired in the policy of all parts
      const clock = new ManualClock();
      const all = composed('budget of all parts', { clock, retry: { initialDelayMs: 0 } });
      let reached = 0;
      for (let calls = 0; calls < 20; calls++) {
        void all.run(() => (reached++, Promise.reject(down()))).catch(() => {});
        await clock.pass(0);
      }
      expect(reached).toBe(20 + 10);
      expect(all.snapshot().retry?.calls).toMatchObject({ exhausted: 5, budget: 15 });
    },
    'counted at the start, for each policy, wherever it is used',
  );

  verifies(
    'retry.budget',
    () => {
      const step = fc.record({ ms: fc.nat(20_000), retry: fc.boolean() });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 300, size: 'max' }), fc.nat(5), (steps, min) => {
          const budget = new RetryBudget({ min, ratio: 0.25, perMs: 60_000 });
          const seen: { slice: number; retry: boolean }[] = [];
          let now = 0;
          for (const { ms, retry: again } of steps) {
            now += ms;
            const slice = Math.floor(now / 6_000);
            const count = (retries: boolean) =>
              seen.filter((one) => one.slice > slice - 10 && one.retry === retries).length;
            if (!again) {
              budget.countCall(now);
              seen.push({ slice, retry: false });
            } else {
              const allowed = count(true) < Math.max(min, Math.floor(0.25 * count(false)));
              expect(budget.take(now)).toBe(allowed);
              if (allowed) seen.push({ slice, retry: true });
            }
          }
        }),
        { numRuns: 60 },
      );
    },
    'as a list of everything would have it',
  );
});
