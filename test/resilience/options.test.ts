// Every option of every policy, given wrongly: named at construction, with what is expected and what came.
import { describe, expect } from 'vitest';
import { bulkhead, circuitBreaker, fallback, policy, rateLimit, retry, timeout } from '../../src/resilience/index.ts';
import { verifies } from '../harness/verifies.ts';

type Bad = readonly [value: unknown, type: 'TypeError' | 'RangeError', expected: string];

const notAName: readonly Bad[] = [
  ['', 'TypeError', 'a non-empty string, got "" (string)'],
  [7, 'TypeError', 'a non-empty string, got 7 (number)'],
];
const notAFunction: readonly Bad[] = [
  ['yes', 'TypeError', 'a function, got "yes" (string)'],
  [null, 'TypeError', 'a function, got null'],
];
const notAClock: readonly Bad[] = [
  [{ now: () => 0 }, 'TypeError', 'an object with now() and setTimeout() and clearTimeout(), got an object'],
  [Date.now, 'TypeError', 'an object with now() and setTimeout() and clearTimeout(), got a function'],
];
const notBoolean: readonly Bad[] = [[1, 'TypeError', 'true or false, got 1 (number)']];
const notAPart: readonly Bad[] = [
  [true, 'TypeError', 'an object, or false, got true (boolean)'],
  [[], 'TypeError', 'an object, or false, got a list of 0'],
];

function notMs(min: number, orFalse = ''): Bad[] {
  const expected = `a number of milliseconds from ${min} to 2147483647${orFalse}`;
  return [
    ['1s', 'TypeError', `${expected}, got "1s" (string)`],
    [min - 1, 'RangeError', `${expected}, got ${min - 1} (number)`],
    [Number.NaN, 'RangeError', `${expected}, got NaN (number)`],
    [Number.POSITIVE_INFINITY, 'RangeError', `${expected}, got Infinity (number)`],
    [2 ** 31, 'RangeError', `${expected}, got 2147483648 (number)`],
  ];
}

function notWhole(min: number, max: number, orFalse = ''): Bad[] {
  const expected = `a whole number from ${min} to ${max}${orFalse}`;
  return [
    ['3', 'TypeError', `${expected}, got "3" (string)`],
    [min - 1, 'RangeError', `${expected}, got ${min - 1} (number)`],
    [1.5, 'RangeError', `${expected}, got 1.5 (number)`],
    [max + 1, 'RangeError', `${expected}, got ${max + 1} (number)`],
    [Number.NaN, 'RangeError', `${expected}, got NaN (number)`],
  ];
}

function notBetween(min: number, max: number): Bad[] {
  const expected = `a number from ${min} to ${max}`;
  return [
    [[], 'TypeError', `${expected}, got a list of 0`],
    [min - 0.001, 'RangeError', `${expected}, got ${min - 0.001} (number)`],
    [max + 1, 'RangeError', `${expected}, got ${max + 1} (number)`],
    [Number.NaN, 'RangeError', `${expected}, got NaN (number)`],
  ];
}

const common = { name: notAName, clock: notAClock, random: notAFunction };
const jitter: readonly Bad[] = [
  ['some', 'RangeError', 'one of "full", "equal", "decorrelated", "none", got "some" (string)'],
  [true, 'TypeError', 'one of "full", "equal", "decorrelated", "none", got true (boolean)'],
];
const retryOptions = {
  attempts: notWhole(1, 1_000),
  initialDelayMs: notMs(0),
  maxDelayMs: notMs(0),
  multiplier: notBetween(1, 1_000),
  jitter,
  deadlineMs: notMs(1),
  budget: notAPart,
  when: notAFunction,
};
const breakerOptions = {
  failures: notWhole(1, 1_000_000, ', or false'),
  window: notAPart,
  resetAfterMs: notMs(1),
  resetMultiplier: notBetween(1, 1_000),
  maxResetAfterMs: notMs(1),
  resetJitter: notBetween(0, 1),
  probes: notWhole(1, 1_000_000),
  probeTimeoutMs: notMs(1),
  critical: notBoolean,
  when: notAFunction,
};
const bulkheadOptions = { concurrency: notWhole(1, 1_000_000), queue: notWhole(0, 1_000_000) };
const rateLimitOptions = { permits: notWhole(1, 1_000_000_000), perMs: notMs(1), maxKeys: notWhole(1, 1_000_000) };
const budgetOptions = { ratio: notBetween(0, 10), min: notWhole(0, 1_000_000), perMs: notMs(1) };
const windowOptions = {
  durationMs: notMs(10),
  calls: notWhole(1, 1_000_000),
  minimumCalls: notWhole(1, 1_000_000),
  failureRatio: notBetween(0.001, 1),
  slowMs: notMs(1),
  slowRatio: notBetween(0.001, 1),
};

/** A function with options: its name in messages, how it is called, and what is wrong for each option, in their order. */
type Row = readonly [fn: string, make: (options: never) => unknown, options: Record<string, readonly Bad[]>];

const rows: readonly Row[] = [
  ['retry', retry, { ...common, ...retryOptions, failOn: notAFunction }],
  ['retry: budget', (budget) => retry({ budget }), budgetOptions],
  ['circuitBreaker', circuitBreaker, { ...common, ...breakerOptions, failOn: notAFunction }],
  ['circuitBreaker: window', (window) => circuitBreaker({ window }), windowOptions],
  ['timeout', (options: object) => timeout({ limitMs: 1, ...options }), { ...common, limitMs: notMs(1) }],
  ['bulkhead', bulkhead, { ...common, ...bulkheadOptions }],
  ['rateLimit', (options: object) => rateLimit({ permits: 1, ...options }), { ...common, ...rateLimitOptions }],
  [
    'fallback',
    (options) => fallback('x', options),
    { ...common, when: notAFunction, failOn: notAFunction, enabled: notBoolean },
  ],
  [
    'policy "p"',
    (options) => policy('p', options),
    {
      timeoutMs: notMs(1, ', or false'),
      attemptTimeoutMs: notMs(1, ', or false'),
      retry: notAPart,
      breaker: notAPart,
      bulkhead: notAPart,
      rateLimit: notAPart,
      fallback: [],
      failOn: notAFunction,
      clock: notAClock,
      random: notAFunction,
    },
  ],
  ['policy "p": retry', (options) => policy('p', { retry: options }), retryOptions],
  ['policy "p": retry: budget', (budget) => policy('p', { retry: { budget } }), budgetOptions],
  ['policy "p": breaker', (options) => policy('p', { breaker: options }), breakerOptions],
  ['policy "p": breaker: window', (window) => policy('p', { breaker: { window } }), windowOptions],
  ['policy "p": bulkhead', (options) => policy('p', { bulkhead: options }), bulkheadOptions],
  [
    'policy "p": rateLimit',
    (options: object) => policy('p', { rateLimit: { permits: 1, ...options } }),
    rateLimitOptions,
  ],
];

function errorOf(attempt: () => unknown): unknown {
  try {
    attempt();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each(rows)('%s', (fn, make, options) => {
  verifies('policy.bad-option', () => {
    for (const [option, bad] of Object.entries(options)) {
      for (const [value, type, expected] of bad) {
        const error = errorOf(() => make({ [option]: value } as never));
        expect(error, `${fn}: ${option}`).toBeInstanceOf(type === 'TypeError' ? TypeError : RangeError);
        expect((error as Error).name).toBe(type);
        expect((error as Error).message).toBe(`${fn}: option "${option}" must be ${expected}`);
      }
    }
    // the table above is whole: these are all options that there are
    expect(errorOf(() => make({ nonsense: 1 } as never))).toMatchObject({
      name: 'TypeError',
      message: `${fn}: unknown option "nonsense"; known options: ${Object.keys(options).join(', ')}`,
    });
  });
});

describe('no options at all', () => {
  verifies('policy.bad-option', () => {
    const missing: [() => unknown, string][] = [
      [
        () => timeout({} as never),
        'timeout: option "limitMs" must be a number of milliseconds from 1 to 2147483647, got undefined (undefined)',
      ],
      [() => timeout(undefined as never), 'timeout: option "limitMs" must be a number of milliseconds'],
      [
        () => rateLimit({} as never),
        'rateLimit: option "permits" must be a whole number from 1 to 1000000000, got undefined (undefined)',
      ],
      [() => policy('p', { rateLimit: {} as never }), 'policy "p": rateLimit: option "permits" must be'],
      [() => policy(''), 'policy: option "name" must be a non-empty string, got "" (string)'],
      [() => policy(undefined as never), 'policy: option "name" must be a non-empty string, got undefined (undefined)'],
      [() => retry([] as never), 'retry: options must be an object, got a list of 0'],
      [() => policy('p', 'fast' as never), 'policy "p": options must be an object, got "fast" (string)'],
    ];
    for (const [attempt, message] of missing)
      expect((errorOf(attempt) as Error | undefined)?.message).toContain(message);
  });
});
