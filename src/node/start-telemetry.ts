// One call that starts the OpenTelemetry SDK for an MCP server: three signals over OTLP/HTTP, safe on stdio, flushed at the end.
import { logs, metrics, type ContextManager } from '@opentelemetry/api';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { complainAboutFailure, complainOnce } from '../diagnostics.ts';
import { pipeline } from '../logging/pipeline.ts';
import { logPolicies } from '../logging/policy-log.ts';
import { healthStates, monitor } from '../health/monitor.ts';
import { closeAllConnections } from '../state/connections.ts';
import { reportExporters } from '../state/sources.ts';
import { exposeHealth } from '../telemetry/health-gauge.ts';
import { registeredTracerProvider, useOperationTracer } from '../telemetry/registered.ts';
import { observePolicies } from '../telemetry/resilience.ts';
import { AgentMetricReader } from './agent-metric-reader.ts';
import { AgentSpanProcessor } from './agent-span-processor.ts';
import { CallContextManager, contextManagerIsRegistered } from './context-manager.ts';
import { takeOverDiagnostics, withoutSdkLogger } from './diagnostics-logger.ts';
import { exposeDisks } from './disk-metrics.ts';
import { aggregateDurations } from './duration-histograms.ts';
import { Exporters } from './exporters.ts';
import { HostMetrics, measureHostFor, type HostMeasuring } from './host-metrics.ts';
import { idGenerator } from './id-generator.ts';
import { watchProcess, type Endable } from './lifecycle.ts';
import { Losses } from './losses.ts';
import { OperationTracer } from './operation-tracer.ts';
import { pipelines } from './pipelines.ts';
import { resourceDetectors, serviceResource } from './resource.ts';

/** Options of `startTelemetry`. All have a default; the `OTEL_*` variables say the rest. */
export interface TelemetryOptions {
  /**
   * `service.name` of all telemetry.
   *
   * @default `OTEL_SERVICE_NAME`, else the name of the first instrumented server
   */
  readonly serviceName?: string | undefined;
  /**
   * `service.version` of all telemetry.
   *
   * @default the version of the first instrumented server, where that names the service
   */
  readonly serviceVersion?: string | undefined;
  /**
   * Instrumentations of other libraries. Calls of `fetch` are seen without one.
   *
   * @default none
   */
  readonly instrumentations?: readonly Instrumentation[] | undefined;
  /** Span processors beside the exporters that the environment asks for. @default none */
  readonly spanProcessors?: readonly SpanProcessor[] | undefined;
  /** Metric readers beside the exporters that the environment asks for. @default none */
  readonly metricReaders?: readonly IMetricReader[] | undefined;
  /** Log record processors beside the exporters that the environment asks for. @default none */
  readonly logRecordProcessors?: readonly LogRecordProcessor[] | undefined;
  /**
   * Longest time that a flush or the shutdown may take, in ms, also where the collector hangs. What is not delivered by
   * then is dropped and counted.
   *
   * @default 3_000
   */
  readonly shutdownTimeoutMs?: number | undefined;
  /**
   * Whether SIGTERM and SIGINT flush before they end the process as they would have.
   *
   * @default true
   */
  readonly handleSignals?: boolean | undefined;
  /**
   * Whether metrics of the host and of the Node runtime are collected: `system.*`, `process.*`, `nodejs.*`, `v8js.*`.
   *
   * @default true
   */
  readonly hostMetrics?: boolean | undefined;
}

/** Running telemetry. */
export interface Telemetry {
  /** False where it was switched off by the environment, or another SDK was there before. */
  readonly active: boolean;
  /** Sends everything recorded so far; settles by the deadline and never rejects. */
  flush(): Promise<void>;
  /** Ends what is in flight, sends everything and stops; settles by the deadline and never rejects. */
  shutdown(): Promise<void>;
}

/** What registers the providers: `NodeSDK`, or something leaner. */
export interface Sdk {
  start(): void;
  shutdown(): Promise<void>;
}

/** Makes the SDK from what is configured in code; the environment says the rest. */
export type SdkMaker = (configuration: Partial<NodeSDKConfiguration>) => Sdk;

/** Running telemetry, with what the end of the process asks of it. */
export type StartedTelemetry = Telemetry & Endable;

/** A call that takes this long is kept longer for the agent's tools. */
const SLOW_MS = 1_000;

/**
 * Starts telemetry, with everything loaded; undefined where another SDK was there before.
 *
 * @param watch whether it watches for the end of the process itself.
 */
export function startSdk(
  options: TelemetryOptions,
  makeSdk: SdkMaker,
  watch: boolean = true,
): StartedTelemetry | undefined {
  const { shutdownTimeoutMs = 3_000, handleSignals = true, instrumentations = [] } = options;
  const { spanProcessors = [], metricReaders = [], logRecordProcessors = [] } = options;
  if (sdkIsRegistered()) {
    complainOnce(
      'second-sdk',
      'an OpenTelemetry SDK is registered already (also one that was shut down), so startTelemetry leaves it as it is and starts none.',
    );
    return undefined;
  }
  if (process.env['OTEL_CONFIG_FILE'] !== undefined) {
    complainOnce(
      'config-file',
      'OTEL_CONFIG_FILE is not read by startTelemetry; use the OTEL_* variables, or start your own SDK.',
    );
  }
  takeOverDiagnostics();
  if (options.serviceName !== undefined) pipeline.service = options.serviceName;
  const service = serviceResource(options.serviceName, options.serviceVersion);
  const losses = new Losses();
  const exporters = new Exporters(losses, service.wanted);
  const detectors = resourceDetectors();
  const fetchInstrumentation = new UndiciInstrumentation();
  const { hostMetrics = true } = options;
  let host: HostMeasuring | undefined;
  const beginHostMetrics = () => {
    const beside = new HostMetrics();
    host = beside;
    return beside;
  };
  const { sdk: configured, durations } = pipelines(
    exporters,
    { spanProcessors, metricReaders, logRecordProcessors },
    {
      spanProcessor: () => new AgentSpanProcessor(SLOW_MS),
      metricReader: (besides) => new AgentMetricReader(besides),
      host: () => (hostMetrics ? beginHostMetrics() : undefined),
    },
  );
  const sdk = withoutSdkLogger(() => {
    const made = makeSdk({
      resource: service.resource,
      idGenerator,
      instrumentations: [fetchInstrumentation, ...instrumentations],
      ...(detectors === undefined ? undefined : { resourceDetectors: detectors }),
      contextManager: contextManagerIsRegistered() ? NO_CONTEXT_MANAGER : new CallContextManager(),
      ...configured,
    });
    made.start();
    return made;
  });
  const tracerProvider = registeredTracerProvider();
  const tracer = OperationTracer.beside(tracerProvider);
  if (tracer !== undefined) useOperationTracer(tracerProvider, tracer);
  const provider = metrics.getMeterProvider();
  if (durations.length > 0) aggregateDurations(provider, durations);
  losses.expose(service.wanted);
  const stopReporting = reportExporters(() => losses.snapshots());
  exposeHealth(healthStates);
  if (hostMetrics) {
    exposeDisks(provider);
    host ??= measureHostFor(provider);
  }
  monitor.need('telemetry');
  observePolicies(provider);
  logPolicies();
  const telemetry = new RunningTelemetry(sdk, exporters, service.settle, shutdownTimeoutMs);
  const stopWatching = watch ? watchProcess(telemetry, handleSignals) : () => {};
  telemetry.whenStopped = () => {
    stopWatching();
    stopReporting();
    monitor.release('telemetry');
    host?.stop();
    fetchInstrumentation.disable();
  };
  return telemetry;
}

class RunningTelemetry implements Telemetry, Endable {
  readonly active = true;
  whenStopped: () => void = () => {};
  readonly #sdk: Sdk;
  readonly #exporters: Exporters;
  readonly #settleResource: () => void;
  readonly #timeoutMs: number;
  #endsAt = Number.NEGATIVE_INFINITY;
  #shutdown: Promise<void> | undefined;

  constructor(sdk: Sdk, exporters: Exporters, settleResource: () => void, timeoutMs: number) {
    this.#sdk = sdk;
    this.#exporters = exporters;
    this.#settleResource = settleResource;
    this.#timeoutMs = timeoutMs;
  }

  async flush(): Promise<void> {
    await (this.#shutdown ?? this.#flush(this.#timeoutMs));
  }

  shutdown(): Promise<void> {
    this.#shutdown ??= this.#stop();
    return this.#shutdown;
  }

  async flushForEnd(): Promise<void> {
    this.#settleResource();
    this.#exporters.hurry(true);
    const inTime = await this.#flush(this.#remaining());
    // what was flushed in time leaves the next step its whole time: an application may take long to end
    if (inTime) this.#endsAt = Number.NEGATIVE_INFINITY;
    if (this.#shutdown === undefined) this.#exporters.hurry(false);
  }

  #flush(timeoutMs: number): Promise<boolean> {
    return within(timeoutMs, 'flushing', async () => {
      await Promise.all(providers().map(async (provider) => provider.forceFlush?.()));
      // the processors hand over and go on: the delivery is still under way
      await this.#exporters.settled();
    });
  }

  async #stop(): Promise<void> {
    this.#settleResource();
    closeAllConnections();
    this.#exporters.hurry(true);
    // first what may be lost, then the metrics that tell of the losses
    await this.#flush(this.#remaining() / 2);
    await within(this.#remaining(), 'shutting down', () => this.#sdk.shutdown());
    this.#exporters.abandon();
    this.whenStopped();
  }

  // The end of stdin, a signal and the drained loop follow each other at the end of one process: they share one deadline.
  #remaining(): number {
    const now = performance.now();
    if (now > this.#endsAt + this.#timeoutMs) this.#endsAt = now + this.#timeoutMs;
    return Math.max(1, this.#endsAt - now);
  }
}

// The timer is what keeps the process alive until then; nothing else of ours does. False where the time was over first.
async function within(timeoutMs: number, doing: string, work: () => Promise<unknown>): Promise<boolean> {
  const { promise: deadline, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  try {
    return await Promise.race([work().then(() => true), deadline]);
  } catch (error) {
    complainAboutFailure(`${doing} telemetry`, error);
    return true;
  } finally {
    clearTimeout(timer);
  }
}

interface Provider {
  forceFlush?(): Promise<unknown>;
}

function providers(): Provider[] {
  return [registeredTracerProvider(), metrics.getMeterProvider(), logs.getLoggerProvider()] as Provider[];
}

// `null` means that none is to be made, which the type does not say
const NO_CONTEXT_MANAGER = null as unknown as ContextManager;

function sdkIsRegistered(): boolean {
  return providers().some((provider) => typeof provider.forceFlush === 'function');
}
