// The answer of get_server_health: the status with its reasons, from the samples of the last second.
import { fullestDisk, monitor } from '../health/monitor.ts';
import { isDraining, notReadyBecause } from '../health/readiness.ts';
import type { Reason } from '../health/status.ts';
import { breakers, exporters } from '../state/sources.ts';
import { serverNameOf } from '../state/servers.ts';
import { statsOf } from '../state/stats.ts';
import { coveredMs, type Counts, type Series } from '../stats/series.ts';
import { toolOf } from './operations.ts';
import { isoTime, missingParts, percent, rounded } from './figures.ts';
import type { HealthOutput } from './answers.ts';

const MAX_TOOLS = 20;

/** How the server is now. Waits for nothing but the very first sample. */
export async function healthAnswer(server: object): Promise<{ output: HealthOutput; text: string }> {
  await monitor.sampled();
  const name = serverNameOf(server);
  const { status, reasons } = monitor.health(name);
  const { readings, settings } = monitor;
  const stats = statsOf(name);
  const now = performance.now();
  const calls = stats.calls.read(settings.window, now);
  const sinceStart = stats.calls.counts('start', now);
  const tools = toolFigures(name, now);
  const notReady = notReadyBecause();
  const output: HealthOutput = {
    status,
    reasons: reasons.map(reasonAnswer),
    ready: notReady.length === 0,
    not_ready_causes: notReady,
    draining: isDraining(),
    uptime_seconds: Math.round(process.uptime()),
    window: {
      name: settings.window,
      covered_seconds: Math.round(coveredMs(settings.window, stats.startedAt, now) / 1e3),
    },
    request_count: calls.count,
    error_count: calls.blamed('failure'),
    caller_mistake_count: calls.blamed('mistake'),
    error_rate_percent: calls.count === 0 ? 0 : (percent(calls.blamed('failure') / calls.count) ?? 0),
    avg_response_time_ms: rounded(calls.durations.summary().avg),
    in_flight: stats.inFlight,
    last_error_time: isoTime(stats.lastFailureAt),
    since_start: {
      request_count: sinceStart.count,
      error_count: sinceStart.failures,
      caller_mistake_count: sinceStart.mistakes,
    },
    system_metrics: {
      cpu_percent: percent(readings?.cpu),
      memory_percent: percent(readings?.memory),
      disk_percent: percent(readings === undefined ? undefined : fullestDisk(readings)),
      cpu_limited_by: readings?.limitedBy.cpu ?? null,
      memory_limited_by: readings?.limitedBy.memory ?? null,
      event_loop_utilization_percent: percent(readings?.eventLoopUtilization),
      event_loop_delay_p99_ms: rounded(readings?.eventLoopDelayMs),
      sample_age_ms: rounded(monitor.sampleAgeMs, 0),
    },
    process: {
      cpu_cores: rounded(readings?.process.cpuCores),
      rss_bytes: readings?.process.rssBytes ?? null,
      heap_used_bytes: readings?.process.heapUsedBytes ?? null,
      heap_limit_bytes: readings?.process.heapLimitBytes ?? null,
      open_file_descriptors: readings?.process.fileDescriptors ?? null,
    },
    tools: tools.shown,
    more_tools: tools.more,
    breakers: breakers().map(({ name: breaker, state, since, failures, retryAfterMs, critical }) => ({
      name: breaker,
      state,
      since: isoTime(since),
      failures,
      retry_after_ms: rounded(retryAfterMs, 0),
      critical,
    })),
    checks: monitor.checks.results().map((check) => ({
      name: check.name,
      status: check.status,
      code: check.code ?? null,
      critical: check.critical,
      age_ms: rounded(check.ageMs, 0),
      duration_ms: rounded(check.durationMs),
    })),
    telemetry: exporters().map((exporter) => ({
      signal: exporter.signal,
      failing: exporter.failing,
      last_success_time: isoTime(exporter.lastSuccessAt),
      last_failure_time: isoTime(exporter.lastFailureAt),
      last_error: exporter.lastError ?? null,
      queue_size: exporter.queued ?? null,
      dropped: exporter.dropped,
    })),
    missing: missingParts(server),
  };
  return { output, text: textOf(output, settings.minCalls) };
}

// Distributions are read only of the tools that are shown: with hundreds of them that is most of the work.
function toolFigures(server: string, now: number): { shown: HealthOutput['tools']; more: number } {
  const { window } = monitor.settings;
  const tools: { name: string; series: Series; counts: Counts }[] = [];
  for (const { side, operation, series } of statsOf(server)) {
    const name = side === 'in' ? toolOf(operation) : undefined;
    if (name === undefined) continue;
    const counts = series.counts(window, now);
    if (counts.count > 0 || series.inFlight > 0) tools.push({ name, series, counts });
  }
  const worstFirst = tools.toSorted((a, b) => b.counts.failures - a.counts.failures || b.counts.count - a.counts.count);
  return {
    shown: worstFirst.slice(0, MAX_TOOLS).map(({ name, series, counts: { count, failures, mistakes } }) => {
      const { avg, p95 } = series.read(window, now).durations.summary();
      return {
        name,
        request_count: count,
        error_count: failures,
        caller_mistake_count: mistakes,
        error_rate_percent: count === 0 ? 0 : (percent(failures / count) ?? 0),
        avg_response_time_ms: rounded(avg),
        p95_response_time_ms: rounded(p95),
        in_flight: series.inFlight,
      };
    }),
    more: Math.max(0, tools.length - MAX_TOOLS),
  };
}

function reasonAnswer({
  metric,
  status,
  value,
  threshold,
  window,
  name,
  code,
}: Reason): HealthOutput['reasons'][number] {
  return {
    metric,
    status,
    value: typeof value === 'number' ? (rounded(value, 4) ?? 0) : value,
    threshold,
    window: window ?? null,
    name: name ?? null,
    code: code ?? null,
  };
}

function textOf(output: HealthOutput, minCalls: number): string {
  const { status, reasons, request_count: calls, error_count: errors, window, tools } = output;
  const why = reasons.map(
    ({ metric, name, value, threshold, code }) =>
      `${metric}${name === null ? '' : ` ${name}`} is ${value}${code === null ? '' : ` (${code})`}, expected ${typeof threshold === 'number' ? `at most ${threshold}` : threshold}`,
  );
  const lines = [
    `${status}${why.length === 0 ? '' : `: ${why.join('; ')}`}`,
    `${calls} calls in the last ${window.name}, ${errors} failed (${output.error_rate_percent} %), ${output.caller_mistake_count} were mistakes of callers.`,
  ];
  if (calls < minCalls) lines.push(`Fewer than ${minCalls} calls: no verdict on the error rate.`);
  const failing = tools.filter((tool) => tool.error_count > 0).slice(0, 3);
  if (failing.length > 0) {
    const list = failing.map((tool) => `${tool.name} ${tool.error_count} of ${tool.request_count}`);
    lines.push(`Failing: ${list.join(', ')}.`);
  }
  return lines.join('\n');
}
