// What policies cost a call that succeeds, beside cockatiel's of the same kind, in one process and in turns.
import * as cockatiel from 'cockatiel';
import { policy, retry, circuitBreaker, wrap } from '../src/resilience/index.ts';
import { median } from './median.ts';

/** The cost of one variant. */
export interface PolicyCost {
  readonly variant: string;
  /** CPU time of a call, in µs, the median over the rounds. */
  readonly micros: number;
  /** To the variant it is compared with, taken within a round, the median over the rounds. */
  readonly ratio: number;
  readonly against: string;
}

const CALLS = 20_000;
const WARM_UP = 5;

type Call = () => Promise<unknown>;

const work = () => Promise.resolve(1);
const usesSignal = ({ signal }: { readonly signal: AbortSignal }) => Promise.resolve(signal.aborted);

const { handleAll, ConsecutiveBreaker, TimeoutStrategy } = cockatiel;
const theirBreaker = () =>
  cockatiel.circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker: new ConsecutiveBreaker(5) });
const theirSampling = () =>
  cockatiel.circuitBreaker(handleAll, {
    halfOpenAfter: 30_000,
    breaker: new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 30_000, minimumRps: 1 }),
  });
const theirRetry = () => cockatiel.retry(handleAll, { maxAttempts: 2, backoff: new cockatiel.ExponentialBackoff() });
const theirTwo = cockatiel.wrap(theirRetry(), theirBreaker());
const theirTwoSampling = cockatiel.wrap(theirRetry(), theirSampling());
const theirFour = cockatiel.wrap(
  cockatiel.timeout(30_000, TimeoutStrategy.Aggressive),
  cockatiel.bulkhead(25, 0),
  theirRetry(),
  theirBreaker(),
);
const ourTwo = wrap(retry(), circuitBreaker());
const ourTwoConsecutive = wrap(retry(), circuitBreaker({ window: false }));
const ourFour = policy('bench', { timeoutMs: 30_000, attemptTimeoutMs: false, bulkhead: {}, breaker: {}, retry: {} });

const variants: readonly (readonly [name: string, call: Call, against: string])[] = [
  ['plain async call', async () => work(), 'plain async call'],
  ['cockatiel: retry, breaker (in a row)', () => theirTwo.execute(work), 'plain async call'],
  ['cockatiel: retry, breaker (window)', () => theirTwoSampling.execute(work), 'plain async call'],
  ['toolspan: wrap(retry, breaker), as it comes', () => ourTwo.run(work), 'cockatiel: retry, breaker (in a row)'],
  [
    'toolspan: wrap(retry, breaker), in a row only',
    () => ourTwoConsecutive.run(work),
    'cockatiel: retry, breaker (in a row)',
  ],
  ['cockatiel: timeout, bulkhead, retry, breaker', () => theirFour.execute(work), 'plain async call'],
  ['toolspan: policy with these four', () => ourFour.run(work), 'cockatiel: timeout, bulkhead, retry, breaker'],
  ['cockatiel: the four, signal used', () => theirFour.execute(usesSignal), 'plain async call'],
  ['toolspan: the four, signal used', () => ourFour.run(usesSignal), 'cockatiel: the four, signal used'],
];

/** Measures all variants in turns. */
export async function policyCosts(rounds: number): Promise<PolicyCost[]> {
  const taken = new Map<string, number[]>(variants.map(([name]) => [name, []]));
  for (let round = 0; round < rounds + WARM_UP; round++) {
    for (let index = 0; index < variants.length; index++) {
      const [name, call] = variants[(index + round) % variants.length] ?? ['', work];
      const micros = (await spend(call)) / CALLS;
      if (round >= WARM_UP) taken.get(name)?.push(micros);
    }
  }
  return variants.map(([variant, , against]) => {
    const own = taken.get(variant) ?? [];
    const other = taken.get(against) ?? [];
    const ratios = own.map((micros, round) => micros / (other[round] ?? Number.NaN));
    return { variant, micros: median(own), ratio: median(ratios), against };
  });
}

async function spend(call: Call): Promise<number> {
  globalThis.gc?.();
  const before = process.cpuUsage();
  for (let left = CALLS; left > 0; left--) await call();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
