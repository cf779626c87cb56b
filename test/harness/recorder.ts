// Providers of the real SDK that keep what they are given, one set a test.
import type { Attributes } from '@opentelemetry/api';
import { LoggerProvider, type ReadWriteLogRecord } from '@opentelemetry/sdk-logs';
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

/** A log record as the SDK has it. */
export interface RecordedLog {
  readonly event: string | undefined;
  readonly severity: string | undefined;
  readonly severityNumber: number | undefined;
  readonly body: unknown;
  readonly attributes: Attributes;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly scope: string;
}

export interface Recorder {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly loggerProvider: LoggerProvider;
  /** Every log record, oldest first. */
  readonly logs: readonly RecordedLog[];
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
  const logs: RecordedLog[] = [];
  const keep = {
    onEmit: (record: ReadWriteLogRecord) => void logs.push(fromLog(record)),
    forceFlush: done,
    shutdown: done,
  };
  const loggerProvider = new LoggerProvider({ processors: [keep] });
  const metric = async (name: string) => {
    const { resourceMetrics } = await reader.collect();
    return resourceMetrics.scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .find(({ descriptor }) => descriptor.name === name);
  };
  return {
    tracerProvider,
    meterProvider,
    loggerProvider,
    logs,
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

const done = () => Promise.resolve();

function fromLog(record: ReadWriteLogRecord): RecordedLog {
  return {
    event: record.eventName,
    severity: record.severityText,
    severityNumber: record.severityNumber,
    body: record.body,
    attributes: { ...record.attributes },
    traceId: record.spanContext?.traceId,
    spanId: record.spanContext?.spanId,
    scope: record.instrumentationScope.name,
  };
}
