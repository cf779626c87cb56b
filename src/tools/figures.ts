// Numbers as the tools answer them: rounded, null where there is none, and what is missing said in words.
import { exporters, metricSource } from '../state/sources.ts';
import { tracesAreHeld } from '../state/recent-traces.ts';
import { isInstrumented } from '../state/servers.ts';
import type { Summary } from '../stats/distribution.ts';
import type { SummaryAnswer } from './answers.ts';

/** A number with so many digits after the point; null where there is none. */
export function rounded(value: number | undefined, digits = 2): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Number(value.toFixed(digits));
}

/** A share of 0..1 in percent. */
export function percent(share: number | undefined): number | null {
  return rounded(share === undefined ? undefined : share * 100, 1);
}

/** Wall-clock time as text. */
export function isoTime(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}

/** Rounds a distribution. */
export function summaryAnswer({ count, sum, avg, min, max, p50, p95, p99 }: Summary, digits = 3): SummaryAnswer {
  return {
    count,
    sum: rounded(sum, digits),
    avg: rounded(avg, digits),
    min: rounded(min, digits),
    max: rounded(max, digits),
    p50: rounded(p50, digits),
    p95: rounded(p95, digits),
    p99: rounded(p99, digits),
  };
}

/** What the tools cannot tell of this process, and what would change that. */
export function missingParts(server: object): string[] {
  const missing: string[] = [];
  if (!isInstrumented(server)) missing.push('calls: instrumentServer has not seen this server');
  if (metricSource() === undefined) missing.push('OpenTelemetry metrics: no agentMetricReader is registered');
  if (!tracesAreHeld()) missing.push('traces: no agentSpanProcessor is registered');
  if (exporters().length === 0) missing.push('export state: startTelemetry does not run in this process');
  return missing;
}
