// Providers of the real SDK that keep what they are given, one set a test.
import type { Attributes } from '@opentelemetry/api';
import {
  DataPointType,
  MeterProvider,
  MetricReader,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { fromReadable, type RecordedSpan } from './span.ts';

class PullReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** One label set of a metric, with its number, or count and sum of a histogram. */
export interface Point {
  readonly attributes: Attributes;
  readonly value: number;
  readonly sum: number;
  readonly boundaries: readonly number[];
}

export interface Recorder {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  /** Every span that has ended, oldest first. */
  spans(): RecordedSpan[];
  /** The points of one metric; empty where nothing was recorded. */
  points(metric: string): Promise<Point[]>;
  /** What the SDK knows of one metric. */
  metric(name: string): Promise<MetricData | undefined>;
}

export function recorder(): Recorder {
  const exporter = new InMemorySpanExporter();
  const reader = new PullReader();
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const metric = async (name: string) => {
    const { resourceMetrics } = await reader.collect();
    return resourceMetrics.scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .find(({ descriptor }) => descriptor.name === name);
  };
  return {
    tracerProvider,
    meterProvider,
    spans: () => exporter.getFinishedSpans().map(fromReadable),
    metric,
    async points(name) {
      const data = await metric(name);
      if (data === undefined) return [];
      return data.dataPoints.map(({ attributes, value }) => {
        if (data.dataPointType !== DataPointType.HISTOGRAM) {
          return { attributes, value: value as number, sum: 0, boundaries: [] };
        }
        const histogram = value as Histogram;
        return {
          attributes,
          value: histogram.count,
          sum: histogram.sum ?? 0,
          boundaries: histogram.buckets.boundaries,
        };
      });
    },
  };
}
