// Time limit, rate limit and fallback, and which responses are failures.
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import {
  fallback,
  httpFailure,
  isTimeLimit,
  rateLimit,
  refusalOf,
  timeout,
  wrap,
  type PolicyEvent,
  type RateLimitOptions,
} from '../../src/resilience/index.ts';
import { Deferred, ManualClock, settled, watch } from '../harness/manual-clock.ts';
import { verifies } from '../harness/verifies.ts';

describe('a time limit', () => {
  function under(limitMs = 1_000) {
    const clock = new ManualClock();
    const policy = timeout({ clock, limitMs });
    const events: PolicyEvent[] = [];
    policy.on((event) => events.push(event));
    return { clock, policy, events };
  }

  verifies('timeout.rejects', async () => {
    const { clock, policy, events } = under();
    let signal: AbortSignal | undefined;
    const stubborn = watch(
      policy.run((context) => {
        ({ signal } = context);
        return new Promise(() => {});
      }),
    );
    await clock.pass(999);
    expect([stubborn.state, signal?.aborted]).toEqual(['pending', false]);
    await clock.pass(1);
    expect(stubborn.state).toBe('rejected');
    expect(stubborn.value).toMatchObject({
      code: 'TIMEOUT',
      retryable: true,
      message: 'The call did not answer within 1000 ms',
    });
    expect([isTimeLimit(stubborn.value), refusalOf(stubborn.value)]).toEqual([true, undefined]);
    // whoever listens to the signal learns of the same error
    expect([signal?.aborted, signal?.reason]).toEqual([true, stubborn.value]);
    expect(events).toEqual([{ type: 'timeout', policy: undefined, scope: 'total', limitMs: 1_000 }]);
  });

  verifies(
    'timeout.rejects',
    async () => {
      const { clock, policy, events } = under();
      const kind = watch(
        policy.run(
          ({ signal }) =>
            new Promise((resolve) => {
              signal.addEventListener('abort', () => resolve('late, but kind'));
            }),
        ),
      );
      await clock.pass(1_000);
      expect(kind.state).toBe('rejected');
      for (const value of ['quick', Promise.resolve('soon')]) {
        expect(await policy.run(() => value)).toBeTypeOf('string');
      }
      expect(await policy.run(() => ({ city: 'Paris' }))).toEqual({ city: 'Paris' });
      expect(await policy.run(() => null)).toBe(null);
      await expect(
        policy.run(() => {
          throw new RangeError('at once');
        }),
      ).rejects.toThrow('at once');
      expect([clock.pending, events.length]).toEqual([0, 1]);
    },
    'also one that answers the abort, and no call that is in time',
  );

  verifies(
    'timeout.rejects',
    async () => {
      const { clock, policy } = under();
      const signals: AbortSignal[] = [];
      const hang = () => watch(policy.run(({ signal }) => (signals.push(signal), new Promise(() => {}))));
      const first = hang();
      await clock.pass(600);
      const second = hang();
      await clock.pass(400);
      expect([first.state, second.state]).toEqual(['rejected', 'pending']);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    },
    'no other call than its own',
  );

  verifies('timeout.late', async () => {
    const { clock, policy } = under();
    const works = [new Deferred(), new Deferred()];
    const calls = works.map(({ promise }) => watch(policy.run(() => promise)));
    await clock.pass(1_000);
    let cancelled = false;
    works[0]?.resolve(new Response(new ReadableStream({ cancel: () => void (cancelled = true) })));
    works[1]?.reject(new Error('too late to matter'));
    await settled();
    expect(cancelled).toBe(true);
    expect(calls.map(({ value }) => (value as ToolError).code)).toEqual(['TIMEOUT', 'TIMEOUT']);
  });

  verifies('timeout.abort', async () => {
    const { clock, policy, events } = under();
    const caller = new AbortController();
    let inner: AbortSignal | undefined;
    const withdrawn = watch(
      policy.run(
        ({ signal }) => {
          inner = signal;
          return new Promise(() => {});
        },
        { signal: caller.signal },
      ),
    );
    await clock.pass(500);
    const reason = new Error('the caller has left');
    caller.abort(reason);
    await settled();
    expect(withdrawn).toEqual({ state: 'rejected', value: reason });
    expect([inner?.aborted, inner?.reason, isTimeLimit(withdrawn.value)]).toEqual([true, reason, false]);
    await clock.pass(10_000);
    expect([events, clock.pending]).toEqual([[], 0]);
  });
});

describe('a rate limit', () => {
  function under(options: RateLimitOptions) {
    const clock = new ManualClock();
    const policy = rateLimit({ clock, ...options });
    const ask = async (key?: string) => {
      const call = watch(policy.run(() => 'ok', { key }));
      await settled();
      return call.state === 'fulfilled' ? 'ok' : (call.value as ToolError).retryAfterMs;
    };
    return { clock, policy, ask };
  }

  verifies('rate-limit.bucket', async () => {
    const { clock, policy, ask } = under({ permits: 3, perMs: 900 });
    const events: PolicyEvent[] = [];
    policy.on((event) => events.push(event));
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['ok', 'ok', 'ok', 300]);
    expect(events).toEqual([{ type: 'rate_limit.rejected', policy: undefined, retryAfterMs: 300 }]);
    await clock.pass(299);
    expect(await ask()).toBe(1);
    await clock.pass(1);
    expect([await ask(), await ask()]).toEqual(['ok', 300]);
    await clock.pass(1_000_000);
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['ok', 'ok', 'ok', 300]);
    const refused = watch(policy.run(() => 'never'));
    await settled();
    expect(refused.value).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', retryAfterMs: 300 });
    expect(refusalOf(refused.value)).toBe('rate_limit');
  });

  verifies(
    'rate-limit.bucket',
    async () => {
      const steps = fc.array(fc.nat(400), { maxLength: 100, size: 'max' });
      await fc.assert(
        fc.asyncProperty(
          steps,
          fc.integer({ min: 1, max: 7 }),
          fc.integer({ min: 1, max: 1_000 }),
          async (waits, permits, perMs) => {
            const { clock, ask } = under({ permits, perMs });
            const passed: number[] = [];
            for (const wait of waits) {
              clock.skip(wait);
              const answer = await ask();
              if (answer === 'ok') passed.push(clock.time);
              else {
                // whoever waits as long as it is told is let through
                clock.skip(answer ?? Number.NaN);
                expect(await ask()).toBe('ok');
                passed.push(clock.time);
              }
            }
            for (const [first, from] of passed.entries()) {
              for (let last = first; last < passed.length; last++) {
                const allowed = permits + (((passed[last] ?? 0) - from) * permits) / perMs;
                if (last - first + 1 > allowed + 1e-6)
                  throw new Error(`${last - first + 1} of ${allowed} from ${from}`);
              }
            }
          },
        ),
        { numRuns: 20 },
      );
    },
    'in any stretch of time',
  );

  verifies('rate-limit.keys', async () => {
    const { ask } = under({ permits: 1, perMs: 1_000, maxKeys: 3 });
    expect([await ask('a'), await ask('a'), await ask('b'), await ask(), await ask()]).toEqual([
      'ok',
      1_000,
      'ok',
      'ok',
      1_000,
    ]);
    await ask('c');
    await ask('a');
    // b was not seen for longest
    await ask('d');
    expect([await ask('a'), await ask('c'), await ask('d')]).toEqual([1_000, 1_000, 1_000]);
    expect(await ask('b')).toBe('ok');
    const many = under({ permits: 1, maxKeys: 100 });
    for (let key = 0; key < 500; key++) void many.policy.run(() => 'ok', { key: `k${key}` });
    expect([await many.ask('k499'), await many.ask('k450'), await many.ask('k350')]).toEqual([1_000, 1_000, 'ok']);
  });
});

describe('a fallback', () => {
  const down = new ToolError('UNAVAILABLE', 'down');

  verifies('fallback.answers', async () => {
    const told: unknown[] = [];
    const events: PolicyEvent[] = [];
    const policy = fallback((error) => {
      told.push(error);
      return Promise.resolve('cached');
    });
    policy.on((event) => events.push(event));
    expect(await policy.run(() => Promise.reject(down))).toBe('cached');
    expect(told).toEqual([down]);
    expect(events).toEqual([{ type: 'fallback', policy: undefined, code: 'UNAVAILABLE', error: down }]);
    expect(await policy.run(() => 'fresh')).toBe('fresh');
    const echo = fallback((_error, input) => `instead of ${String(input)}`);
    expect(await echo.run(() => Promise.reject(down), { input: 'this' })).toBe('instead of this');
    for (const value of [null, 0, '', false, { stale: true }]) {
      expect(await fallback(value).run(() => Promise.reject(down))).toBe(value);
    }
    expect(await fallback('x', { when: (error) => error === 7 }).run(() => Promise.reject(7))).toBe('x');
    await expect(fallback('x', { when: () => false }).run(() => Promise.reject(down))).rejects.toBe(down);
  });

  verifies(
    'fallback.answers',
    async () => {
      let cancelled = false;
      const policy = fallback((error) => error, { failOn: httpFailure });
      const failed = new Response(new ReadableStream({ cancel: () => void (cancelled = true) }), { status: 503 });
      const answer = await policy.run(() => failed);
      expect(answer).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      expect(cancelled).toBe(true);
      const fine = new Response('ok');
      expect(await policy.run(() => fine)).toBe(fine);
    },
    'of a failed result too',
  );

  verifies('fallback.not', async () => {
    const policy = fallback('never');
    for (const code of [
      'VALIDATION_ERROR',
      'RESOURCE_NOT_FOUND',
      'PERMISSION_DENIED',
      'AUTHENTICATION_FAILED',
    ] as const) {
      const mistake = new ToolError(code, 'no');
      await expect(policy.run(() => Promise.reject(mistake))).rejects.toBe(mistake);
    }
    const caller = new AbortController();
    const withdrawn = watch(policy.run(() => new Promise(() => {}), { signal: caller.signal }));
    caller.abort('gone');
    await settled();
    expect(withdrawn).toEqual({ state: 'rejected', value: 'gone' });
    // too many calls are no mistake
    const limited = wrap(fallback('cached'), rateLimit({ permits: 1 }));
    expect([await limited.run(() => 'fresh'), await limited.run(() => 'fresh')]).toEqual(['fresh', 'cached']);
  });

  verifies('fallback.fails', async () => {
    const first = new ToolError('UNAVAILABLE', 'down', { retryAfterMs: 5_000 });
    const second = new RangeError('no cache either');
    const failed = watch(
      fallback(() => {
        throw second;
      }).run(() => Promise.reject(first)),
    );
    await settled();
    expect(failed.value).toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      retryAfterMs: 5_000,
      message: 'The call failed, and so did its fallback',
    });
    expect(((failed.value as Error).cause as AggregateError).errors).toEqual([first, second]);
  });

  verifies('fallback.switch', async () => {
    const policy = fallback('cached', { enabled: false, failOn: (result) => result === 'bad' });
    await expect(policy.run(() => Promise.reject(down))).rejects.toBe(down);
    expect(await policy.run(() => 'bad')).toBe('bad');
    policy.enabled = true;
    expect(await policy.run(() => Promise.reject(down))).toBe('cached');
    expect([await policy.run(() => 'bad'), policy.enabled]).toEqual(['cached', true]);
  });
});

describe('an HTTP response', () => {
  verifies('http.failure', () => {
    const of = (status: number, after?: string) =>
      httpFailure(new Response(null, { status, ...(after !== undefined && { headers: { 'retry-after': after } }) }));
    for (const status of [200, 204, 301, 400, 401, 403, 404, 409, 422]) expect(of(status)).toBe(false);
    expect(of(429, '3')).toMatchObject({
      code: 'RATE_LIMIT_EXCEEDED',
      retryable: true,
      retryAfterMs: 3_000,
      fault: 'caller',
    });
    expect(of(503)).toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      retryAfterMs: undefined,
      fault: 'dependency',
    });
    expect(of(504)).toMatchObject({ code: 'TIMEOUT', retryable: true });
    expect(of(408)).toMatchObject({ code: 'TIMEOUT', retryable: true });
    expect(of(501, '3')).toMatchObject({ retryable: false, retryAfterMs: undefined });
    expect(of(503, new Date(Date.now() + 90_000).toUTCString())).toMatchObject({
      retryAfterMs: expect.toSatisfy((ms: number) => ms > 60_000 && ms <= 90_000) as number,
    });
    expect(of(503, new Date(0).toUTCString())).toMatchObject({ retryAfterMs: 0 });
    expect(of(503, '99999999999')).toMatchObject({ retryAfterMs: undefined });
    expect(of(503, '9999999999')).toMatchObject({ retryAfterMs: 86_400_000 });
    for (const nonsense of ['', 'soon', '-1', '1e3', '0x10'])
      expect(of(503, nonsense)).toMatchObject({ code: 'UNAVAILABLE' });
    for (const nonsense of [undefined, null, 7, 'text', {}, { status: '500' }, { status: 600 }, []]) {
      expect(httpFailure(nonsense)).toBe(false);
    }
    expect(httpFailure({ status: 429, headers: { 'retry-after': '1' } })).toMatchObject({ retryAfterMs: 1_000 });
    expect(httpFailure({ status: 500 })).toMatchObject({ code: 'UNAVAILABLE' });
  });
});
