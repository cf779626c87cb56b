// Collected metrics in the shape that the agent's tools know. Loads no SDK: the values of its enums are written out.
import type { DataPoint, MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { HistogramPoint, MetricPoint, MetricSnapshot } from '../state/sources.ts';

// DataPointType of the SDK
const HISTOGRAM = 0;
const EXPONENTIAL_HISTOGRAM = 1;
const SUM = 3;

interface ExponentialBuckets {
  readonly offset: number;
  readonly bucketCounts: readonly number[];
}

interface AnyHistogram {
  readonly count: number;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
}

/** Every metric of a collection; one that several scopes have stands there once for each. */
export function metricSnapshots(scopes: readonly ScopeMetrics[]): MetricSnapshot[] {
  return scopes.flatMap(({ metrics }) => metrics.map(snapshotOf));
}

function snapshotOf(metric: MetricData): MetricSnapshot {
  const { name, unit, description } = metric.descriptor;
  const type = metric.dataPointType as number;
  const points = metric.dataPoints as readonly DataPoint<unknown>[];
  if (type === HISTOGRAM || type === EXPONENTIAL_HISTOGRAM) {
    const read = type === HISTOGRAM ? explicitHistogram : exponentialHistogram;
    return {
      name,
      type: 'histogram',
      unit,
      description,
      points: points.map(({ attributes, value }) => ({ labels: attributes, histogram: read(value as AnyHistogram) })),
    };
  }
  const counts = type === SUM && (metric as { isMonotonic?: boolean }).isMonotonic === true;
  return {
    name,
    type: counts ? 'counter' : 'gauge',
    unit,
    description,
    points: points.map(({ attributes, value }): MetricPoint => ({ labels: attributes, value: value as number })),
  };
}

function explicitHistogram(value: AnyHistogram): HistogramPoint {
  const { boundaries, counts } = (value as { buckets?: { boundaries: number[]; counts: number[] } }).buckets ?? {
    boundaries: [],
    counts: [value.count],
  };
  return { ...exactFigures(value), bounds: boundaries, counts };
}

// https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram: bucket i is (base^i, base^(i+1)]
function exponentialHistogram(value: AnyHistogram): HistogramPoint {
  const { scale, zeroCount, positive, negative } = value as unknown as {
    readonly scale: number;
    readonly zeroCount: number;
    readonly positive: ExponentialBuckets;
    readonly negative: ExponentialBuckets;
  };
  const base = 2 ** (2 ** -scale);
  const below = negative.bucketCounts.map((_, index) => -(base ** (negative.offset + index))).toReversed();
  const above = positive.bucketCounts.map((_, index) => base ** (positive.offset + index + 1));
  return {
    ...exactFigures(value),
    bounds: [...below, 0, ...above],
    counts: [...negative.bucketCounts.toReversed(), zeroCount, ...positive.bucketCounts, 0],
  };
}

// The SDK says infinite extremes where it has none.
function exactFigures({ count, sum, min, max }: AnyHistogram): Omit<HistogramPoint, 'bounds' | 'counts'> {
  const finite = (value: number | undefined) => (count > 0 && Number.isFinite(value) ? value : undefined);
  return { count, sum, min: finite(min), max: finite(max) };
}
