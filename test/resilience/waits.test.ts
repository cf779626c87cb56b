// What stands behind a queue goes by the time after the wait.
import { describe, expect } from 'vitest';
import { bulkhead, rateLimit, retry, timeout, wrap, type Policy } from '../../src/resilience/index.ts';
import { Deferred, ManualClock, settled, watch } from '../harness/manual-clock.ts';
import { down } from '../harness/policy.ts';
import { verifies } from '../harness/verifies.ts';

describe('behind a queue', () => {
  /** Runs a function that waits in a queue for five seconds first. */
  async function afterWait(make: (clock: ManualClock) => Policy, work: () => unknown) {
    const clock = new ManualClock();
    const queue = bulkhead({ clock, concurrency: 1, queue: 10 });
    const slot = new Deferred();
    void queue.run(() => slot.promise);
    const call = watch(wrap(timeout({ clock, limitMs: 60_000 }), queue, make(clock)).run(work));
    await clock.pass(5_000);
    slot.resolve('free');
    await settled();
    return { clock, call };
  }

  verifies(
    'policy.waits',
    async () => {
      let limit: Policy | undefined;
      const { call } = await afterWait(
        (clock) => {
          limit = rateLimit({ clock, permits: 1, perMs: 1_000 });
          void limit.run(() => 'takes the permit');
          return limit;
        },
        () => 'ok',
      );
      expect(call).toEqual({ state: 'fulfilled', value: 'ok' });
      // and the permit that it took is not there twice
      await expect(limit?.run(() => 'ok')).rejects.toMatchObject({ retryAfterMs: 1_000 });
    },
    'a rate limit',
  );

  verifies(
    'policy.waits',
    async () => {
      let runs = 0;
      const { clock, call } = await afterWait(
        (at) => retry({ clock: at, attempts: 3, jitter: 'none', deadlineMs: 1_000, initialDelayMs: 300 }),
        () => (++runs < 3 ? Promise.reject(down()) : 'recovered'),
      );
      await clock.pass(1_000);
      expect(call).toEqual({ state: 'fulfilled', value: 'recovered' });
    },
    'the deadline of a retry',
  );

  verifies(
    'policy.waits',
    async () => {
      let runs = 0;
      const { clock, call } = await afterWait(
        (at) => wrap(timeout({ clock: at, limitMs: 1_000 }), retry({ clock: at, jitter: 'none', initialDelayMs: 300 })),
        () => (++runs < 3 ? Promise.reject(down()) : 'recovered'),
      );
      await clock.pass(1_000);
      expect(call).toEqual({ state: 'fulfilled', value: 'recovered' });
    },
    'a time limit, and what goes by it',
  );
});
