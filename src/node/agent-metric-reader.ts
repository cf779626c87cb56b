// Reads all metrics of this process on demand, for the agent's tools. It loads no SDK, so it fits into a MeterProvider of any
// version that takes a reader.
import type {
  AggregationOption,
  AggregationTemporality,
  IMetricReader,
  MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { complainAboutFailure } from '../diagnostics.ts';
import { reportMetrics, type MetricSnapshot } from '../state/sources.ts';
import { metricSnapshots } from './metric-snapshots.ts';

// without a limit, one observable callback that never settles would hang the answer for ever
const COLLECT_TIMEOUT_MS = 200;
const MAX_SERIES = 2_000;
// the values of two enums of the SDK
const DEFAULT_AGGREGATION = { type: 0 } as AggregationOption;
const CUMULATIVE = 1 as AggregationTemporality;

/** A metric reader that answers the agent's tools. */
export class AgentMetricReader implements IMetricReader {
  readonly #besides: readonly MetricProducer[];
  #producer: MetricProducer | undefined;
  #retract: () => void = () => {};
  #collecting: Promise<{ metrics: MetricSnapshot[]; errors: number }> | undefined;

  /** @param besides what is measured beside the provider that this reader is given to. */
  constructor(besides: readonly MetricProducer[] = []) {
    this.#besides = besides;
  }

  setMetricProducer(producer: MetricProducer): void {
    this.#producer = producer;
    this.#retract = reportMetrics({ collect: () => this.read() });
  }

  selectAggregation(): AggregationOption {
    return DEFAULT_AGGREGATION;
  }

  selectAggregationTemporality(): AggregationTemporality {
    return CUMULATIVE;
  }

  selectCardinalityLimit(): number {
    return MAX_SERIES;
  }

  async collect(options: { timeoutMillis?: number } = {}): ReturnType<IMetricReader['collect']> {
    if (this.#producer === undefined) throw new Error('agentMetricReader: not given to a MeterProvider yet');
    const [first, ...others] = await Promise.all(
      [this.#producer, ...this.#besides].map((producer) =>
        producer.collect({ timeoutMillis: options.timeoutMillis ?? COLLECT_TIMEOUT_MS }),
      ),
    );
    const { resource, scopeMetrics } = (first as Awaited<ReturnType<MetricProducer['collect']>>).resourceMetrics;
    return {
      resourceMetrics: {
        resource,
        scopeMetrics: [...scopeMetrics, ...others.flatMap(({ resourceMetrics }) => resourceMetrics.scopeMetrics)],
      },
      errors: [first, ...others].flatMap((result) => result?.errors ?? []),
    };
  }

  /** All metrics in the shape that the tools know; who asks while it is being read gets the same answer. */
  read(): Promise<{ metrics: MetricSnapshot[]; errors: number }> {
    this.#collecting ??= this.#read().finally(() => {
      this.#collecting = undefined;
    });
    return this.#collecting;
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    this.#retract();
    return Promise.resolve();
  }

  async #read(): Promise<{ metrics: MetricSnapshot[]; errors: number }> {
    try {
      const { resourceMetrics, errors } = await this.collect();
      return { metrics: metricSnapshots(resourceMetrics.scopeMetrics), errors: errors.length };
    } catch (error) {
      complainAboutFailure('reading metrics for an agent', error);
      return { metrics: [], errors: 1 };
    }
  }
}
