// What other rooms report to the health and the tools of this process: metrics, exporters, breakers, readings of the host.
// Each has a slot here, since those who report and those who ask may not know each other.
import { complainAboutFailure } from '../diagnostics.ts';
import { breakerSnapshots } from '../resilience/registry.ts';
import { shared } from './shared.ts';

/** A circuit breaker as its owner shows it. */
export interface BreakerSnapshot {
  /** The name of its policy. */
  readonly name: string;
  readonly state: 'closed' | 'open' | 'half_open' | 'isolated';
  /** Wall-clock time of the change to this state, in ms since 1970. */
  readonly since: number | undefined;
  /** Failures that it counts at present. */
  readonly failures: number;
  /** When it will let a call through, in ms from now; undefined where it does now. */
  readonly retryAfterMs: number | undefined;
  /** Whether the server is of no use without what it protects. */
  readonly critical: boolean;
}

/** What the exporter of one signal has achieved. */
export interface ExporterSnapshot {
  readonly signal: 'traces' | 'metrics' | 'logs';
  /** Wall-clock times, in ms since 1970. */
  readonly lastSuccessAt: number | undefined;
  readonly lastFailureAt: number | undefined;
  /** Whether the latest export was not delivered. */
  readonly failing: boolean;
  /** A code such as `ECONNREFUSED` or `HTTP 503`; no host, no text of an exception. */
  readonly lastError: string | undefined;
  /** What waits for its turn; undefined where that is not known. */
  readonly queued: number | undefined;
  /** What was lost since the start. */
  readonly dropped: number;
  /** Whether something was lost to a full queue within the last minute. */
  readonly overflowing: boolean;
}

/** Readings of the host that somebody else exports, as shares of 0..1: what is shown is then what is exported. */
export interface ExportedReadings {
  readonly cpu: number | undefined;
  readonly memory: number | undefined;
}

/** One label set of a metric. */
export interface MetricPoint {
  readonly labels: Readonly<Record<string, unknown>>;
  /** Of a counter or gauge. */
  readonly value?: number | undefined;
  /** Of a histogram. */
  readonly histogram?: HistogramPoint | undefined;
}

/** What a histogram knows. */
export interface HistogramPoint {
  readonly count: number;
  readonly sum: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** Upper bounds of the buckets but the last, which has none. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** A metric as an in-process reader sees it. */
export interface MetricSnapshot {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly description: string;
  readonly points: readonly MetricPoint[];
}

/** A reader of metrics in this process. */
export interface MetricSource {
  /** Reads all metrics, within 200 ms; the number of those that could not be read. */
  collect(): Promise<{ readonly metrics: readonly MetricSnapshot[]; readonly errors: number }>;
}

interface Sources {
  readonly breakers: Set<() => readonly BreakerSnapshot[]>;
  readonly exporters: Set<() => readonly ExporterSnapshot[]>;
  readonly metrics: Set<MetricSource>;
  readonly readings: Set<() => ExportedReadings | undefined>;
  readonly samplers: Set<() => Promise<unknown>>;
}

const sources = shared<Sources>('sources', () => ({
  breakers: new Set([breakersOfPolicies]),
  exporters: new Set(),
  metrics: new Set(),
  readings: new Set(),
  samplers: new Set(),
}));

function breakersOfPolicies(): BreakerSnapshot[] {
  return breakerSnapshots().map(({ name, state, sinceMs, failures, retryAfterMs, critical }) => ({
    name,
    state,
    since: Date.now() - sinceMs,
    failures,
    retryAfterMs: retryAfterMs === 0 ? undefined : retryAfterMs,
    critical,
  }));
}

/** Says where the states of circuit breakers can be read; returns what takes that back. */
export function reportBreakers(read: () => readonly BreakerSnapshot[]): () => void {
  return reporting(sources.breakers, read);
}

/** The circuit breakers of this process. */
export function breakers(): BreakerSnapshot[] {
  return readAll(sources.breakers);
}

/** Says where the states of exporters can be read; returns what takes that back. */
export function reportExporters(read: () => readonly ExporterSnapshot[]): () => void {
  return reporting(sources.exporters, read);
}

/** The exporters of this process; none where nothing of ours exports. */
export function exporters(): ExporterSnapshot[] {
  return readAll(sources.exporters);
}

/** Says which reader sees the metrics of this process; returns what takes that back. */
export function reportMetrics(source: MetricSource): () => void {
  return reporting(sources.metrics, source);
}

/** The reader that was announced last. */
export function metricSource(): MetricSource | undefined {
  return [...sources.metrics].at(-1);
}

/**
 * Says where readings of the host stand that are exported; returns what takes that back.
 *
 * @param sample takes new ones; called once a second while somebody needs them.
 */
export function reportReadings(read: () => ExportedReadings | undefined, sample: () => Promise<unknown>): () => void {
  const stops = [reporting(sources.readings, read), reporting(sources.samplers, sample)];
  return () => {
    for (const stop of stops) stop();
  };
}

/** The readings that are exported; undefined where none are. */
export function exportedReadings(): ExportedReadings | undefined {
  return [...sources.readings].at(-1)?.();
}

/** Takes new readings of what is exported; never rejects. */
export async function sampleExported(): Promise<void> {
  await Promise.allSettled([...sources.samplers].map((sample) => sample()));
}

// One that fails does not keep the others back, nor whoever asks.
function readAll<T>(readers: ReadonlySet<() => readonly T[]>): T[] {
  const all: T[] = [];
  for (const read of readers) {
    try {
      all.push(...read());
    } catch (error) {
      complainAboutFailure('reading the state of a breaker or exporter', error);
    }
  }
  return all;
}

function reporting<T>(to: Set<T>, source: T): () => void {
  to.add(source);
  return () => {
    to.delete(source);
  };
}
