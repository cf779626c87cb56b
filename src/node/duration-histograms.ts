// Aggregates the duration of operations itself: the SDK sorts and stringifies the labels of every measurement, which costs
// more than all the rest of it. Labels of one kind and outcome are one object here, so its identity is the key.
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
  readonly #histograms: AggregatedHistogram[] = [];

  /** @param temporality what the reader's exporter prefers for histograms. */
  constructor(temporality: AggregationTemporality) {
    this.#temporality = temporality;
  }

  histogram(name: string, options: MetricOptions): AggregatedHistogram {
    const histogram = new AggregatedHistogram(name, options);
    this.#histograms.push(histogram);
    return histogram;
  }

  collect(): Promise<CollectionResult> {
    const collected = this.#histograms.map((histogram) => histogram.collect(this.#temporality));
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

interface Point {
  readonly startTime: HrTime;
  readonly value: HistogramValue & { sum: number; min: number; max: number };
}

class AggregatedHistogram implements Histogram {
  readonly #descriptor: HistogramMetricData['descriptor'];
  readonly #boundaries: number[];
  #points = new Map<Attributes, Point>();
  // A label set begins where it was last seen not to be there: a back end that knows when it was zero sees the first failure.
  #collectedAt = hrTime();

  constructor(name: string, { description = '', unit = '', advice }: MetricOptions) {
    this.#descriptor = { name, description, unit, valueType: ValueType.DOUBLE };
    this.#boundaries = advice?.explicitBucketBoundaries ?? [];
  }

  /** @param labels must be the same object for the same labels. */
  record(value: number, labels: Attributes = {}): void {
    let point = this.#points.get(labels);
    if (point === undefined) {
      const counts = Array.from({ length: this.#boundaries.length + 1 }, () => 0);
      const buckets = { boundaries: this.#boundaries, counts };
      point = { startTime: this.#collectedAt, value: { buckets, count: 0, sum: 0, min: value, max: value } };
      this.#points.set(labels, point);
    }
    const total = point.value;
    total.count++;
    total.sum += value;
    if (value < total.min) total.min = value;
    if (value > total.max) total.max = value;
    const boundaries = this.#boundaries;
    let bucket = 0;
    while (bucket < boundaries.length && value > (boundaries[bucket] as number)) bucket++;
    (total.buckets.counts[bucket] as number)++;
  }

  collect(temporality: AggregationTemporality): HistogramMetricData {
    const endTime = hrTime();
    const points = this.#points;
    const delta = temporality === AggregationTemporality.DELTA;
    if (delta) this.#points = new Map();
    this.#collectedAt = endTime;
    return {
      descriptor: this.#descriptor,
      aggregationTemporality: temporality,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: Array.from(points, ([attributes, { startTime, value }]): DataPoint<HistogramValue> => ({
        startTime,
        endTime,
        attributes,
        value: delta ? value : { ...value, buckets: { ...value.buckets, counts: [...value.buckets.counts] } },
      })),
    };
  }
}
