// What policies tell, and what can be read of them.
import { describe, expect, vi } from 'vitest';
import {
  announcedPolicies,
  breakerSnapshots,
  bulkhead,
  circuitBreaker,
  fallback,
  onPolicy,
  policy,
  rateLimit,
  retry,
  timeout,
  wrap,
  type AnnouncedPolicy,
} from '../../src/resilience/index.ts';
import { breakers } from '../../src/state/sources.ts';
import { Deferred, ManualClock, settled, watch } from '../harness/manual-clock.ts';
import { down, freshName, policyUnder as under } from '../harness/policy.ts';
import { verifies } from '../harness/verifies.ts';

describe('what policies tell', () => {
  verifies('policy.listeners', async () => {
    const warned: string[] = [];
    vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warned.push(String(warning)));
    const clock = new ManualClock();
    const one = policy(freshName(), {
      clock,
      retry: { initialDelayMs: 0 },
      breaker: { failures: 3 },
      bulkhead: {},
      fallback: 'cached',
    });
    const heard: string[] = [];
    const rude = () => {
      throw new Error('the listener is broken');
    };
    one.on(rude);
    one.on(() => Promise.reject(new Error('this one too')) as never);
    const stop = one.on(({ type }) => heard.push(type));
    expect(await one.run(() => Promise.reject(down()))).toBe('cached');
    expect(heard).toEqual(['retry', 'retry', 'circuit_breaker.transition', 'retry.gave_up', 'fallback']);
    await settled();
    expect(warned).toEqual([
      `a listener of policy "${one.name}" failed at "retry": Error: the listener is broken. Calls are not affected; this is said once.`,
      `a listener of policy "${one.name}" failed at "retry": Error: this one too. Calls are not affected; this is said once.`,
    ]);
    stop();
    await one.run(() => Promise.reject(down()));
    expect(heard).toHaveLength(5);
    expect(() => one.on('loud' as never)).toThrow('on: expected a function, got "loud" (string)');
    vi.restoreAllMocks();
  });

  verifies('policy.counts', async () => {
    const {
      policy: one,
      clock,
      calls,
    } = under<string>({
      timeoutMs: 1_000,
      rateLimit: { permits: 6, perMs: 1_000_000 },
      fallback: 'cached',
      failOn: (result) => result === 'bad',
    });
    one.fallbackEnabled = false;
    expect(calls()).toEqual({ success: 0, failure: 0, rejected: 0, timeout: 0, cancelled: 0, fallback: 0 });
    await one.run(() => 'ok');
    await one.run(() => 'bad');
    await one.run(() => Promise.reject(down())).catch(() => {});
    const caller = new AbortController();
    watch(one.run(() => new Promise(() => {}), { signal: caller.signal }));
    caller.abort();
    watch(one.run(() => new Promise(() => {})));
    await clock.pass(1_000);
    one.fallbackEnabled = true;
    expect(await one.run(() => Promise.reject(down()))).toBe('cached');
    one.fallbackEnabled = false;
    await one.run(() => 'one too many').catch(() => {});
    expect(calls()).toEqual({ success: 1, failure: 2, rejected: 1, timeout: 1, cancelled: 1, fallback: 1 });
    const without = policy(freshName());
    expect(() => (without.fallbackEnabled = true)).toThrow('was made without a fallback');
    expect([(without.fallbackEnabled = false), without.fallbackEnabled]).toEqual([false, false]);
    expect(() => (one.fallbackEnabled = 'yes' as never)).toThrow(
      'fallbackEnabled must be true or false, got "yes" (string)',
    );
    await expect(one.run('no function' as never)).rejects.toThrow(
      'run: expected a function, got "no function" (string)',
    );
  });

  verifies('policy.registry', () => {
    const before = policy(freshName(), { retry: {} });
    const seen: AnnouncedPolicy[] = [];
    const stop = onPolicy((announced) => seen.push(announced));
    expect(seen.map(({ name }) => name)).toContain(before.name);
    const count = seen.length;
    const after = [
      retry({ name: freshName('named') }),
      timeout({ name: freshName('named'), limitMs: 1 }),
      bulkhead({ name: freshName('named') }),
      rateLimit({ name: freshName('named'), permits: 1 }),
      fallback('x', { name: freshName('named') }),
      circuitBreaker({ name: freshName('named') }),
    ];
    // those without a name are nobody's business
    retry();
    wrap(retry());
    expect(seen.slice(count).map(({ name, kind }) => [name, kind])).toEqual(
      after.map(({ name }, index) => [
        name,
        ['retry', 'timeout', 'bulkhead', 'rateLimit', 'fallback', 'circuitBreaker'][index],
      ]),
    );
    stop();
    policy(freshName());
    expect(seen).toHaveLength(count + 6);
    expect(seen.find(({ name }) => name === before.name)?.snapshot()).toMatchObject({
      name: before.name,
      retry: { attempts: 0, calls: { not_needed: 0 } },
    });
  });

  verifies('policy.health', async () => {
    const clock = new ManualClock();
    const name = freshName();
    const one = policy(name, {
      clock,
      random: () => 0.5,
      breaker: { failures: 1, critical: true, resetAfterMs: 5_000 },
    });
    const read = () => breakerSnapshots().find((breaker) => breaker.name === name);
    expect(read()).toMatchObject({ state: 'closed', failures: 0, retryAfterMs: undefined, critical: true });
    await one.run(() => Promise.reject(down())).catch(() => {});
    clock.skip(2_000);
    expect(read()).toMatchObject({
      state: 'open',
      sinceMs: 2_000,
      failures: 1,
      retryAfterMs: 3_000,
      lastErrorCode: 'UNAVAILABLE',
    });
    // and health and its tools see the same
    const { since, ...seen } = breakers().find((breaker) => breaker.name === name) ?? {};
    expect(seen).toEqual({ name, state: 'open', failures: 1, retryAfterMs: 3_000, critical: true });
    expect(Date.now() - (since ?? 0)).toBeGreaterThanOrEqual(2_000);
    clock.skip(4_000);
    expect(read()).toMatchObject({ state: 'half_open', sinceMs: 1_000, retryAfterMs: 0 });
    expect(breakers().find((breaker) => breaker.name === name)?.retryAfterMs).toBeUndefined();
  });
});

describe('a name', () => {
  verifies('policy.identity', () => {
    const name = freshName();
    const first = policy(name, { retry: { attempts: 4, when: () => true }, failOn: () => false });
    expect(policy(name, { retry: { attempts: 4 } })).toBe(first);
    for (const options of [{}, { retry: { attempts: 5 } }, { retry: { attempts: 4 }, bulkhead: {} }]) {
      expect(() => policy(name, options)).toThrow(TypeError);
      expect(() => policy(name, options)).toThrow(
        `policy: a policy named "${name}" exists, made by policy with [{"policy":"timeout","scope":"total","limitMs":30000},`,
      );
    }
    expect(() => retry({ name, attempts: 4 })).toThrow(`retry: a policy named "${name}" exists, made by policy with`);
    const breaker = circuitBreaker({ name: freshName() });
    expect(circuitBreaker({ name: breaker.name })).toBe(breaker);
    expect(retry()).not.toBe(retry());
  });
});

describe('names without end', () => {
  verifies(
    'policy.registry',
    () => {
      const warned: string[] = [];
      vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warned.push(String(warning)));
      const stop = onPolicy(() => {
        throw new Error('a watcher that is broken');
      });
      warned.length = 0;
      const watched = policy(freshName('watched'));
      stop();
      expect(warned).toEqual([`a watcher of policies failed at "${watched.name}": Error: a watcher that is broken`]);
      for (let index = 0; index < 1_200; index++) policy(`endless ${index}`);
      expect(announcedPolicies()).toHaveLength(1_000);
      expect(policy('endless 1199')).toBe(policy('endless 1199'));
      expect(warned.filter((line) => line.startsWith('more than 1000 policies have a name'))).toHaveLength(1);
      vi.restoreAllMocks();
    },
    'a bounded number, and a watcher has no say',
  );
});

describe('types', () => {
  verifies(
    'fallback.answers',
    async () => {
      const value: number = await policy(freshName()).run(() => 7);
      const either: number | string = await policy(freshName(), { fallback: 'none' }).run(() => 7);
      const made_: number | null = await policy(freshName(), { fallback: () => null }).run(() => Promise.resolve(7));
      const wrapped: number | string = await wrap(fallback('x'), retry()).run(() => 7);
      expect([value, either, made_, wrapped]).toEqual([7, 7, 7, 7]);
      const work = new Deferred<number>();
      work.resolve(7);
      expect(await retry().run(() => work.promise)).toBe(7);
    },
    'and is part of the type of the result',
  );
});
