// What exports each signal to a destination: OTLP over HTTP on our own transport, or `console` on stderr. Configuration,
// result handling and, but for spans in protobuf, the serializers are those of OpenTelemetry JS.
import { BatchLogRecordProcessor, type LogRecordProcessor, type ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { OTLPMetricExporterBase } from '@opentelemetry/exporter-metrics-otlp-http';
import {
  createOtlpNetworkExportDelegate,
  OTLPExporterBase,
  type IExporterTransport,
  type IOtlpExportDelegate,
} from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions, createOtlpHttpExporterMetrics } from '@opentelemetry/otlp-exporter-base/node-http';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  LogsExporterMetricsHelper,
  MetricsExporterMetricsHelper,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
  type IExporterMetricsHelper,
  type ISerializer,
} from '@opentelemetry/otlp-transformer';
import { detached, type DetachedDelegate } from './detached-delegate.ts';
import type { Losses, Signal } from './losses.ts';
import { OtlpHttpTransport } from './otlp-transport.ts';
import { SpanBatches, type SpanBatch } from './span-batches.ts';
import { StderrTransport } from './stderr-transport.ts';

/** Where an exporter of ours can send to: a collector, in one of the two encodings of OTLP/HTTP, or stderr. */
export type Destination = 'http/json' | 'http/protobuf' | 'console';

/** Limits of a batch, as `OTEL_BSP_*` and `OTEL_BLRP_*` have them; the defaults are those of the specification. */
export interface BatchLimits {
  maxQueueSize?: number;
  maxExportBatchSize?: number;
  scheduledDelayMillis?: number;
  exportTimeoutMillis?: number;
}

interface Kind<Items> {
  readonly signal: Signal;
  readonly helper: IExporterMetricsHelper<Items>;
}

const SPANS: Kind<ReadableSpan[]> = { signal: 'traces', helper: TraceExporterMetricsHelper };
const ENCODED_SPANS: Kind<SpanBatch> = {
  signal: 'traces',
  helper: { name: TraceExporterMetricsHelper.name, countItems: ({ count }) => count },
};
const METRICS: Kind<Parameters<PushMetricExporter['export']>[0]> = {
  signal: 'metrics',
  helper: MetricsExporterMetricsHelper,
};
const LOGS: Kind<ReadableLogRecord[]> = { signal: 'logs', helper: LogsExporterMetricsHelper };

// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#batch-span-processor
const DEFAULT_EXPORT_TIMEOUT_MS = 30_000;

const spanBatchSerializer: ISerializer<SpanBatch, unknown> = {
  serializeRequest: (batch) => batch.encode(),
  deserializeResponse: (data) => ProtobufTraceSerializer.deserializeResponse(data),
};

/** Makes exporters, and can abandon all they are sending. */
export class Exporters {
  readonly #losses: Losses;
  readonly #pending: () => void;
  readonly #transports: OtlpHttpTransport[] = [];
  readonly #settling: (() => Promise<void>)[] = [];

  /** @param pending called when something waits for the resource to be settled. */
  constructor(losses: Losses, pending: () => void) {
    this.#losses = losses;
    this.#pending = pending;
  }

  /** What batches and exports spans. */
  traces(destination: Destination, limits: BatchLimits): SpanProcessor {
    if (destination === 'http/protobuf') return this.#spanBatches(limits);
    const delegate = this.#detached(SPANS, JsonTraceSerializer, destination, limits.exportTimeoutMillis);
    return new BatchSpanProcessor({
      exporter: new OTLPExporterBase(delegate),
      selfObsMeterProvider: this.#losses.queueWatch('traces'),
      ...limits,
    });
  }

  metrics(destination: Destination): PushMetricExporter {
    const serializer = destination === 'http/protobuf' ? ProtobufMetricsSerializer : JsonMetricsSerializer;
    return new OTLPMetricExporterBase(this.#detached(METRICS, serializer, destination));
  }

  /** What batches and exports log records. */
  logs(destination: Destination, limits: BatchLimits): LogRecordProcessor {
    const serializer = destination === 'http/protobuf' ? ProtobufLogsSerializer : JsonLogsSerializer;
    return new BatchLogRecordProcessor({
      exporter: new OTLPExporterBase(this.#detached(LOGS, serializer, destination, limits.exportTimeoutMillis)),
      selfObsMeterProvider: this.#losses.queueWatch('logs'),
      ...limits,
    });
  }

  /** Waits until all that was handed over has been delivered or lost. */
  async settled(): Promise<void> {
    await Promise.all(this.#settling.map((settled) => settled()));
  }

  /** Whether failed attempts are repeated no more, since the process may be about to end. */
  hurry(hurried: boolean): void {
    for (const transport of this.#transports) transport.hurry(hurried);
  }

  /** Gives up every export under way: what it carried counts as lost. */
  abandon(): void {
    for (const transport of this.#transports) transport.abandon();
  }

  #spanBatches(limits: BatchLimits): SpanBatches {
    const { delegate, url } = this.#delegate(
      ENCODED_SPANS,
      spanBatchSerializer,
      'http/protobuf',
      limits.exportTimeoutMillis,
    );
    const losses = {
      delivered: () => this.#losses.delivered('traces'),
      exportFailed: (count: number, error: Error) => this.#losses.exportFailed('traces', count, url, error),
      queueFull: (count: number) => this.#losses.queueFull('traces', count),
      notEncoded: (count: number) => this.#losses.notEncoded('traces', count),
    };
    const batches = new SpanBatches(delegate, losses, limits, this.#pending);
    this.#losses.exporting('traces', () => batches.queued);
    this.#settling.push(() => batches.settled());
    return batches;
  }

  #detached<Items>(
    kind: Kind<Items>,
    serializer: ISerializer<Items, unknown>,
    destination: Destination,
    longestMs?: number,
  ): DetachedDelegate<Items> {
    const { delegate: inner, url } = this.#delegate(kind, serializer, destination, longestMs);
    const delegate = detached(inner, {
      delivered: () => this.#losses.delivered(kind.signal),
      lost: (items, error) => this.#losses.exportFailed(kind.signal, kind.helper.countItems(items), url, error),
    });
    this.#losses.exporting(kind.signal);
    this.#settling.push(() => delegate.settled());
    return delegate;
  }

  #delegate<Items>(
    { signal, helper }: Kind<Items>,
    serializer: ISerializer<Items, unknown>,
    destination: Destination,
    longestMs: number = DEFAULT_EXPORT_TIMEOUT_MS,
  ): { delegate: IOtlpExportDelegate<Items>; url: string } {
    const configured = convertLegacyHttpOptions({}, signal.toUpperCase(), `v1/${signal}`, {
      'Content-Type': destination === 'http/protobuf' ? 'application/x-protobuf' : 'application/json',
    });
    const configuration = { ...configured, timeoutMillis: Math.min(configured.timeoutMillis, longestMs) };
    const { url } = configuration;
    const metrics = createOtlpHttpExporterMetrics(`otlp_${signal}_exporter`, helper, url, undefined);
    const transport = this.#transport(destination, configuration);
    const watched: ISerializer<Items, unknown> = {
      serializeRequest: (items) => serializer.serializeRequest(items),
      deserializeResponse: (data) => {
        const { count, message } = refusedItems(serializer.deserializeResponse(data));
        if (count > 0) this.#losses.refused(signal, count, url, message);
        return {};
      },
    };
    return { delegate: createOtlpNetworkExportDelegate(configuration, watched, metrics, transport), url };
  }

  #transport(
    destination: Destination,
    configuration: ConstructorParameters<typeof OtlpHttpTransport>[0],
  ): IExporterTransport {
    if (destination === 'console') return new StderrTransport();
    const transport = new OtlpHttpTransport(configuration);
    this.#transports.push(transport);
    return transport;
  }
}

interface PartialSuccess {
  readonly rejectedSpans?: unknown;
  readonly rejectedDataPoints?: unknown;
  readonly rejectedLogRecords?: unknown;
  readonly errorMessage?: unknown;
}

// https://opentelemetry.io/docs/specs/otlp/#partial-success-1
function refusedItems(response: unknown): { count: number; message: string } {
  const { partialSuccess = {} } = (response ?? {}) as { partialSuccess?: PartialSuccess };
  const { rejectedSpans, rejectedDataPoints, rejectedLogRecords, errorMessage } = partialSuccess;
  return {
    count: Number(rejectedSpans ?? rejectedDataPoints ?? rejectedLogRecords ?? 0),
    message: typeof errorMessage === 'string' ? errorMessage : '',
  };
}
