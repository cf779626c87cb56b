// Host and runtime metrics by the instrumentations of OpenTelemetry. They measure from one collection to the next, whoever
// collects, so two readers would cut each other's intervals short: here one reader collects, and all others are handed its
// last collection. The health tool looks at the same one, so it shows what is exported. Loading them takes as long as half a
// start, so it is done a second later.
import type { MeterProvider as ApiMeterProvider } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  MeterProvider,
  MetricReader,
  type CollectionResult,
  type MetricProducer,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { complainAboutFailure } from '../diagnostics.ts';
import { reportReadings, type ExportedReadings, type MetricSnapshot } from '../state/sources.ts';
import {
  ATTR_CPU_LOGICAL_NUMBER,
  ATTR_CPU_MODE,
  ATTR_SYSTEM_MEMORY_STATE,
  METRIC_SYSTEM_CPU_UTILIZATION,
  METRIC_SYSTEM_MEMORY_UTILIZATION,
} from '../telemetry/semconv.ts';
import { metricSnapshots } from './metric-snapshots.ts';

// The network group asks the system by way of files and costs fifteen times the rest.
const METRIC_GROUPS = ['system.cpu', 'system.memory', 'process.cpu', 'process.memory'];
// CPU times move in steps of 10 ms: over a shorter interval a share means nothing
const LEAST_INTERVAL_MS = 900;
const COLLECT_TIMEOUT_MS = 200;

/** Host and runtime metrics that are being collected. */
export interface HostMeasuring {
  stop(): void;
}

/** Collects host and runtime metrics into a provider whose readers are not ours, from a second from now. */
export function measureHostFor(provider: ApiMeterProvider): HostMeasuring {
  let instrumentations: readonly Instrumentation[] = [];
  let stopped = false;
  const load = async () => {
    const made = await loadInstrumentations(provider);
    instrumentations = made;
    if (stopped) disable(made);
  };
  const timer = setTimeout(() => void load(), LEAST_INTERVAL_MS);
  timer.unref();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      disable(instrumentations);
    },
  };
}

function disable(instrumentations: readonly Instrumentation[]): void {
  for (const instrumentation of instrumentations) instrumentation.disable();
}

async function loadInstrumentations(provider: ApiMeterProvider): Promise<Instrumentation[]> {
  try {
    const [{ HostMetricsInstrumentation }, { RuntimeNodeInstrumentation }] = await Promise.all([
      import('@opentelemetry/instrumentation-host-metrics'),
      import('@opentelemetry/instrumentation-runtime-node'),
    ]);
    // one that is enabled when it is made stays with the global provider too
    const made = [
      new HostMetricsInstrumentation({ metricGroups: METRIC_GROUPS, enabled: false }),
      new RuntimeNodeInstrumentation({ enabled: false }),
    ];
    for (const instrumentation of made) {
      instrumentation.setMeterProvider(provider);
      instrumentation.enable();
    }
    return made;
  } catch (error) {
    complainAboutFailure('collecting host metrics', error);
    return [];
  }
}

/** The host and runtime metrics of this process, collected once for all readers. */
export class HostMetrics implements MetricProducer, HostMeasuring {
  readonly #reader = new InnerReader();
  readonly #provider = new MeterProvider({ readers: [this.#reader] });
  readonly #retract: () => void;
  #instrumentations: readonly Instrumentation[] | undefined;
  #collectedAt = performance.now();
  #collecting: Promise<void> | undefined;
  #stopped = false;
  #scopes: ScopeMetrics[] = [];

  constructor() {
    this.#retract = reportReadings(
      () => readingsOf(metricSnapshots(this.#scopes)),
      () => this.#collect(),
    );
  }

  async collect(): Promise<CollectionResult> {
    await this.#collect();
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics: this.#scopes }, errors: [] };
  }

  /** Stops measuring. */
  stop(): void {
    this.#stopped = true;
    this.#retract();
    disable(this.#instrumentations ?? []);
  }

  #collect(): Promise<void> {
    if (this.#stopped || performance.now() - this.#collectedAt < LEAST_INTERVAL_MS) return Promise.resolve();
    this.#collecting ??= this.#collectNow().finally(() => {
      this.#collecting = undefined;
    });
    return this.#collecting;
  }

  async #collectNow(): Promise<void> {
    if (this.#instrumentations === undefined) {
      // what is measured from one collection to the next begins here
      const made = await loadInstrumentations(this.#provider);
      this.#instrumentations = made;
      this.#collectedAt = performance.now();
      if (this.#stopped) disable(made);
      return;
    }
    this.#collectedAt = performance.now();
    const { resourceMetrics } = await this.#reader.collect({ timeoutMillis: COLLECT_TIMEOUT_MS });
    this.#scopes = resourceMetrics.scopeMetrics;
  }
}

class InnerReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** CPU and memory of the host, as its metrics have them. */
export function readingsOf(metrics: readonly MetricSnapshot[]): ExportedReadings | undefined {
  if (metrics.length === 0) return undefined;
  const points = (name: string) => metrics.find((metric) => metric.name === name)?.points ?? [];
  const cpu = points(METRIC_SYSTEM_CPU_UTILIZATION);
  const cores = new Set(cpu.map(({ labels }) => labels[ATTR_CPU_LOGICAL_NUMBER])).size;
  const idle = cpu
    .filter(({ labels }) => labels[ATTR_CPU_MODE] === 'idle')
    .reduce((sum, { value = 0 }) => sum + value, 0);
  const used = points(METRIC_SYSTEM_MEMORY_UTILIZATION).find(
    ({ labels }) => labels[ATTR_SYSTEM_MEMORY_STATE] === 'used',
  );
  return {
    cpu: cores === 0 ? undefined : Math.min(1, Math.max(0, 1 - idle / cores)),
    memory: used?.value,
  };
}
