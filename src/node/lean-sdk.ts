// The parts of NodeSDK that an MCP server on OTLP/HTTP needs, set up by the same variables: a fraction of its loading time,
// since gRPC, Zipkin, Prometheus and B3 stay out.
import { diag, logs, metrics, propagation, trace, type TextMapPropagator } from '@opentelemetry/api';
import {
  CompositePropagator,
  getNumberFromEnv,
  getStringFromEnv,
  getStringListFromEnv,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  osDetector,
  processDetector,
  serviceInstanceIdDetector,
  type Resource,
  type ResourceDetector,
} from '@opentelemetry/resources';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { defined } from './defined.ts';
import { destinationsFor } from './destinations.ts';
import type { Sdk, SdkMaker } from './start-telemetry.ts';

const PROPAGATORS: Readonly<Record<string, () => TextMapPropagator>> = {
  tracecontext: () => new W3CTraceContextPropagator(),
  baggage: () => new W3CBaggagePropagator(),
};

/** Whether the environment asks for nothing that only NodeSDK has. */
export function leanSuffices(): boolean {
  const signals = ['traces', 'metrics', 'logs'] as const;
  return (
    signals.every((signal) => destinationsFor(signal).by === 'ours') &&
    propagatorNames().every((name) => name === 'none' || Object.hasOwn(PROPAGATORS, name))
  );
}

/** Registers the providers of all three signals, as NodeSDK does. The context manager must be registered before. */
export const leanSdk: SdkMaker = (configuration): Sdk => {
  const providers: { shutdown(): Promise<void> }[] = [];
  return {
    start() {
      const {
        instrumentations = [],
        spanProcessors = [],
        metricReaders = [],
        logRecordProcessors = [],
      } = configuration;
      registerInstrumentations({ instrumentations });
      setPropagator();
      const resource = (configuration.resource ?? defaultResource()).merge(detected(configuration.resourceDetectors));
      if (metricReaders.length > 0) {
        const meterProvider = new MeterProvider({ resource, readers: metricReaders });
        metrics.setGlobalMeterProvider(meterProvider);
        providers.push(meterProvider);
      }
      if (spanProcessors.length > 0) {
        const { idGenerator } = configuration;
        const sampler = samplerFromEnvironment();
        const tracerProvider = new TracerProvider({
          resource,
          spanProcessors,
          spanLimits: spanLimits(),
          ...(idGenerator === undefined ? undefined : { idGenerator }),
          ...(sampler === undefined ? undefined : { sampler }),
        });
        trace.setGlobalTracerProvider(tracerProvider);
        providers.push(tracerProvider);
      }
      if (logRecordProcessors.length > 0) {
        const loggerProvider = new LoggerProvider({
          resource,
          processors: logRecordProcessors,
          logRecordLimits: defined({
            attributeCountLimit: limit('LOGRECORD_ATTRIBUTE_COUNT'),
            attributeValueLengthLimit: limit('LOGRECORD_ATTRIBUTE_VALUE_LENGTH'),
          }),
        });
        logs.setGlobalLoggerProvider(loggerProvider);
        providers.push(loggerProvider);
      }
    },
    async shutdown() {
      await Promise.all(providers.map((provider) => provider.shutdown()));
    },
  };
};

function propagatorNames(): readonly string[] {
  return getStringListFromEnv('OTEL_PROPAGATORS') ?? ['tracecontext', 'baggage'];
}

function setPropagator(): void {
  const names = propagatorNames();
  if (names.includes('none')) return;
  const propagators = names.flatMap((name) => PROPAGATORS[name]?.() ?? []);
  if (propagators.length > 0) propagation.setGlobalPropagator(new CompositePropagator({ propagators }));
}

const DETECTORS: Readonly<Record<string, ResourceDetector>> = {
  host: hostDetector,
  os: osDetector,
  serviceinstance: serviceInstanceIdDetector,
  process: processDetector,
  env: envDetector,
};

function detected(detectors: readonly ResourceDetector[] | undefined): Resource {
  return detectResources({ detectors: [...(detectors ?? detectorsFromEnvironment())] });
}

function detectorsFromEnvironment(): ResourceDetector[] {
  const names = getStringListFromEnv('OTEL_NODE_RESOURCE_DETECTORS') ?? ['all'];
  if (names.includes('all')) return Object.values(DETECTORS);
  if (names.includes('none')) return [];
  return names.flatMap((name) => {
    const detector = Object.hasOwn(DETECTORS, name) ? DETECTORS[name] : undefined;
    if (detector === undefined) diag.warn(`OTEL_NODE_RESOURCE_DETECTORS: unknown detector "${name}" is left out`);
    return detector ?? [];
  });
}

function samplerFromEnvironment(): Sampler | undefined {
  const name = getStringFromEnv('OTEL_TRACES_SAMPLER');
  if (name === undefined) return undefined;
  const root = rootSampler(name.replace(/^parentbased_/, ''));
  if (root === undefined) {
    diag.error(`OTEL_TRACES_SAMPLER: unknown sampler "${name}", the default is used`);
    return undefined;
  }
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

function rootSampler(name: string): Sampler | undefined {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(samplerRatio());
    default:
      return undefined;
  }
}

/** The ratio that `OTEL_TRACES_SAMPLER_ARG` asks for; all where it asks for none that is valid. */
function samplerRatio(): number {
  const ratio = getNumberFromEnv('OTEL_TRACES_SAMPLER_ARG');
  if (ratio !== undefined && ratio >= 0 && ratio <= 1) return ratio;
  diag.error(`OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, got ${ratio ?? 'none'}; 1 is used`);
  return 1;
}

// The limits of spans and log records fall back to the general ones.
function limit(name: string): number | undefined {
  return (
    getNumberFromEnv(`OTEL_${name}_LIMIT`) ?? getNumberFromEnv(`OTEL_${name.replace(/^(SPAN|LOGRECORD)_/, '')}_LIMIT`)
  );
}

function spanLimits(): Record<string, number> {
  return defined({
    attributeCountLimit: limit('SPAN_ATTRIBUTE_COUNT'),
    attributeValueLengthLimit: limit('SPAN_ATTRIBUTE_VALUE_LENGTH'),
    eventCountLimit: getNumberFromEnv('OTEL_SPAN_EVENT_COUNT_LIMIT'),
    linkCountLimit: getNumberFromEnv('OTEL_SPAN_LINK_COUNT_LIMIT'),
    attributePerEventCountLimit: getNumberFromEnv('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'),
    attributePerLinkCountLimit: getNumberFromEnv('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'),
  });
}
