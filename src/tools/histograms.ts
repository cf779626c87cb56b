// Histograms of OpenTelemetry as an agent reads them: exact count and sum, quantiles as far as the buckets tell. Pure.
import type { HistogramPoint } from '../state/sources.ts';
import type { Summary } from '../stats/distribution.ts';

/** All points of a histogram in one summary. */
export function summaryOf(points: readonly HistogramPoint[]): Summary {
  const count = points.reduce((sum, point) => sum + point.count, 0);
  const sums = points.map(({ sum }) => sum).filter((sum) => sum !== undefined);
  const sum = sums.reduce((total, each) => total + each, 0);
  const known = points.filter((point) => point.count > 0);
  const min = leastOf(known.map((point) => point.min));
  const max = leastOf(known.map((point) => (point.max === undefined ? undefined : -point.max)));
  const merged = mergedBuckets(known);
  const quantile = (share: number) =>
    merged === undefined ? undefined : quantileOf(merged, share, min, max === undefined ? undefined : -max);
  return {
    count,
    sum,
    avg: count === 0 || sums.length < points.length ? undefined : sum / count,
    min,
    max: max === undefined ? undefined : -max,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
  };
}

interface Buckets {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

// Points of one instrument have the same bounds, unless they are exponential: then there is no common answer.
function mergedBuckets(points: readonly HistogramPoint[]): Buckets | undefined {
  const [first, ...others] = points;
  if (first === undefined) return undefined;
  const counts = [...first.counts];
  for (const { bounds, counts: more } of others) {
    if (bounds.length !== first.bounds.length || bounds.some((bound, at) => bound !== first.bounds[at]))
      return undefined;
    more.forEach((count, at) => (counts[at] = (counts[at] ?? 0) + count));
  }
  return { bounds: first.bounds, counts };
}

// By a straight line within the bucket, as Prometheus does; the least and greatest value narrow the outer ones.
function quantileOf({ bounds, counts }: Buckets, share: number, min?: number, max?: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = share * total;
  let below = 0;
  for (const [at, count] of counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const from = Math.max(bounds[at - 1] ?? min ?? 0, min ?? Number.NEGATIVE_INFINITY);
      const to = Math.min(bounds[at] ?? max ?? from, max ?? Number.POSITIVE_INFINITY);
      return from + (Math.max(to, from) - from) * ((rank - below) / count);
    }
    below += count;
  }
  return max ?? bounds.at(-1);
}

function leastOf(values: readonly (number | undefined)[]): number | undefined {
  let least: number | undefined;
  for (const value of values) {
    if (value === undefined) return undefined;
    if (least === undefined || value < least) least = value;
  }
  return least;
}
