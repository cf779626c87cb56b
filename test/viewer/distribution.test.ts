// Metrics over time: increases, resets, deltas, quantiles of every kind of histogram.
import { describe, expect } from 'vitest';
import { metricView } from '../../src/viewer/api/metrics.ts';
import { encodeMessage } from '../../src/viewer/otlp/encode.ts';
import { REQUESTS } from '../../src/viewer/otlp/schema.ts';
import { difference, quantile, sum, type Distribution } from '../../src/viewer/store/distribution.ts';
import { Store } from '../../src/viewer/store/store.ts';
import { verifies } from '../harness/verifies.ts';
import { keyValues, metricsBody, nanos, numbersBody } from './otlp-bodies.ts';

const NOW = 1_800_000_000_000;
const window = { fromMs: NOW, toMs: NOW + 60_000 };

function view(name: string, bodies: readonly object[], bins = 6) {
  const store = new Store({ now: () => NOW });
  for (const body of bodies) store.add('metrics', encodeMessage(REQUESTS.metrics, body));
  const instrument = store.metrics.instruments.get(name);
  if (instrument === undefined) throw new Error(`no ${name}`);
  return metricView(instrument, window, bins);
}

const at = (seconds: number) => NOW + seconds * 1_000;
const close = (value: number | null | undefined) => Math.round((value ?? Number.NaN) * 1_000) / 1_000;

describe('metrics', () => {
  verifies('store.metrics', () => {
    const counted = (points: readonly (readonly [number, number])[], more = {}) =>
      view('c', [
        numbersBody(
          'c',
          'sum',
          points.map(([second, value]) => ({ timeMs: at(second), startMs: NOW - 3_600_000, value })),
          more,
        ),
      ]);
    const grown = counted([
      [0, 100],
      [5, 110],
      [15, 130],
      [25, 5],
      [35, 7],
    ]);
    expect(grown.meaning).toBe('per second');
    // 10 in the first ten seconds, 20 in the next, 5 after a reset, then 2
    expect(grown.series[0]?.value).toEqual([1, 2, 0.5, 0.2, null, null]);
    const delta = counted(
      [
        [0, 100],
        [5, 10],
        [15, 30],
      ],
      { aggregationTemporality: 1 },
    );
    expect(delta.series[0]?.value).toEqual([11, 3, null, null, null, null]);
    const level = counted(
      [
        [5, 4],
        [8, 3],
        [25, 9],
      ],
      { isMonotonic: false },
    );
    expect(level).toMatchObject({ meaning: 'value', series: [{ value: [3, null, 9, null, null, null], latest: 9 }] });
    const levelOfDeltas = counted(
      [
        [5, 4],
        [25, -1],
      ],
      { isMonotonic: false, aggregationTemporality: 1 },
    );
    expect(levelOfDeltas.series[0]?.value).toEqual([4, null, 3, null, null, null]);
    const gauge = view('g', [numbersBody('g', 'gauge', [{ timeMs: at(1), value: 2.5 }])]);
    expect(gauge.series[0]?.value[0]).toBe(2.5);
  });

  verifies(
    'store.metrics',
    () => {
      const fresh = view('c', [numbersBody('c', 'sum', [{ timeMs: at(5), startMs: at(-5), value: 30 }])]);
      expect(fresh.series[0]?.value[0]).toBe(3);
      const old = view('c', [numbersBody('c', 'sum', [{ timeMs: at(5), startMs: at(-9_000), value: 30 }])]);
      expect(old.series[0]?.value[0]).toBeNull();
      const two = [0, 20].flatMap((second) =>
        ['a', 'b'].map((tool) =>
          numbersBody('c', 'sum', [
            { timeMs: at(second), startMs: at(-9_000), value: second * 2, attributes: { tool } },
          ]),
        ),
      );
      const together = view('c', two);
      expect(together.series.map(({ attributes }) => attributes['tool'])).toEqual([undefined, 'a', 'b']);
      expect(together.series[0]?.value[2]).toBe(8);
    },
    'a first point counts where its series has just begun, and series are added up',
  );

  verifies(
    'store.metrics',
    () => {
      const point = (second: number, counts: readonly number[], total: number) =>
        metricsBody([
          {
            name: 'h',
            unit: 's',
            histogram: {
              aggregationTemporality: 2,
              dataPoints: [
                {
                  timeUnixNano: nanos(at(second)),
                  startTimeUnixNano: nanos(at(-9_000)),
                  count: String(counts.reduce((a, b) => a + b, 0)),
                  sum: total,
                  bucketCounts: counts.map(String),
                  explicitBounds: [1, 2, 4],
                  attributes: keyValues({ tool: 'x' }),
                  exemplars: [
                    { timeUnixNano: nanos(at(second)), asDouble: 3, traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) },
                  ],
                },
              ],
            },
          },
        ]);
      const { series, meaning, exemplars } = view('h', [point(0, [1, 0, 0, 0], 1), point(15, [1, 10, 10, 0], 46)]);
      expect(meaning).toBe('mean');
      expect(close(series[0]?.value[1])).toBe(2.25);
      expect(close(series[0]?.p50?.[1])).toBe(2);
      expect(close(series[0]?.p95?.[1])).toBe(3.8);
      expect(exemplars).toHaveLength(2);
      expect(exemplars[0]).toMatchObject({ value: 3, traceId: 'ab'.repeat(16) });
    },
    'histograms with their exemplars',
  );

  verifies(
    'store.metrics',
    () => {
      const summary = metricsBody([
        {
          name: 's',
          summary: {
            dataPoints: [
              {
                timeUnixNano: nanos(at(5)),
                startTimeUnixNano: nanos(at(-1)),
                count: '4',
                sum: 10,
                quantileValues: [
                  { quantile: 0.5, value: 2 },
                  { quantile: 0.99, value: 7 },
                ],
              },
            ],
          },
        },
      ]);
      const { series } = view('s', [summary]);
      expect(series[0]).toMatchObject({
        p50: [2, null, null, null, null, null],
        p95: expect.arrayContaining([null]) as unknown,
      });
      expect(series[0]?.p99?.[0]).toBe(7);
      expect(series[0]?.value[0]).toBe(2.5);
    },
    'summaries',
  );
});

describe('distributions', () => {
  const exponential = (scale: number, offset: number, counts: readonly number[], zero = 0): Distribution => ({
    count: counts.reduce((a, b) => a + b, zero),
    sum: 1,
    exponential: { scale, zero, offset, counts, negativeOffset: 0, negativeCounts: [] },
  });

  verifies(
    'store.metrics',
    () => {
      // scale 0: buckets (1, 2], (2, 4], (4, 8]
      const fine = exponential(0, 0, [0, 100, 0]);
      expect(quantile(fine, 0.5)).toBe(3);
      expect(quantile(exponential(0, 0, [1], 99), 0.5)).toBe(0);
      // four buckets of scale 1 are two of scale 0
      const merged = sum(exponential(1, 0, [1, 2, 3, 4]), exponential(0, 1, [10]));
      expect(merged.exponential).toMatchObject({ scale: 0, offset: 0, counts: [3, 17] });
      expect(difference(exponential(0, 0, [5, 5]), exponential(0, 0, [2, 1])).exponential?.counts).toEqual([3, 4]);
      // begun anew: nothing is taken off
      expect(difference(exponential(0, 0, [1]), exponential(0, 0, [9])).exponential?.counts).toEqual([1]);
      // odd offsets below zero belong to the bucket below
      expect(sum(exponential(1, -3, [1, 1]), exponential(0, -2, [0])).exponential).toMatchObject({
        offset: -2,
        counts: [1, 1],
      });
      // what lies too far apart is not put into a list between
      expect(sum(exponential(5, -1_000_000, [1]), exponential(5, 1_000_000, [1])).exponential?.counts).toEqual([1]);
      expect(quantile({ count: 0, sum: 0 }, 0.5)).toBeUndefined();
      const negative: Distribution = {
        count: 2,
        sum: -6,
        exponential: { scale: 0, zero: 0, offset: 0, counts: [], negativeOffset: 1, negativeCounts: [2] },
      };
      expect(quantile(negative, 0.5)).toBe(-3);
    },
    'exponential ones of different scales',
  );
});
