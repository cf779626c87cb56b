// The batch processors and the metric reader that feed our exporters, set up by OTEL_BSP_*, OTEL_BLRP_*, OTEL_METRIC_EXPORT_*.
import { getNumberFromEnv } from '@opentelemetry/core';
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  InstrumentType,
  PeriodicExportingMetricReader,
  type IMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { complainOnce } from '../diagnostics.ts';
import { destinationsFor } from './destinations.ts';
import { DurationHistograms } from './duration-histograms.ts';
import type { BatchLimits, Exporters } from './exporters.ts';

/** What is handed to NodeSDK; a signal left out is set up by NodeSDK itself. */
interface SdkPipelines {
  readonly spanProcessors?: SpanProcessor[];
  readonly metricReaders?: IMetricReader[];
  readonly logRecordProcessors?: LogRecordProcessor[];
}

/** All pipelines of a process. */
export interface Pipelines {
  readonly sdk: SdkPipelines;
  /** What aggregates operation durations beside the SDK; empty where a reader is not ours, since it would miss them. */
  readonly durations: readonly DurationHistograms[];
}

/** What an application adds to what the environment asks for. */
export interface OwnPipelines {
  readonly spanProcessors: readonly SpanProcessor[];
  readonly metricReaders: readonly IMetricReader[];
  readonly logRecordProcessors: readonly LogRecordProcessor[];
}

/** The pipelines that the environment asks for, then the application's own. */
export function pipelines(exporters: Exporters, own: OwnPipelines): Pipelines {
  const traces = destinationsFor('traces');
  const metrics = destinationsFor('metrics');
  const logs = destinationsFor('logs');
  const durations: DurationHistograms[] | undefined = own.metricReaders.length === 0 ? [] : undefined;
  const sdk: SdkPipelines = {
    ...(traces.by === 'sdk'
      ? leftOut('traces', own.spanProcessors)
      : {
          spanProcessors: [
            ...traces.list.map((destination) => exporters.traces(destination, batchLimits('OTEL_BSP'))),
            ...own.spanProcessors,
          ],
        }),
    ...(metrics.by === 'sdk'
      ? leftOut('metrics', own.metricReaders)
      : {
          metricReaders: [
            ...metrics.list.map((destination) => metricReader(exporters.metrics(destination), durations)),
            ...own.metricReaders,
          ],
        }),
    ...(logs.by === 'sdk'
      ? leftOut('logs', own.logRecordProcessors)
      : {
          logRecordProcessors: [
            ...logs.list.map((destination) => exporters.logs(destination, batchLimits('OTEL_BLRP'))),
            ...own.logRecordProcessors,
          ],
        }),
  };
  return { sdk, durations: durations ?? [] };
}

function metricReader(exporter: PushMetricExporter, durations: DurationHistograms[] | undefined): IMetricReader {
  const metricProducers: DurationHistograms[] = [];
  if (durations !== undefined) {
    const temporality = exporter.selectAggregationTemporality?.(InstrumentType.HISTOGRAM);
    metricProducers.push(new DurationHistograms(temporality ?? AggregationTemporality.CUMULATIVE));
    durations.push(...metricProducers);
  }
  return new PeriodicExportingMetricReader({ exporter, metricProducers, ...readerOptions() });
}

function leftOut(signal: string, own: readonly unknown[]): Record<string, never> {
  if (own.length > 0) {
    complainOnce(
      `own:${signal}`,
      `the ${signal} pipelines passed to startTelemetry cannot be combined with OTEL_${signal.toUpperCase()}_EXPORTER as it is set, and are left out.`,
    );
  }
  return {};
}

function batchLimits(prefix: 'OTEL_BSP' | 'OTEL_BLRP'): BatchLimits {
  return defined({
    maxQueueSize: positive(`${prefix}_MAX_QUEUE_SIZE`),
    maxExportBatchSize: positive(`${prefix}_MAX_EXPORT_BATCH_SIZE`),
    scheduledDelayMillis: positive(`${prefix}_SCHEDULE_DELAY`),
    exportTimeoutMillis: positive(`${prefix}_EXPORT_TIMEOUT`),
  });
}

function readerOptions(): { exportIntervalMillis: number; exportTimeoutMillis: number } {
  const exportIntervalMillis = positive('OTEL_METRIC_EXPORT_INTERVAL') ?? 60_000;
  const exportTimeoutMillis = positive('OTEL_METRIC_EXPORT_TIMEOUT') ?? 30_000;
  return { exportIntervalMillis, exportTimeoutMillis: Math.min(exportTimeoutMillis, exportIntervalMillis) };
}

function positive(variable: string): number | undefined {
  const value = getNumberFromEnv(variable);
  if (value === undefined || value > 0) return value;
  complainOnce(variable, `${variable} must be greater than 0, got ${value}; the default is used.`);
  return undefined;
}

function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
