// What users give a policy beside settings: whose it is, and what becomes of it where it is wrong.
import { describe, expect, onTestFinished, vi } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import {
  circuitBreaker,
  fallback,
  httpFailure,
  policy,
  rateLimit,
  retry,
  wrap,
  type PolicyEvent,
} from '../../src/resilience/index.ts';
import { ManualClock, settled } from '../harness/manual-clock.ts';
import { down, freshName, policyUnder as under } from '../harness/policy.ts';
import { verifies } from '../harness/verifies.ts';

const failing = () => Promise.reject(down());

describe('policies of one name', () => {
  verifies('policy.own-code', async () => {
    const name = freshName();
    const forUser = (user: string) => policy(name, { breaker: { failures: 2 }, fallback: () => `cached for ${user}` });
    const [alice, bob] = [forUser('alice'), forUser('bob')];
    expect(await alice.run(failing)).toBe('cached for alice');
    expect(await bob.run(failing)).toBe('cached for bob');
    // what is known of the service is known to both
    expect([alice.breaker?.state, bob.breaker?.state]).toEqual(['open', 'open']);
    expect(await alice.run(() => 'not called')).toBe('cached for alice');
    expect(await forUser('carol').run(() => 'not called')).toBe('cached for carol');
    expect([alice.snapshot(), bob.snapshot()]).toMatchObject([{ calls: { fallback: 4 } }, { calls: { fallback: 4 } }]);
  });

  verifies(
    'policy.own-code',
    async () => {
      const name = freshName();
      const [one, two] = [policy(name, { fallback: 1 }), policy(name, { fallback: 2 })];
      const heard: PolicyEvent[] = [];
      two.on((event) => heard.push(event));
      expect([await one.run(failing), await two.run(failing)]).toEqual([1, 2]);
      expect(heard.map(({ type }) => type)).toEqual(['fallback', 'fallback']);
      // what is switched is switched for the name
      two.fallbackEnabled = false;
      expect(one.fallbackEnabled).toBe(false);
      await expect(one.run(failing)).rejects.toThrow('down');
    },
    'values too, and what is heard and switched is of the name',
  );

  verifies(
    'policy.own-code',
    async () => {
      const name = freshName();
      const runs: string[] = [];
      const judging = (who: string, code: string) =>
        policy(name, {
          retry: { initialDelayMs: 0, attempts: 2, when: (error) => (error as ToolError).code === code },
          breaker: { failures: 100, when: (error) => (error as ToolError).code === code },
          failOn: (result) => result === `bad for ${who}`,
        });
      const [alice, bob] = [judging('alice', 'UNAVAILABLE'), judging('bob', 'INTERNAL_ERROR')];
      const run = (which: typeof alice, who: string) =>
        which
          .run(() => {
            runs.push(who);
            return failing();
          })
          .catch(() => {});
      await run(alice, 'alice');
      await run(bob, 'bob');
      expect(runs).toEqual(['alice', 'alice', 'bob']);
      expect(bob.breaker?.status().failures).toBe(2);
      await alice.run(() => 'bad for alice');
      await bob.run(() => 'bad for alice');
      expect([alice.snapshot().calls?.failure, alice.snapshot().calls?.success]).toEqual([3, 1]);
    },
    'predicates too',
  );

  verifies(
    'policy.own-code',
    async () => {
      const [retries, breaks, falls] = [freshName(), freshName(), freshName()];
      const [again, once] = [
        retry({ name: retries, initialDelayMs: 0, when: () => true }),
        retry({ name: retries, initialDelayMs: 0, when: () => false }),
      ];
      let runs = 0;
      const counted = () => {
        runs++;
        return failing();
      };
      await expect(again.run(counted)).rejects.toThrow('down');
      await expect(once.run(counted)).rejects.toThrow('down');
      expect(runs).toBe(4);
      const [counts, doesNot] = [
        circuitBreaker({ name: breaks, failures: 1, when: () => true }),
        circuitBreaker({ name: breaks, failures: 1, when: () => false }),
      ];
      await expect(doesNot.run(failing)).rejects.toThrow('down');
      expect(counts.state).toBe('closed');
      await expect(counts.run(failing)).rejects.toThrow('down');
      expect([counts.state, doesNot.state]).toEqual(['open', 'open']);
      const [mine, yours] = [fallback('mine', { name: falls }), fallback('yours', { name: falls })];
      expect([await mine.run(failing), await yours.run(failing)]).toEqual(['mine', 'yours']);
      yours.enabled = false;
      expect(mine.enabled).toBe(false);
      // inside another policy each is asked too
      mine.enabled = true;
      expect([await wrap(mine, retry()).run(failing), await wrap(yours).run(failing)]).toEqual(['mine', 'yours']);
    },
    'of every kind',
  );

  verifies(
    'policy.own-code',
    async () => {
      const name = freshName();
      // a breaker that is made anew with each policy is the one of the name
      const make = () => policy(name, { breaker: circuitBreaker({ failures: 1 }) });
      const [one, two] = [make(), make()];
      await expect(one.run(failing)).rejects.toThrow('down');
      expect([one.breaker?.state, two.breaker?.state]).toEqual(['open', 'open']);
      await expect(two.run(() => 'ok')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    },
    'with a breaker that is made for each request',
  );
});

describe('what a user does wrong', () => {
  /** What is said of a policy while the test runs. */
  function warnings(): string[] {
    const said: string[] = [];
    const spy = vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void said.push(String(warning)));
    onTestFinished(() => spy.mockRestore());
    return said;
  }

  const oops = () => {
    throw new TypeError('oops');
  };

  verifies('policy.bad-code', async () => {
    const said = warnings();
    const bad = under({
      retry: { initialDelayMs: 0, attempts: 2, when: oops },
      breaker: { failures: 4, when: oops },
    });
    const error = down();
    for (let calls = 0; calls < 2; calls++) {
      // what the function threw, unchanged
      await expect(bad.policy.run(() => Promise.reject(error))).rejects.toBe(error);
    }
    // each counts as without the predicate
    expect(bad.policy.breaker?.state).toBe('open');
    expect(bad.policy.snapshot().retry).toMatchObject({ attempts: 2, calls: { exhausted: 2 } });
    expect(said).toEqual([
      `policy "${bad.policy.name}": breaker.when threw TypeError: oops; where it does, errors count by their classification. This is said once.`,
      `policy "${bad.policy.name}": retry.when threw TypeError: oops; where it does, errors count by their classification. This is said once.`,
    ]);
    const answers = fallback('cached', { name: freshName('fallback'), when: oops });
    expect(await answers.run(failing)).toBe('cached');
    const mistake = new ToolError('VALIDATION_ERROR', 'no');
    await expect(answers.run(() => Promise.reject(mistake))).rejects.toBe(mistake);
    expect(said).toHaveLength(3);
  });

  verifies(
    'policy.bad-code',
    async () => {
      const said = warnings();
      const nonsense: [verdict: unknown, shown: string | undefined][] = [
        [null, undefined],
        [Promise.resolve(false), 'a promise, which is not waited for'],
        [Promise.reject(new Error('late')), 'a promise, which is not waited for'],
        [{ code: 'NOPE' }, 'an object'],
        ['yes', '"yes" (string)'],
        [0, '0 (number)'],
      ];
      for (const [verdict, shown] of nonsense) {
        const { policy: judged } = under({
          failOn: () => verdict as boolean,
          fallback: 'cached',
          retry: {},
          breaker: { failures: 1 },
        });
        for (let calls = 0; calls < 3; calls++) expect(await judged.run(() => 'result')).toBe('result');
        expect([judged.breaker?.state, judged.snapshot().calls?.success]).toEqual(['closed', 3]);
        const about = said.filter((warning) => warning.startsWith(`policy "${judged.name}": failOn answered`));
        expect(about.map((warning) => warning.split('; ')[0]?.split('answered ')[1])).toEqual(
          shown === undefined ? [] : [shown],
        );
      }
      const throwing = under({ failOn: oops, fallback: 'cached' });
      expect(await throwing.policy.run(() => 'result')).toBe('result');
      // an async predicate is not one
      const async = under({ retry: { initialDelayMs: 0, when: (() => Promise.resolve(false)) as never } });
      await expect(async.policy.run(failing)).rejects.toThrow('down');
      expect(async.policy.snapshot().retry?.attempts).toBe(2);
      await settled();
    },
    'answers that mean nothing',
  );

  verifies(
    'policy.bad-code',
    async () => {
      const { policy: judged } = under({
        failOn: (result) => (result === 'bad' ? ({ code: 'TIMEOUT' } as never) : false),
        fallback: (error) => error,
      });
      // what it leaves out is as usual for the code
      expect(await judged.run(() => 'bad')).toMatchObject({ code: 'TIMEOUT', retryable: true });
    },
    'answers that say less than they could',
  );
});

describe("a dependency's own abort", () => {
  const aborted = () => {
    const own = new AbortController();
    own.abort();
    own.signal.throwIfAborted();
  };

  verifies('policy.own-abort', async () => {
    for (const signal of [undefined, new AbortController().signal]) {
      const { policy: guarded, events } = under({
        retry: { initialDelayMs: 0, attempts: 2 },
        breaker: { failures: 4 },
      });
      for (let calls = 0; calls < 2; calls++) {
        await expect(guarded.run(aborted, { signal })).rejects.toThrow(DOMException);
      }
      expect([guarded.breaker?.state, guarded.breaker?.status().lastErrorCode]).toEqual(['open', 'TIMEOUT']);
      expect(events.filter(({ type }) => type === 'retry')).toHaveLength(2);
    }
    expect(await fallback('cached').run(aborted)).toBe('cached');
  });

  verifies(
    'policy.own-abort',
    async () => {
      const caller = new AbortController();
      const { policy: guarded } = under({ retry: { initialDelayMs: 0 }, breaker: { failures: 1 } });
      const withdrawn = () => {
        caller.abort();
        throw new DOMException('gone', 'AbortError');
      };
      await expect(guarded.run(withdrawn, { signal: caller.signal })).rejects.toBe(caller.signal.reason);
      expect([guarded.breaker?.state, guarded.snapshot().calls?.cancelled]).toEqual(['closed', 1]);
    },
    'and a withdrawn call stays what it is',
  );
});

describe('a dependency that is asked too often', () => {
  verifies('http.refused', async () => {
    const { policy: asked, events } = under({
      failOn: httpFailure,
      retry: { attempts: 2, initialDelayMs: 0 },
      breaker: { failures: 4 },
    });
    const tooMany = () => new Response(null, { status: 429 });
    for (let calls = 0; calls < 2; calls++) expect((await asked.run(tooMany)).status).toBe(429);
    expect([asked.breaker?.state, asked.breaker?.status().lastErrorCode]).toEqual(['open', 'RATE_LIMIT_EXCEEDED']);
    expect(events.filter(({ type }) => type === 'retry')).toHaveLength(2);
    // what a policy of this process refuses says nothing of the dependency
    const clock = new ManualClock();
    const outer = circuitBreaker({ failures: 1, failOn: httpFailure, clock });
    const both = wrap(outer, rateLimit({ permits: 1, perMs: 60_000, clock }));
    await both.run(() => 'ok');
    for (let calls = 0; calls < 3; calls++) {
      await expect(both.run(() => 'ok')).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    }
    expect(outer.state).toBe('closed');
  });
});
