// Aggregates the duration of operations itself: the SDK sorts and stringifies the labels of every measurement, which costs
// more than all the rest of it. Labels of one kind and outcome are one object here, so its identity is the first key, and its
// content, worked out once, the second: servers with providers of their own have labels of their own.
import {
  ValueType,
  type Attributes,
  type Histogram,
  type HrTime,
  type MeterProvider,
  type MetricOptions,
} from '@opentelemetry/api';
import { hrTime, type InstrumentationScope } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type CollectionResult,
  type DataPoint,
  type Histogram as HistogramValue,
  type HistogramMetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { SCOPE_NAME } from '../telemetry/names.ts';
import { METRIC_MCP_CLIENT_OPERATION_DURATION, METRIC_MCP_SERVER_OPERATION_DURATION } from '../telemetry/semconv.ts';
import { VERSION } from '../version.ts';

const AGGREGATED = new Set([METRIC_MCP_CLIENT_OPERATION_DURATION, METRIC_MCP_SERVER_OPERATION_DURATION]);
const SCOPE: InstrumentationScope = { name: SCOPE_NAME, version: VERSION };

/** The operation durations as one metric reader collects them. */
export class DurationHistograms implements MetricProducer {
  readonly #temporality: AggregationTemporality;
  readonly #histograms = new Map<string, AggregatedHistogram>();

  /** @param temporality what the reader's exporter prefers for histograms. */
  constructor(temporality: AggregationTemporality) {
    this.#temporality = temporality;
  }

  histogram(name: string, options: MetricOptions): AggregatedHistogram {
    let histogram = this.#histograms.get(name);
    if (histogram === undefined) {
      histogram = new AggregatedHistogram(name, options);
      this.#histograms.set(name, histogram);
    }
    return histogram;
  }

  collect(): Promise<CollectionResult> {
    const collected = Array.from(this.#histograms.values(), (histogram) => histogram.collect(this.#temporality));
    const measured = collected.filter(({ dataPoints }) => dataPoints.length > 0);
    const scopeMetrics = measured.length > 0 ? [{ scope: SCOPE, metrics: measured }] : [];
    return Promise.resolve({ resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] });
  }
}

/** Sees that the provider's operation durations are aggregated here, once for each reader. */
export function aggregateDurations(provider: MeterProvider, readers: readonly DurationHistograms[]): void {
  const getMeter = provider.getMeter.bind(provider);
  provider.getMeter = (name, ...rest) => {
    const meter = getMeter(name, ...rest);
    if (name !== SCOPE_NAME) return meter;
    return Object.assign(Object.create(meter) as typeof meter, {
      createHistogram(histogram: string, options: MetricOptions = {}): Histogram {
        if (!AGGREGATED.has(histogram)) return meter.createHistogram(histogram, options);
        const [first, ...others] = readers.map((reader) => reader.histogram(histogram, options));
        if (first === undefined || others.length === 0) return first ?? meter.createHistogram(histogram, options);
        return {
          record(value, labels) {
            first.record(value, labels);
            for (const other of others) other.record(value, labels);
          },
        };
      },
    });
  };
}

interface Point extends HistogramValue {
  readonly labels: Attributes;
  readonly startTime: HrTime;
  sum: number;
  min: number;
  max: number;
}

class AggregatedHistogram implements Histogram {
  readonly #descriptor: HistogramMetricData['descriptor'];
  readonly #boundaries: number[];
  #points = new Map<string, Point>();
  #pointsByIdentity = new WeakMap<Attributes, Point>();
  // A label set begins where it was last seen not to be there: a back end that knows when it was zero sees the first failure.
  #collectedAt = hrTime();

  constructor(name: string, { description = '', unit = '', advice }: MetricOptions) {
    this.#descriptor = { name, description, unit, valueType: ValueType.DOUBLE };
    this.#boundaries = advice?.explicitBucketBoundaries ?? [];
  }

  /** @param labels must be the same object for the same labels. */
  record(value: number, labels: Attributes = {}): void {
    let point = this.#pointsByIdentity.get(labels);
    if (point === undefined) {
      point = this.#pointOf(labels);
      this.#pointsByIdentity.set(labels, point);
    }
    point.count++;
    point.sum += value;
    if (value < point.min) point.min = value;
    if (value > point.max) point.max = value;
    const boundaries = this.#boundaries;
    let bucket = 0;
    while (bucket < boundaries.length && value > (boundaries[bucket] as number)) bucket++;
    (point.buckets.counts[bucket] as number)++;
  }

  #pointOf(labels: Attributes): Point {
    const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    let point = this.#points.get(key);
    if (point === undefined) {
      const counts = Array.from({ length: this.#boundaries.length + 1 }, () => 0);
      point = {
        labels,
        startTime: this.#collectedAt,
        buckets: { boundaries: this.#boundaries, counts },
        count: 0,
        sum: 0,
        min: Number.POSITIVE_INFINITY,
        max: Number.NEGATIVE_INFINITY,
      };
      this.#points.set(key, point);
    }
    return point;
  }

  collect(temporality: AggregationTemporality): HistogramMetricData {
    const endTime = hrTime();
    const points = this.#points;
    const delta = temporality === AggregationTemporality.DELTA;
    this.#collectedAt = endTime;
    if (delta) {
      this.#points = new Map();
      this.#pointsByIdentity = new WeakMap();
    }
    return {
      descriptor: this.#descriptor,
      aggregationTemporality: temporality,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: Array.from(points.values(), ({ labels, startTime, ...value }): DataPoint<HistogramValue> => ({
        startTime,
        endTime,
        attributes: labels,
        value: delta ? value : { ...value, buckets: { ...value.buckets, counts: [...value.buckets.counts] } },
      })),
    };
  }
}
