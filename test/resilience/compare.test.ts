// The same scenarios with cockatiel 4 and p-retry 9, and with toolspan. Where the two differ, the difference is the reason for a rule of ours.
import * as cockatiel from 'cockatiel';
import pRetry from 'p-retry';
import { vi } from 'vitest';
import type { ToolError } from '../../src/errors/tool-error.ts';
import { bulkhead, circuitBreaker, refusalOf, retry, timeout, wrap } from '../../src/resilience/index.ts';
import {
  abortedInBackoff,
  compare,
  countThrown,
  lastError,
  ofAHundred,
  secondTryAt,
  countRuns,
  failing,
  never,
  ourRetry,
  pass,
  settledWith,
  type Row,
} from '../harness/scenarios.ts';

const { handleAll, ConsecutiveBreaker, ConstantBackoff, TimeoutStrategy } = cockatiel;

const theirRetry = (maxAttempts: number, delayMs: number) =>
  cockatiel.retry(handleAll, { maxAttempts, backoff: new ConstantBackoff(delayMs) });
const theirBreaker = (failures = 1, halfOpenAfter = 1_000) =>
  cockatiel.circuitBreaker(handleAll, { halfOpenAfter, breaker: new ConsecutiveBreaker(failures) });
const ourBreaker = (failures = 1) => circuitBreaker({ failures, window: false, resetAfterMs: 1_000, resetJitter: 0 });

const breakOpen = async (breaker: { execute?: unknown; run?: unknown }) => {
  const start = (breaker.execute ?? breaker.run) as (work: () => Promise<never>) => Promise<unknown>;
  await start.call(breaker, failing).catch(() => {});
};

const withCockatiel: readonly Row[] = [
  {
    scenario: 'an abort in the middle of a backoff',
    theirs: () => abortedInBackoff((work, signal) => theirRetry(3, 400).execute(work, signal)),
    sees: { runs: 2, overAt: 400 },
    ours: () => abortedInBackoff((work, signal) => ourRetry(4, 400).run(work, { signal })),
    instead: { runs: 1, overAt: 100 },
  },
  {
    scenario: 'a number of attempts of 3',
    theirs: () => countRuns((work) => theirRetry(3, 10).execute(work)),
    sees: 4,
    ours: () => countRuns((work) => ourRetry(3, 10).run(work)),
    instead: 3,
  },
  {
    scenario: 'a retry around an open breaker: useless retries',
    async theirs() {
      const breaker = theirBreaker();
      await breakOpen(breaker);
      const retries: unknown[] = [];
      const policy = theirRetry(2, 10);
      policy.onRetry((event) => retries.push(event));
      await settledWith(cockatiel.wrap(policy, breaker).execute(never), 100);
      return retries.length;
    },
    sees: 2,
    async ours() {
      const breaker = ourBreaker();
      await breakOpen(breaker);
      const retries: unknown[] = [];
      const policy = retry({ when: () => true, initialDelayMs: 10 });
      policy.on((event) => retries.push(event));
      await settledWith(wrap(policy, breaker).run(never), 100);
      return retries.length;
    },
    instead: 0,
  },
  {
    scenario: 'five calls that the caller withdrew: the state of the breaker',
    async theirs() {
      const breaker = theirBreaker(5);
      for (let calls = 0; calls < 5; calls++) {
        await breaker.execute(() => Promise.reject(new DOMException('gone', 'AbortError'))).catch(() => {});
      }
      return breaker.state === cockatiel.CircuitState.Open ? 'open' : 'closed';
    },
    sees: 'open',
    async ours() {
      const breaker = ourBreaker(5);
      for (let calls = 0; calls < 5; calls++) {
        const caller = new AbortController();
        const call = breaker.run(never, { signal: caller.signal });
        caller.abort();
        await call.catch(() => {});
      }
      return breaker.state;
    },
    instead: 'closed',
  },
  {
    scenario: 'a refusal by an open breaker: when to come back',
    async theirs() {
      const breaker = theirBreaker();
      await breakOpen(breaker);
      const error = await settledWith(breaker.execute(never), 0);
      return (error as { retryAfterMs?: number }).retryAfterMs;
    },
    sees: undefined,
    async ours() {
      const breaker = ourBreaker();
      await breakOpen(breaker);
      return ((await settledWith(breaker.run(never), 0)) as ToolError).retryAfterMs;
    },
    instead: 1_000,
  },
  {
    scenario: 'a listener that throws: what the caller gets',
    async theirs() {
      const policy = theirRetry(3, 10);
      policy.onSuccess(() => {
        throw new Error('broken listener');
      });
      return settledWith(
        policy.execute(() => 'result').catch((error: unknown) => (error as Error).message),
        100,
      );
    },
    sees: 'broken listener',
    async ours() {
      vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      const policy = ourRetry(3, 10);
      policy.on(() => {
        throw new Error('broken listener');
      });
      return settledWith(
        policy.run(({ attempt }) => (attempt === 1 ? failing() : 'result')),
        100,
      );
    },
    instead: 'result',
  },
  {
    scenario: 'an open breaker whose time is over, read without a call',
    async theirs() {
      const breaker = theirBreaker();
      await breakOpen(breaker);
      await pass(5_000);
      return breaker.state === cockatiel.CircuitState.Open ? 'open' : 'other';
    },
    sees: 'open',
    async ours() {
      const breaker = ourBreaker();
      await breakOpen(breaker);
      await pass(5_000);
      return breaker.state;
    },
    instead: 'half_open',
  },
  {
    scenario: 'a second call while a slow probe runs for 500 ms: when it is over',
    async theirs() {
      const breaker = theirBreaker();
      await breakOpen(breaker);
      await pass(1_000);
      const slow = breaker.execute(() => new Promise((resolve) => void setTimeout(resolve, 500)));
      const startedAt = Date.now();
      let overAt = 0;
      const second = breaker.execute(() => 'ran').finally(() => (overAt = Date.now() - startedAt));
      await pass(1_000);
      await Promise.allSettled([slow, second]);
      return overAt;
    },
    sees: 500,
    async ours() {
      const breaker = ourBreaker();
      await breakOpen(breaker);
      await pass(1_000);
      const slow = breaker.run(() => new Promise((resolve) => void setTimeout(resolve, 500)));
      const startedAt = Date.now();
      let overAt = 0;
      const second = breaker.run(() => 'ran').finally(() => (overAt = Date.now() - startedAt));
      await Promise.allSettled([second, pass(1_000)]);
      await slow;
      return overAt;
    },
    instead: 0,
  },
  {
    scenario: 'a function that ignores its signal under a cooperative limit of 30 ms',
    theirs: () =>
      settledWith(
        cockatiel
          .timeout(30, TimeoutStrategy.Cooperative)
          .execute(() => new Promise((resolve) => void setTimeout(() => resolve('late value'), 120))),
        500,
      ),
    sees: 'late value',
    ours: async () =>
      (
        (await settledWith(
          timeout({ limitMs: 30 }).run(
            () => new Promise((resolve) => void setTimeout(() => resolve('late value'), 120)),
          ),
          500,
        )) as ToolError
      ).code,
    instead: 'TIMEOUT',
  },
  {
    scenario: "a caller's abort under a time limit of 5 s: what it is called, and how many timeouts are told",
    async theirs() {
      const caller = new AbortController();
      const policy = cockatiel.timeout(5_000, TimeoutStrategy.Aggressive);
      let told = 0;
      policy.onTimeout(() => told++);
      const call = policy.execute(never, caller.signal);
      setTimeout(() => caller.abort(new Error('the caller left')), 20);
      return [((await settledWith(call, 100)) as Error).message, told];
    },
    sees: ['Operation timed out after 5000ms', 1],
    async ours() {
      const caller = new AbortController();
      const policy = timeout({ limitMs: 5_000 });
      let told = 0;
      policy.on(() => told++);
      const call = policy.run(never, { signal: caller.signal });
      setTimeout(() => caller.abort(new Error('the caller left')), 20);
      return [((await settledWith(call, 100)) as Error).message, told];
    },
    instead: ['the caller left', 0],
  },
  {
    scenario: 'an abort after 30 ms in the queue of a bulkhead that is busy for 200 ms: when it is over',
    async theirs() {
      const caller = new AbortController();
      const policy = cockatiel.bulkhead(1, 1);
      void policy.execute(() => new Promise((resolve) => void setTimeout(resolve, 200)));
      const startedAt = Date.now();
      let overAt = 0;
      void policy.execute(never, caller.signal).catch(() => (overAt = Date.now() - startedAt));
      await pass(30);
      caller.abort();
      await pass(1_000);
      return overAt;
    },
    sees: 200,
    async ours() {
      const caller = new AbortController();
      const policy = bulkhead({ concurrency: 1, queue: 1 });
      void policy.run(() => new Promise((resolve) => void setTimeout(resolve, 200)));
      const startedAt = Date.now();
      let overAt = 0;
      void policy.run(never, { signal: caller.signal }).catch(() => (overAt = Date.now() - startedAt));
      await pass(30);
      caller.abort();
      await pass(1_000);
      return overAt;
    },
    instead: 30,
  },
  {
    scenario: 'a probe that ends with an error that does not count',
    async theirs() {
      const breaker = cockatiel.circuitBreaker(
        cockatiel.handleWhen((error) => !(error instanceof RangeError)),
        { halfOpenAfter: 1_000, breaker: new ConsecutiveBreaker(1) },
      );
      await breakOpen(breaker);
      await pass(1_000);
      await breaker.execute(() => Promise.reject(new RangeError('no verdict'))).catch(() => {});
      return breaker.state === cockatiel.CircuitState.Closed ? 'closed' : 'other';
    },
    sees: 'closed',
    async ours() {
      const breaker = circuitBreaker({
        failures: 1,
        resetAfterMs: 1_000,
        resetJitter: 0,
        when: (error) => !(error instanceof RangeError),
      });
      await breakOpen(breaker);
      await pass(1_000);
      await breaker.run(() => Promise.reject(new RangeError('no verdict'))).catch(() => {});
      return breaker.state;
    },
    instead: 'half_open',
  },
  {
    scenario: 'what both do: a result after two failures, the order of a queue, the work behind an open breaker',
    async theirs() {
      const breaker = theirBreaker();
      await breakOpen(breaker);
      const refused = (await settledWith(breaker.execute(never), 0)) as Error;
      let runs = 0;
      const value = await settledWith(
        theirRetry(3, 10).execute(() => (++runs < 3 ? failing() : 'result')),
        100,
      );
      return [cockatiel.isBrokenCircuitError(refused), value, runs];
    },
    sees: [true, 'result', 3],
    async ours() {
      const breaker = ourBreaker();
      await breakOpen(breaker);
      const refused = await settledWith(breaker.run(never), 0);
      let runs = 0;
      const value = await settledWith(
        ourRetry(4, 10).run(() => (++runs < 3 ? failing() : 'result')),
        100,
      );
      return [refusalOf(refused) === 'circuit_breaker', value, runs];
    },
    instead: [true, 'result', 3],
  },
];

compare('compare.cockatiel', withCockatiel);

const withPRetry: readonly Row[] = [
  {
    scenario: 'an abort in the middle of a backoff',
    theirs: () =>
      abortedInBackoff((work, signal) => pRetry(work, { retries: 3, minTimeout: 400, maxTimeout: 400, signal })),
    sees: { runs: 1, overAt: 100 },
    ours: () => abortedInBackoff((work, signal) => ourRetry(4, 400).run(work, { signal })),
    instead: { runs: 1, overAt: 100 },
  },
  {
    scenario: 'a TypeError that the user says may be retried',
    theirs: () =>
      countThrown(
        () => new TypeError('flaky'),
        (work) => pRetry(work, { retries: 2, minTimeout: 10, shouldRetry: () => true }),
      ),
    sees: 1,
    ours: () =>
      countThrown(
        () => new TypeError('flaky'),
        (work) => retry({ when: () => true }).run(work),
      ),
    instead: 3,
  },
  {
    scenario: 'a bug: a RangeError of the function',
    theirs: () =>
      countThrown(
        () => new RangeError('a bug'),
        (work) => pRetry(work, { retries: 2, minTimeout: 10 }),
      ),
    sees: 3,
    ours: () =>
      countThrown(
        () => new RangeError('a bug'),
        (work) => retry({ initialDelayMs: 10 }).run(work),
      ),
    instead: 1,
  },
  {
    scenario: 'a service that asks for 700 ms before the next try: when that comes',
    theirs: () => secondTryAt((work) => pRetry(work, { retries: 1, minTimeout: 10 })),
    sees: 10,
    ours: () => secondTryAt((work) => ourRetry(2, 10).run(work)),
    instead: 700,
  },
  {
    scenario: 'a hundred failing calls with three attempts each: how many reach the service',
    theirs: () => ofAHundred((work) => pRetry(work, { retries: 2, minTimeout: 1, maxTimeout: 1 })),
    sees: 300,
    async ours() {
      const policy = ourRetry(3, 1);
      return ofAHundred((work) => policy.run(work));
    },
    instead: 120,
  },
  {
    scenario: 'the error that is left in the end is the last one, as it was',
    theirs: () => lastError((work) => pRetry(work, { retries: 2, minTimeout: 10 })),
    sees: 'down 3',
    ours: () => lastError((work) => ourRetry(3, 10).run(work)),
    instead: 'down 3',
  },
];

compare('compare.p-retry', withPRetry);
