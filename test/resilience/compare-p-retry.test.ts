// The same scenarios with p-retry 9 and with toolspan. Where the two differ, the difference is the reason for a rule of ours.
import pRetry from 'p-retry';
import { ToolError } from '../../src/errors/tool-error.ts';
import { retry } from '../../src/resilience/index.ts';
import { abortedInBackoff, compare, failing, ourRetry, pass, settledWith, type Row } from '../harness/scenarios.ts';

const rows: readonly Row[] = [
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
    theirs: () => countTypeErrors((work) => pRetry(work, { retries: 2, minTimeout: 10, shouldRetry: () => true })),
    sees: 1,
    ours: () => countTypeErrors((work) => retry({ when: () => true }).run(work)),
    instead: 3,
  },
  {
    scenario: 'a bug: a RangeError of the function',
    theirs: () => countRangeErrors((work) => pRetry(work, { retries: 2, minTimeout: 10 })),
    sees: 3,
    ours: () => countRangeErrors((work) => retry({ initialDelayMs: 10 }).run(work)),
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

async function countThrown(make: () => Error, start: (work: () => Promise<never>) => Promise<unknown>) {
  let runs = 0;
  start(() => {
    runs++;
    return Promise.reject(make());
  }).catch(() => {});
  await pass(10_000);
  return runs;
}

const countTypeErrors = countThrown.bind(undefined, () => new TypeError('flaky'));
const countRangeErrors = countThrown.bind(undefined, () => new RangeError('a bug'));

async function secondTryAt(start: (work: () => Promise<never>) => Promise<unknown>): Promise<number | undefined> {
  const startedAt = Date.now();
  const tries: number[] = [];
  start(() => {
    tries.push(Date.now() - startedAt);
    return Promise.reject(new ToolError('RATE_LIMIT_EXCEEDED', 'slow down', { retryAfterMs: 700 }));
  }).catch(() => {});
  await pass(10_000);
  return tries[1];
}

async function ofAHundred(start: (work: () => Promise<never>) => Promise<unknown>): Promise<number> {
  let reached = 0;
  const work = () => {
    reached++;
    return failing();
  };
  const calls = Array.from({ length: 100 }, () => start(work).catch(() => {}));
  await pass(1_000);
  await Promise.all(calls);
  return reached;
}

async function lastError(start: (work: () => Promise<never>) => Promise<unknown>): Promise<string> {
  let runs = 0;
  const call = start(() => Promise.reject(new ToolError('UNAVAILABLE', `down ${++runs}`)));
  return ((await settledWith(call, 10_000)) as Error).message;
}

compare('compare.p-retry', rows);
