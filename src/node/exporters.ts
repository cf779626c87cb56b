// One exporter for each signal and destination: OTLP over HTTP on our own transport, or `console` on stderr.
// Serializers, configuration and result handling are those of OpenTelemetry JS.
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { LogRecordExporter, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
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
import { detached } from './detached-delegate.ts';
import type { Losses, Signal } from './losses.ts';
import { OtlpHttpTransport } from './otlp-transport.ts';
import { StderrTransport } from './stderr-transport.ts';

/** Where an exporter of ours can send to: a collector, in one of the two encodings of OTLP/HTTP, or stderr. */
export type Destination = 'http/json' | 'http/protobuf' | 'console';

interface Kind<Items> {
  readonly signal: Signal;
  readonly json: ISerializer<Items, unknown>;
  readonly protobuf: ISerializer<Items, unknown>;
  readonly helper: IExporterMetricsHelper<Items>;
}

const TRACES: Kind<ReadableSpan[]> = {
  signal: 'traces',
  json: JsonTraceSerializer,
  protobuf: ProtobufTraceSerializer,
  helper: TraceExporterMetricsHelper,
};
const METRICS: Kind<Parameters<PushMetricExporter['export']>[0]> = {
  signal: 'metrics',
  json: JsonMetricsSerializer,
  protobuf: ProtobufMetricsSerializer,
  helper: MetricsExporterMetricsHelper,
};
const LOGS: Kind<ReadableLogRecord[]> = {
  signal: 'logs',
  json: JsonLogsSerializer,
  protobuf: ProtobufLogsSerializer,
  helper: LogsExporterMetricsHelper,
};

/** Makes exporters, and can abandon all they are sending. */
export class Exporters {
  readonly #losses: Losses;
  readonly #transports: OtlpHttpTransport[] = [];
  readonly #delegates: { forceFlush(): Promise<void> }[] = [];

  constructor(losses: Losses) {
    this.#losses = losses;
  }

  traces(destination: Destination): SpanExporter {
    return new OTLPExporterBase(this.#delegate(TRACES, destination));
  }

  metrics(destination: Destination): PushMetricExporter {
    return new OTLPMetricExporterBase(this.#delegate(METRICS, destination));
  }

  logs(destination: Destination): LogRecordExporter {
    return new OTLPExporterBase(this.#delegate(LOGS, destination));
  }

  /** Waits until all that was handed over has been delivered or lost. */
  async settled(): Promise<void> {
    await Promise.all(this.#delegates.map((delegate) => delegate.forceFlush()));
  }

  /** Whether failed attempts are repeated no more, since the process may be about to end. */
  hurry(hurried: boolean): void {
    for (const transport of this.#transports) transport.hurry(hurried);
  }

  /** Gives up every export under way: what it carried counts as lost. */
  abandon(): void {
    for (const transport of this.#transports) transport.abandon();
  }

  #delegate<Items>(kind: Kind<Items>, destination: Destination): IOtlpExportDelegate<Items> {
    const { signal, helper } = kind;
    const json = destination !== 'http/protobuf';
    const configuration = convertLegacyHttpOptions({}, signal.toUpperCase(), `v1/${signal}`, {
      'Content-Type': json ? 'application/json' : 'application/x-protobuf',
    });
    const metrics = createOtlpHttpExporterMetrics(`otlp_${signal}_exporter`, helper, configuration.url, undefined);
    const inner = createOtlpNetworkExportDelegate(
      configuration,
      json ? kind.json : kind.protobuf,
      metrics,
      this.#transport(destination, configuration),
    );
    const delegate = detached(inner, (items, error) =>
      this.#losses.exportFailed(signal, helper.countItems(items), configuration.url, error),
    );
    this.#delegates.push(delegate);
    return delegate;
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
