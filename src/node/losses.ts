// What telemetry was lost, by signal and reason: counted as `toolspan.telemetry.dropped`, said once, never silent.
import { createNoopMeter, metrics, type Attributes, type Counter, type MeterProvider } from '@opentelemetry/api';
import { complainOnce } from '../diagnostics.ts';
import { droppedLines } from '../logging/stderr.ts';
import {
  ATTR_TOOLSPAN_DROP_REASON,
  ATTR_TOOLSPAN_SIGNAL,
  METRIC_TOOLSPAN_TELEMETRY_DROPPED,
  SCOPE_NAME,
} from '../telemetry/names.ts';
import { ATTR_ERROR_TYPE } from '../telemetry/semconv.ts';
import { VERSION } from '../version.ts';

/** The three signals of OpenTelemetry, as its specification writes them. */
export type Signal = 'traces' | 'metrics' | 'logs';

/**
 * `export_failed`: no collector took it. `queue_full`: it came faster than it could be sent. `stderr_full`: stderr is not read
 * fast enough.
 */
export type DropReason = 'export_failed' | 'queue_full' | 'stderr_full';

const LINES: Attributes = {
  [ATTR_TOOLSPAN_SIGNAL]: 'logs',
  [ATTR_TOOLSPAN_DROP_REASON]: 'stderr_full' satisfies DropReason,
};

/** The running totals of one process. */
export class Losses {
  readonly #totals = new Map<string, { readonly attributes: Attributes; count: number }>();

  constructor() {
    // an alert on an increase misses the first loss unless the series is there before it
    for (const signal of ['traces', 'metrics', 'logs'] as const) {
      this.#add(signal, 'export_failed', 0);
      if (signal !== 'metrics') this.#add(signal, 'queue_full', 0);
    }
  }

  /** Counts an export that was not delivered, and says so the first time. */
  exportFailed(signal: Signal, count: number, url: string, error: Error): void {
    this.#add(signal, 'export_failed', count);
    complainOnce(
      `export:${signal}`,
      `${signal} cannot be delivered to ${url} (${reasonOf(error)}) and are dropped; further losses are counted as ${METRIC_TOOLSPAN_TELEMETRY_DROPPED}. ` +
        'Start a collector there, set OTEL_EXPORTER_OTLP_ENDPOINT, or switch the signal off with ' +
        `OTEL_${signal.toUpperCase()}_EXPORTER=none.`,
    );
  }

  /** Counts what came faster than it could be sent. */
  queueFull(signal: Signal, count: number): void {
    this.#add(signal, 'queue_full', count);
  }

  /** A meter provider for the stock batch processors, which tell of a full queue by their own metrics only. */
  queueWatch(signal: Signal): MeterProvider {
    const meter = createNoopMeter();
    const counter: Counter = {
      add: (count, attributes) => {
        if (attributes?.[ATTR_ERROR_TYPE] === 'queue_full') this.queueFull(signal, count);
      },
    };
    const watching = Object.assign(Object.create(meter) as typeof meter, { createCounter: () => counter });
    return { getMeter: () => watching };
  }

  /** Makes the totals a metric; call it when the meter provider is registered. */
  expose(): void {
    metrics
      .getMeter(SCOPE_NAME, VERSION)
      .createObservableCounter(METRIC_TOOLSPAN_TELEMETRY_DROPPED, {
        unit: '{item}',
        description: 'Spans, metric points and log records that were lost, by signal and reason.',
      })
      .addCallback((result) => {
        for (const { count, attributes } of this.#totals.values()) result.observe(count, attributes);
        result.observe(droppedLines(), LINES);
      });
  }

  #add(signal: Signal, reason: DropReason, count: number): void {
    const key = `${signal} ${reason}`;
    const there = this.#totals.get(key);
    if (there !== undefined) there.count += count;
    else {
      const attributes = { [ATTR_TOOLSPAN_SIGNAL]: signal, [ATTR_TOOLSPAN_DROP_REASON]: reason };
      this.#totals.set(key, { attributes, count });
    }
  }
}

function reasonOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.message;
}
