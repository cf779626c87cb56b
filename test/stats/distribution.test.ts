// Distributions of durations, held against the exact figures of the same values.
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { Distribution } from '../../src/stats/distribution.ts';
import { verifies } from '../harness/verifies.ts';

const MIN_MS = 0.1;
const MAX_MS = 300_000;
const COUNT = 1_000_000;

// a generator of our own, so that a failure can be repeated
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

const next = random(20_261_124);
const within = (value: number) => Math.min(MAX_MS, Math.max(MIN_MS, value));
const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());

const DISTRIBUTIONS: Readonly<Record<string, () => number>> = {
  uniform: () => MIN_MS + next() * (MAX_MS - MIN_MS),
  'log-uniform': () => MIN_MS * (MAX_MS / MIN_MS) ** next(),
  exponential: () => within(-Math.log(next()) * 25),
  'log-normal': () => within(Math.exp(3 + 1.5 * normal())),
  'two peaks': () => within(next() < 0.9 ? 2 + 0.2 * normal() : 30_000 + 2_000 * normal()),
};

const exact = (sorted: Float64Array, share: number) =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;

describe('a distribution', () => {
  for (const [name, value] of Object.entries(DISTRIBUTIONS)) {
    verifies(
      'stats.quantiles',
      () => {
        const values = Float64Array.from({ length: COUNT }, value);
        const distribution = new Distribution();
        for (const each of values) distribution.record(each);
        const sorted = values.toSorted();
        for (const share of [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999]) {
          const error = (distribution.quantile(share) as number) / exact(sorted, share) - 1;
          expect(Math.abs(error), `p${share * 100}`).toBeLessThan(0.01);
        }
        expect(distribution.quantile(0)).toBe(sorted[0]);
        expect(distribution.quantile(1)).toBe(sorted.at(-1));
        const { count, min, max } = distribution.summary();
        expect({ count, min, max }).toEqual({ count: COUNT, min: sorted[0], max: sorted.at(-1) });
      },
      `10^6 values, ${name}`,
    );
  }

  verifies('stats.exact', () =>
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 200 }),
        (values) => {
          const distribution = new Distribution();
          for (const value of values) distribution.record(value);
          const { count, sum, min, max, avg } = distribution.summary();
          const total = values.reduce((a, b) => a + b, 0);
          expect({ count, sum, min, max, avg }).toEqual({
            count: values.length,
            sum: total,
            min: Math.min(...values),
            max: Math.max(...values),
            avg: total / values.length,
          });
        },
      ),
    ),
  );

  verifies(
    'stats.exact',
    () => {
      const distribution = new Distribution();
      expect(distribution.summary()).toEqual({ count: 0, sum: 0 });
      for (const odd of [Number.NaN, -5, 0, 1e-9]) distribution.record(odd);
      expect(distribution.summary()).toMatchObject({ count: 4, min: 0, max: 1e-9, p50: 0.000_000_001 });
      distribution.record(Number.POSITIVE_INFINITY);
      distribution.record(1e12);
      expect(distribution.summary().max).toBe(Number.POSITIVE_INFINITY);
      expect(distribution.count).toBe(6);
    },
    'nothing, no numbers, and what lies outside',
  );

  verifies('stats.merge', () =>
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ min: 0, max: 600_000, noNaN: true }), { maxLength: 50 }), { maxLength: 5 }),
        (groups) => {
          const merged = new Distribution();
          const whole = new Distribution();
          for (const group of groups) {
            const part = new Distribution();
            for (const value of group) {
              part.record(value);
              whole.record(value);
            }
            merged.add(part);
          }
          expect({ ...merged.summary(), sum: 0, avg: 0 }).toEqual({ ...whole.summary(), sum: 0, avg: 0 });
          expect(merged.sum).toBeCloseTo(whole.sum, 3);
        },
      ),
    ),
  );

  verifies(
    'stats.merge',
    () => {
      const distribution = new Distribution();
      for (let index = 0; index < 300_000; index++) distribution.record(7);
      for (let index = 0; index < 100_000; index++) distribution.record(900);
      const doubled = new Distribution();
      doubled.add(distribution);
      doubled.add(distribution);
      expect(doubled.count).toBe(800_000);
      // the counters are of 16 bits: what is beyond them counts too
      expect(doubled.quantile(0.74)).toBeCloseTo(7, 0);
      expect(doubled.quantile(0.76)).toBeGreaterThan(890);
      doubled.clear();
      expect(doubled.summary()).toEqual({ count: 0, sum: 0 });
      doubled.record(3);
      expect(doubled.quantile(0.5)).toBe(3);
    },
    'beyond the size of a counter',
  );
});
