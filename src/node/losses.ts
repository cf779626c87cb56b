// What became of the telemetry: what was delivered, and what was lost by signal and reason. A loss is counted as
// `toolspan.telemetry.dropped`, said once, and part of the health: never silent.
import { createNoopMeter, metrics, type Attributes, type Counter, type MeterProvider } from '@opentelemetry/api';
import { complainOnce } from '../diagnostics.ts';
import { droppedLines } from '../logging/stderr.ts';
import { withoutCredentials } from '../redaction/address.ts';
import type { ExporterSnapshot } from '../state/sources.ts';
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
 * `export_failed`: no collector took it. `rejected`: the collector took the rest of the batch, and not this. `not_encoded`: it
 * has no form in OTLP. `queue_full`: it came faster than it could be sent. `stderr_full`: stderr is not read fast enough.
 */
export type DropReason = 'export_failed' | 'rejected' | 'not_encoded' | 'queue_full' | 'stderr_full';

const LINES: Attributes = {
  [ATTR_TOOLSPAN_SIGNAL]: 'logs',
  [ATTR_TOOLSPAN_DROP_REASON]: 'stderr_full' satisfies DropReason,
};

/** What is known of the exports of one signal. Times are readings of the monotonic clock, in ms. */
interface Exports {
  deliveredAt: number | undefined;
  failedAt: number | undefined;
  overflowedAt: number | undefined;
  error: string | undefined;
  /** How many items wait; undefined where the processor does not tell. */
  queued: (() => number) | undefined;
}

const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];
const OVERFLOW_MATTERS_MS = 60_000;

/** The running totals of one process. */
export class Losses {
  readonly #exports = new Map<Signal, Exports>();
  readonly #totals = new Map<string, { readonly attributes: Attributes; count: number }>();

  constructor() {
    // an alert on an increase misses the first loss unless the series is there before it
    for (const signal of SIGNALS) {
      this.#add(signal, 'export_failed', 0);
      this.#add(signal, 'rejected', 0);
      if (signal !== 'metrics') this.#add(signal, 'queue_full', 0);
    }
  }

  /** Says that a signal is exported, and how many items wait where that is known. */
  exporting(signal: Signal, queued?: () => number): void {
    const there = this.#of(signal);
    there.queued ??= queued;
  }

  /** Notes an export that was delivered. */
  delivered(signal: Signal): void {
    this.#of(signal).deliveredAt = performance.now();
  }

  /** What is known of each signal that is exported. */
  snapshots(): ExporterSnapshot[] {
    const now = performance.now();
    const wall = Date.now();
    const wallTime = (at: number | undefined) => (at === undefined ? undefined : wall - (now - at));
    return Array.from(this.#exports, ([signal, { deliveredAt, failedAt, overflowedAt, error, queued }]) => ({
      signal,
      lastSuccessAt: wallTime(deliveredAt),
      lastFailureAt: wallTime(failedAt),
      failing: failedAt !== undefined && failedAt > (deliveredAt ?? Number.NEGATIVE_INFINITY),
      lastError: error,
      queued: queued?.(),
      dropped: this.#total(signal),
      overflowing: overflowedAt !== undefined && now - overflowedAt < OVERFLOW_MATTERS_MS,
    }));
  }

  /** Counts an export that was not delivered, and says so the first time. */
  exportFailed(signal: Signal, count: number, url: string, error: Error): void {
    this.#add(signal, 'export_failed', count);
    const exports = this.#of(signal);
    exports.failedAt = performance.now();
    exports.error = reasonOf(error);
    complainOnce(
      `export:${signal}`,
      `${signal} cannot be delivered to ${withoutCredentials(url)} (${reasonOf(error)}) and are dropped; further losses are counted as ${METRIC_TOOLSPAN_TELEMETRY_DROPPED}. ` +
        adviceFor(signal, reasonOf(error)),
    );
  }

  /** Counts what a collector refused of an export that it took otherwise, and says so the first time. */
  refused(signal: Signal, count: number, url: string, why: string): void {
    this.#add(signal, 'rejected', count);
    complainOnce(
      `rejected:${signal}`,
      `${withoutCredentials(url)} refuses some of the ${signal} (${why === '' ? 'it does not say why' : why}), which are dropped; ` +
        `further losses are counted as ${METRIC_TOOLSPAN_TELEMETRY_DROPPED}. Look at the log of the collector there.`,
    );
  }

  /** Counts what could not be encoded. */
  notEncoded(signal: Signal, count: number): void {
    this.#add(signal, 'not_encoded', count);
  }

  /** Counts what came faster than it could be sent. */
  queueFull(signal: Signal, count: number): void {
    this.#add(signal, 'queue_full', count);
    this.#of(signal).overflowedAt = performance.now();
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

  /**
   * Makes the totals a metric; call it when the meter provider is registered.
   *
   * @param collected called whenever metrics are collected.
   */
  expose(collected: () => void): void {
    metrics
      .getMeter(SCOPE_NAME, VERSION)
      .createObservableCounter(METRIC_TOOLSPAN_TELEMETRY_DROPPED, {
        unit: '{item}',
        description: 'Spans, metric points and log records that were lost, by signal and reason.',
      })
      .addCallback((result) => {
        collected();
        for (const { count, attributes } of this.#totals.values()) result.observe(count, attributes);
        result.observe(droppedLines(), LINES);
      });
  }

  #of(signal: Signal): Exports {
    let exports = this.#exports.get(signal);
    if (exports === undefined) {
      exports = {
        deliveredAt: undefined,
        failedAt: undefined,
        overflowedAt: undefined,
        error: undefined,
        queued: undefined,
      };
      this.#exports.set(signal, exports);
    }
    return exports;
  }

  #total(signal: Signal): number {
    let sum = 0;
    for (const { attributes, count } of this.#totals.values()) {
      if (attributes[ATTR_TOOLSPAN_SIGNAL] === signal) sum += count;
    }
    return sum;
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

function adviceFor(signal: Signal, reason: string): string {
  if (reason === 'ERR_INVALID_PROTOCOL' || reason === 'ERR_INVALID_URL') {
    return 'That is no address to send to: begin OTEL_EXPORTER_OTLP_ENDPOINT with http:// or https://.';
  }
  return `Start a collector there, set OTEL_EXPORTER_OTLP_ENDPOINT, or switch the signal off with OTEL_${signal.toUpperCase()}_EXPORTER=none.`;
}

function reasonOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.message;
}
