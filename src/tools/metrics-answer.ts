// The answer of get_server_metrics: figures of calls over a window, and every OpenTelemetry instrument of the process. First
// names with one number each; one name with its labels where the agent asks for it, so that it reads little.
import { metricSource, type MetricPoint, type MetricSnapshot } from '../state/sources.ts';
import { serverNameOf } from '../state/servers.ts';
import { statsOf } from '../state/stats.ts';
import { coveredMs, type WindowName } from '../stats/series.ts';
import type { NamedSeries } from '../stats/server-stats.ts';
import { ATTR_GEN_AI_TOOL_NAME } from '../telemetry/semconv.ts';
import { missingParts, rounded, summaryAnswer } from './figures.ts';
import { summaryOf } from './histograms.ts';
import { toolOf } from './operations.ts';
import type { MetricsOutput } from './answers.ts';

/** What was asked for. */
export interface MetricsQuestion {
  readonly tool?: string | undefined;
  readonly window?: WindowName | undefined;
  readonly names?: readonly string[] | undefined;
}

const MAX_SERIES = 100;
const DIGITS = 6;

/** The metrics of the server by now. */
export async function metricsAnswer(
  server: object,
  { tool, window = '5m', names }: MetricsQuestion,
): Promise<{ output: MetricsOutput; text: string }> {
  const collected = await metricSource()?.collect();
  const metrics = (collected?.metrics ?? [])
    .filter(({ name }) => names === undefined || names.includes(name))
    .map((metric) => (tool === undefined ? metric : ofTool(metric, tool)))
    .filter(({ points }) => points.length > 0);
  const stats = statsOf(serverNameOf(server));
  const now = performance.now();
  const all = names === undefined ? operationsOf([...stats], tool, window, now) : [];
  const series = names === undefined ? [] : metrics.flatMap(seriesOf);
  const missing = missingParts(server);
  if ((collected?.errors ?? 0) > 0) missing.push(`${collected?.errors} instruments: reading them failed`);
  for (const name of names ?? []) {
    if (!metrics.some((metric) => metric.name === name))
      missing.push(`${name}: no such instrument has measured anything`);
  }
  const output: MetricsOutput = {
    window: { name: window, covered_seconds: Math.round(coveredMs(window, stats.startedAt, now) / 1_000) },
    operations: all.slice(0, MAX_SERIES),
    counters: Object.fromEntries(counters(metrics)),
    gauges: Object.fromEntries(gauges(metrics)),
    histograms: Object.fromEntries(histograms(metrics)),
    instruments: metrics.map(({ name, type, unit, points }) => ({ name, type, unit, series: points.length })),
    series: series.slice(0, MAX_SERIES),
    more_series: Math.max(0, series.length - MAX_SERIES) + Math.max(0, all.length - MAX_SERIES),
    missing,
  };
  return { output, text: textOf(output) };
}

function ofTool(metric: MetricSnapshot, tool: string): MetricSnapshot {
  return { ...metric, points: metric.points.filter(({ labels }) => labels[ATTR_GEN_AI_TOOL_NAME] === tool) };
}

function operationsOf(
  all: readonly NamedSeries[],
  tool: string | undefined,
  window: WindowName,
  now: number,
): MetricsOutput['operations'] {
  return all
    .filter(({ operation }) => tool === undefined || toolOf(operation) === tool)
    .map(({ side, operation, series }) => {
      const tally = series.read(window, now);
      const outcomes: Record<string, number> = {};
      const codes: Record<string, number> = {};
      for (const [{ outcome, code }, count] of tally.ends) {
        outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
        if (code !== undefined) codes[code] = (codes[code] ?? 0) + count;
      }
      return {
        operation,
        side: side === 'in' ? ('server' as const) : ('client' as const),
        in_flight: series.inFlight,
        error_count: tally.blamed('failure'),
        caller_mistake_count: tally.blamed('mistake'),
        outcomes,
        codes,
        duration_ms: summaryAnswer(tally.durations.summary()),
      };
    })
    .filter((operation) => operation.duration_ms.count > 0 || operation.in_flight > 0)
    .toSorted((a, b) => b.duration_ms.count - a.duration_ms.count);
}

function counters(metrics: readonly MetricSnapshot[]): [string, number][] {
  return metrics
    .filter(({ type }) => type === 'counter')
    .map(({ name, points }) => [
      name,
      rounded(
        points.reduce((sum, { value = 0 }) => sum + value, 0),
        DIGITS,
      ) ?? 0,
    ]);
}

// Of several series no one number would be true: those are in the list of instruments only.
function gauges(metrics: readonly MetricSnapshot[]): [string, number][] {
  return metrics
    .filter(({ type, points }) => type === 'gauge' && points.length === 1)
    .map(({ name, points }) => [name, rounded(points[0]?.value, DIGITS) ?? 0]);
}

function histograms(metrics: readonly MetricSnapshot[]): [string, MetricsOutput['histograms'][string]][] {
  return metrics
    .filter(({ type }) => type === 'histogram')
    .map(({ name, unit, points }) => [name, { unit, ...histogramAnswer(points) }]);
}

function histogramAnswer(points: readonly MetricPoint[]) {
  return summaryAnswer(
    summaryOf(points.map(({ histogram }) => histogram).filter((point) => point !== undefined)),
    DIGITS,
  );
}

function seriesOf({ name, type, unit, points }: MetricSnapshot): MetricsOutput['series'] {
  return points.map((point) => ({
    name,
    type,
    unit,
    labels: Object.fromEntries(Object.entries(point.labels).map(([key, value]) => [key, String(value)])),
    value: point.histogram === undefined ? rounded(point.value, DIGITS) : null,
    histogram: point.histogram === undefined ? null : histogramAnswer([point]),
  }));
}

function textOf({ window, operations, instruments, series, missing }: MetricsOutput): string {
  const lines = operations.slice(0, 5).map(({ operation, duration_ms: duration, error_count: errors }) => {
    return `${operation}: ${duration.count} in ${window.name}, ${errors} failed, p50 ${duration.p50} ms, p95 ${duration.p95} ms`;
  });
  for (const { name, labels, value, histogram } of series.slice(0, 20)) {
    lines.push(
      `${name} ${JSON.stringify(labels)}: ${histogram === null ? value : `${histogram.count}, p95 ${histogram.p95}`}`,
    );
  }
  lines.push(`${instruments.length} instruments; ask with names: ["..."] for one with its labels.`);
  if (missing.length > 0) lines.push(`Missing: ${missing.join('; ')}.`);
  return lines.join('\n');
}
