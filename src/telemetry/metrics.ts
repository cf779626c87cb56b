// The duration histograms and the gauge of active requests: instruments are made when there is a meter provider,
// and made anew when the application registers one later, since instruments never delegate.
import {
  metrics,
  type Attributes,
  type Histogram,
  type MeterProvider,
  type ObservableResult,
} from '@opentelemetry/api';
import { shared } from '../state/shared.ts';
import { METRIC_TOOLSPAN_SERVER_ACTIVE_REQUESTS, SCOPE_NAME } from './names.ts';
import { observePolicies } from './resilience.ts';
import {
  ATTR_MCP_METHOD_NAME,
  MCP_DURATION_BUCKETS,
  METRIC_MCP_CLIENT_OPERATION_DURATION,
  METRIC_MCP_CLIENT_SESSION_DURATION,
  METRIC_MCP_SERVER_OPERATION_DURATION,
  METRIC_MCP_SERVER_SESSION_DURATION,
} from './semconv.ts';
import { VERSION } from '../version.ts';

/** Which side of a message recorded it. */
export type Side = 'server' | 'client';

interface Instruments {
  readonly provider: MeterProvider;
  readonly operations: Readonly<Record<Side, Histogram>>;
  readonly sessions: Readonly<Record<Side, Histogram>>;
}

interface AllMetrics {
  readonly ofGlobal: OperationMetrics;
  readonly ofGiven: WeakMap<MeterProvider, OperationMetrics>;
}

/** The metrics that go to this provider, the global one where none is given: one object, whoever asks. */
export function operationMetricsFor(meterProvider: MeterProvider | undefined): OperationMetrics {
  const all = shared<AllMetrics>('operation-metrics', () => ({
    ofGlobal: new OperationMetrics(undefined),
    ofGiven: new WeakMap(),
  }));
  if (meterProvider === undefined) return all.ofGlobal;
  let there = all.ofGiven.get(meterProvider);
  if (there === undefined) {
    there = new OperationMetrics(meterProvider);
    all.ofGiven.set(meterProvider, there);
  }
  return there;
}

/** The instruments of the MCP conventions, plus active requests. */
export class OperationMetrics {
  readonly #given: MeterProvider | undefined;
  readonly #active = new Map<string, number>();
  #instruments: Instruments | undefined;

  constructor(meterProvider: MeterProvider | undefined) {
    this.#given = meterProvider;
  }

  /** Counts a request in (1) or out (-1). */
  addActive(method: string, change: 1 | -1): void {
    this.#active.set(method, (this.#active.get(method) ?? 0) + change);
  }

  /** Records how long an operation took. */
  recordOperation(side: Side, seconds: number, attributes: Attributes): void {
    this.#current().operations[side].record(seconds, attributes);
  }

  /** Records how long a session lasted. */
  recordSession(side: Side, seconds: number, attributes: Attributes): void {
    this.#current().sessions[side].record(seconds, attributes);
  }

  /** Makes the instruments if need be, so that the gauge is there before the first call ends. */
  prepare(): void {
    this.#current();
  }

  #current(): Instruments {
    const provider = this.#given ?? metrics.getMeterProvider();
    if (this.#instruments?.provider !== provider) this.#instruments = this.#create(provider);
    return this.#instruments;
  }

  #create(provider: MeterProvider): Instruments {
    const meter = provider.getMeter(SCOPE_NAME, VERSION);
    const histogram = (name: string, description: string) =>
      meter.createHistogram(name, {
        unit: 's',
        description,
        advice: { explicitBucketBoundaries: [...MCP_DURATION_BUCKETS] },
      });
    meter
      .createObservableUpDownCounter(METRIC_TOOLSPAN_SERVER_ACTIVE_REQUESTS, {
        unit: '{request}',
        description: 'Requests the server is working on.',
      })
      .addCallback((result) => this.#observeActive(result));
    observePolicies(provider);
    return {
      provider,
      operations: {
        server: histogram(METRIC_MCP_SERVER_OPERATION_DURATION, 'Duration of an operation as the receiver saw it.'),
        client: histogram(METRIC_MCP_CLIENT_OPERATION_DURATION, 'Duration of an operation as the sender saw it.'),
      },
      sessions: {
        server: histogram(METRIC_MCP_SERVER_SESSION_DURATION, 'Duration of a session as the server saw it.'),
        client: histogram(METRIC_MCP_CLIENT_SESSION_DURATION, 'Duration of a session as the client saw it.'),
      },
    };
  }

  #observeActive(result: ObservableResult): void {
    for (const [method, count] of this.#active) result.observe(count, { [ATTR_MCP_METHOD_NAME]: method });
  }
}
