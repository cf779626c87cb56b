// Windows of time over the ends of operations: what they hold, how much they take.
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { coveredMs, endOf, Series, WINDOWS, type WindowName } from '../../src/stats/series.ts';
import { OTHER_SERIES, ServerStats } from '../../src/stats/server-stats.ts';
import { usedBytes } from '../harness/memory.ts';
import { verifies } from '../harness/verifies.ts';

const OK = endOf('ok', undefined, 'none');
const FAILED = endOf('tool_error', 'TIMEOUT', 'failure');
const WRONG = endOf('tool_error', 'VALIDATION_ERROR', 'mistake');
const LENGTH_MS: Readonly<Record<WindowName, number>> = {
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  start: Number.POSITIVE_INFINITY,
};

const counts = (series: Series, at: number) => WINDOWS.map((window) => series.read(window, at).count);

describe('windows', () => {
  verifies('stats.windows', () => {
    const series = new Series();
    series.record(OK, 5, 0);
    series.record(FAILED, 7, 1_000);
    expect(counts(series, 1_000)).toEqual([2, 2, 2, 2]);
    expect(counts(series, 50_000)).toEqual([2, 2, 2, 2]);
    expect(counts(series, 60_000)).toEqual([0, 2, 2, 2]);
    expect(counts(series, 300_000)).toEqual([0, 0, 2, 2]);
    expect(counts(series, 900_000)).toEqual([0, 0, 0, 2]);
    series.record(OK, 9, 900_000);
    expect(counts(series, 900_000)).toEqual([1, 1, 1, 3]);
    // an idle week later nothing old comes back
    expect(counts(series, 604_800_000)).toEqual([0, 0, 0, 3]);
    expect(series.read('start', 604_800_000).durations.summary()).toMatchObject({ count: 3, sum: 21, min: 5, max: 9 });
  });

  verifies(
    'stats.windows',
    () =>
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(120_000), fc.constantFrom(OK, FAILED, WRONG)), { maxLength: 60 }),
          (steps) => {
            const series = new Series();
            const ends: { at: number; blame: string }[] = [];
            let now = 0;
            for (const [wait, end] of steps) {
              now += wait;
              series.record(end, 1, now);
              ends.push({ at: now, blame: end.blame });
              for (const window of WINDOWS) {
                const since = now - coveredMs(window, 0, now);
                const expected = ends.filter(({ at }) => at >= since);
                const tally = series.read(window, now);
                expect(tally.count).toBe(expected.length);
                const failures = expected.filter(({ blame }) => blame === 'failure').length;
                expect(tally.blamed('failure')).toBe(failures);
                const mistakes = expected.filter(({ blame }) => blame === 'mistake').length;
                expect(series.counts(window, now)).toEqual({ count: expected.length, failures, mistakes });
                // never more than the window, and of the short ones at least three quarters
                expect(now - since).toBeLessThanOrEqual(LENGTH_MS[window]);
                if (now > LENGTH_MS[window]) expect(now - since).toBeGreaterThanOrEqual(LENGTH_MS[window] * 0.75);
              }
            }
          },
        ),
        { numRuns: 200 },
      ),
    'any traffic against a list of all ends',
  );

  verifies('stats.clock', () => {
    const series = new Series();
    series.record(OK, 1, 100_000);
    // a reading taken before that is told after it
    series.record(FAILED, 1, 70_000);
    expect(counts(series, 100_000)).toEqual([2, 2, 2, 2]);
    expect(series.read('1m', 40_000).count).toBe(2);
    series.record(OK, 1, 161_000);
    expect(counts(series, 161_000)).toEqual([1, 3, 3, 3]);
  });

  verifies('stats.memory', () => {
    const many = 40;
    const take = (duration: () => number, calls: number, everyMs: number) => {
      const all: Series[] = [];
      const before = usedBytes();
      for (let index = 0; index < many; index++) {
        const series = new Series();
        for (let call = 0; call < calls; call++)
          series.record(call % 9 === 0 ? FAILED : OK, duration(), call * everyMs);
        all.push(series);
      }
      const bytes = (usedBytes() - before) / many;
      expect(all.every((series) => series.read('start', 0).count === calls)).toBe(true);
      return bytes;
    };
    // every bucket of every slice in use
    expect(take(() => 0.001 * 2 ** (Math.random() * 29), 30_000, 40)).toBeLessThan(64 * 1_024);
    expect(take(() => 5 + Math.random(), 2, 20_000)).toBeLessThan(8 * 1_024);
  });
});

describe('the figures of a server', () => {
  verifies('stats.bounded', () => {
    const stats = new ServerStats(0);
    let now = 0;
    const calls = (count: number) => {
      for (let call = 0; call < count; call++) {
        now += 0.5;
        const series = stats.series('in', `tools/call tool ${call % 10_000}`);
        stats.record(series, true, call % 50 === 0 ? FAILED : OK, 1 + (call % 1_000), now);
      }
    };
    calls(2_000_000);
    const before = usedBytes();
    calls(3_000_000);
    const grown = usedBytes() - before;
    expect(grown).toBeLessThan(2_000_000);
    const all = [...stats];
    expect(all.length).toBe(201);
    const total = all.reduce((sum, { series }) => sum + series.read('start', now).count, 0);
    expect(total).toBe(5_000_000);
    expect(stats.calls.read('start', now).count).toBe(5_000_000);
    expect(all.find(({ operation }) => operation === OTHER_SERIES)?.series.read('start', now).count).toBe(4_900_000);
  });
});
