// The batch processors and the metric reader that feed our exporters, set up by OTEL_BSP_*, OTEL_BLRP_*, OTEL_METRIC_EXPORT_*.
import { getNumberFromEnv } from '@opentelemetry/core';
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  InstrumentType,
  PeriodicExportingMetricReader,
  type IMetricReader,
  type MetricProducer,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { complainOnce } from '../diagnostics.ts';
import { defined } from './defined.ts';
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

/** What we add, for the agent's tools. */
export interface AgentPipelines {
  /** Makes the span processor of the agent's tools. */
  readonly spanProcessor: () => SpanProcessor;
  /** Makes the metric reader of the agent's tools, beside which these are measured. */
  readonly metricReader: (besides: readonly MetricProducer[]) => IMetricReader;
  /** Begins to collect host and runtime metrics, where that can be done beside the SDK. */
  readonly host: () => MetricProducer | undefined;
}

/** What an application adds to what the environment asks for. */
export interface OwnPipelines {
  readonly spanProcessors: readonly SpanProcessor[];
  readonly metricReaders: readonly IMetricReader[];
  readonly logRecordProcessors: readonly LogRecordProcessor[];
}

/** The pipelines that the environment asks for, then the agent's, then the application's own. */
export function pipelines(exporters: Exporters, own: OwnPipelines, agent: AgentPipelines): Pipelines {
  const traces = destinationsFor('traces');
  const metrics = destinationsFor('metrics');
  const logs = destinationsFor('logs');
  const allReadersAreOurs = own.metricReaders.length === 0 && metrics.by === 'ours';
  const besides = new Besides(allReadersAreOurs, agent.host);
  const sdk: SdkPipelines = {
    ...(traces.by === 'sdk'
      ? leftOut('traces', own.spanProcessors)
      : {
          spanProcessors: [
            ...traces.list.map((destination) => exporters.traces(destination, batchLimits('OTEL_BSP'))),
            agent.spanProcessor(),
            ...own.spanProcessors,
          ],
        }),
    ...(metrics.by === 'sdk'
      ? leftOut('metrics', own.metricReaders)
      : {
          metricReaders: [
            ...metrics.list.map((destination) => metricReader(exporters.metrics(destination), besides)),
            agent.metricReader(besides.for(AggregationTemporality.CUMULATIVE)),
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
  return { sdk, durations: besides.durations };
}

/** What readers of ours collect beside the SDK. Readers of one temporality share it, so it is recorded once. */
class Besides {
  readonly #allowed: boolean;
  readonly #host: readonly MetricProducer[];
  readonly durations: DurationHistograms[] = [];
  #cumulative: DurationHistograms | undefined;

  constructor(allowed: boolean, host: () => MetricProducer | undefined) {
    this.#allowed = allowed;
    this.#host = allowed ? [host()].filter((producer) => producer !== undefined) : [];
  }

  for(temporality: AggregationTemporality): MetricProducer[] {
    if (!this.#allowed) return [];
    return [this.#durationsFor(temporality), ...this.#host];
  }

  // what is reset by being read cannot be shared
  #durationsFor(temporality: AggregationTemporality): DurationHistograms {
    const cumulative = temporality === AggregationTemporality.CUMULATIVE;
    if (cumulative && this.#cumulative !== undefined) return this.#cumulative;
    const durations = new DurationHistograms(temporality);
    if (cumulative) this.#cumulative = durations;
    this.durations.push(durations);
    return durations;
  }
}

function metricReader(exporter: PushMetricExporter, besides: Besides): IMetricReader {
  const temporality = exporter.selectAggregationTemporality?.(InstrumentType.HISTOGRAM);
  const metricProducers = besides.for(temporality ?? AggregationTemporality.CUMULATIVE);
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

// a timer set for longer than this goes off at once
const LONGEST_MS = 2 ** 31 - 1;

function positive(variable: string): number | undefined {
  const value = getNumberFromEnv(variable);
  if (value === undefined) return undefined;
  if (value >= 1) return Math.min(Math.floor(value), LONGEST_MS);
  complainOnce(variable, `${variable} must be a whole number from 1, got ${value}; the default is used.`);
  return undefined;
}
