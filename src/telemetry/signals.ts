// The signals of operations: one span and one measurement each. The only part that the observer talks to.
import type { MeterProvider, Tracer, TracerProvider } from '@opentelemetry/api';
import type { Operation } from '../protocol/operation.ts';
import type { Ending } from '../protocol/outcome.ts';
import { systemClock, WallTime, type Clock } from './clock.ts';
import { defaultProviders } from './default-providers.ts';
import { OperationKinds, type Network, type OperationKind } from './kind.ts';
import { operationMetricsFor, type OperationMetrics, type Side } from './metrics.ts';
import { operationTracerOf, registeredTracerProvider } from './registered.ts';
import { endOperationSpan, startOperationSpan, type OperationSpan, type Surroundings } from './operation-span.ts';

/** Where the signals go; the global providers where none is given. */
export interface SignalsOptions {
  readonly tracerProvider?: TracerProvider | undefined;
  readonly meterProvider?: MeterProvider | undefined;
  readonly clock?: Clock | undefined;
}

const MAX_NETWORKS = 200;

/** Everything recorded of operations, for one pair of providers. */
export class Signals {
  readonly clock: Clock;
  readonly metrics: OperationMetrics;
  readonly #tracerProvider: TracerProvider | undefined;
  readonly #wallTime: WallTime;
  readonly #kinds = new Map<string, OperationKinds>();
  // a host that makes a connection for each request asks for the same one each time
  #latestNetwork: Network | undefined;
  #latestKinds: OperationKinds | undefined;
  #tracer: Tracer | undefined;
  #tracerFrom: TracerProvider | undefined;

  constructor({ tracerProvider, meterProvider, clock = systemClock }: SignalsOptions = {}) {
    this.clock = clock;
    this.metrics = operationMetricsFor(meterProvider);
    this.#tracerProvider = tracerProvider;
    this.#wallTime = new WallTime(clock);
  }

  /** What is shared by all operations over this kind of wire. */
  kindsOver(network: Network): OperationKinds {
    if (network !== this.#latestNetwork) {
      this.#latestKinds = this.#findKindsOver(network);
      this.#latestNetwork = network;
    }
    return this.#latestKinds as OperationKinds;
  }

  #findKindsOver(network: Network): OperationKinds {
    const { transport, protocol, server } = network;
    const key = `${transport} ${protocol} ${server?.address} ${server?.port}`;
    let kinds = this.#kinds.get(key);
    if (kinds === undefined) {
      // a client that dials ever new servers must not make ever new labels
      if (server !== undefined && this.#kinds.size >= MAX_NETWORKS) return this.#findKindsOver({ transport, protocol });
      kinds = new OperationKinds(network);
      this.#kinds.set(key, kinds);
    }
    return kinds;
  }

  /** Begins the span of an operation. */
  start(operation: Operation, kind: OperationKind, around: Surroundings): OperationSpan {
    return startOperationSpan(this.#currentTracer(), this.#wallTime, operation, kind, around);
  }

  /** Ends the span of an operation whose end is decided, and records its duration where it counts. */
  end(
    operation: Operation,
    span: OperationSpan,
    kind: OperationKind,
    ending: Ending,
    version: string | undefined,
  ): void {
    endOperationSpan(span, operation, ending, version);
    if (!operation.counted) return;
    const side: Side = operation.direction === 'in' ? 'server' : 'client';
    const seconds = (operation.endedAt - operation.startedAt) / 1_000;
    this.metrics.recordOperation(side, seconds, kind.labelsFor(ending, version));
  }

  #currentTracer(): Tracer {
    const provider = this.#tracerProvider ?? registeredTracerProvider();
    if (this.#tracer === undefined || this.#tracerFrom !== provider) {
      this.#tracer = operationTracerOf(provider);
      this.#tracerFrom = provider;
    }
    return this.#tracer;
  }
}

const GLOBAL = {};
const made = new WeakMap<object, WeakMap<object, Signals>>();

/** The signals for these providers, the default or global ones where none is given; one object for one pair, whoever asks. */
export function signalsFor(
  tracerProvider: TracerProvider | undefined = defaultProviders.tracerProvider,
  meterProvider: MeterProvider | undefined = defaultProviders.meterProvider,
): Signals {
  let byMeter = made.get(tracerProvider ?? GLOBAL);
  if (byMeter === undefined) {
    byMeter = new WeakMap();
    made.set(tracerProvider ?? GLOBAL, byMeter);
  }
  let signals = byMeter.get(meterProvider ?? GLOBAL);
  if (signals === undefined) {
    signals = new Signals({ tracerProvider, meterProvider });
    byMeter.set(meterProvider ?? GLOBAL, signals);
  }
  return signals;
}
