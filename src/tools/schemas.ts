// What the agent's tools take and answer. The only module that loads zod; it is loaded when tools are registered.
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../errors/error-code.ts';
import { WINDOWS } from '../stats/series.ts';
import type { ErrorsOutput, HealthOutput, MetricsOutput, ObservabilityTool, TraceOutput } from './answers.ts';

const count = z.int().min(0);
const status = z.enum(['healthy', 'degraded', 'unhealthy']);
const number = z.number().nullable();
const time = z.string().nullable();
const code = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);
const traceId = z.string().regex(/^[0-9a-f]{32}$/, 'a trace id has 32 hexadecimal digits');
const summary = z.object({
  count,
  sum: number,
  avg: number,
  min: number,
  max: number,
  p50: number,
  p95: number,
  p99: number,
});
const window = z.object({ name: z.enum(WINDOWS), covered_seconds: count });

const healthOutput: z.ZodType<HealthOutput> = z.object({
  status: status.describe('The worst of all reasons'),
  reasons: z.array(
    z.object({
      metric: z.string(),
      status: z.enum(['degraded', 'unhealthy']),
      value: z.union([z.number(), z.string()]),
      threshold: z.union([z.number(), z.string()]),
      window: z.string().nullable(),
      name: z.string().nullable().describe('Which check, breaker or signal'),
      code: z.string().nullable(),
    }),
  ),
  ready: z.boolean(),
  not_ready_causes: z.array(z.string()),
  draining: z.boolean(),
  uptime_seconds: count,
  window: window.describe('The time that the counts, the error rate and the response times are of'),
  request_count: count.describe('Calls of tools, prompts and resources'),
  error_count: count.describe('Calls that the server failed; mistakes of callers are not among them'),
  caller_mistake_count: count,
  error_rate_percent: z.number(),
  avg_response_time_ms: number,
  in_flight: count,
  last_error_time: time,
  since_start: z.object({ request_count: count, error_count: count, caller_mistake_count: count }),
  system_metrics: z.object({
    cpu_percent: number,
    memory_percent: number,
    disk_percent: number,
    cpu_limited_by: z.enum(['container', 'host']).nullable(),
    memory_limited_by: z.enum(['container', 'host']).nullable(),
    event_loop_utilization_percent: number,
    event_loop_delay_p99_ms: number,
    sample_age_ms: number,
  }),
  process: z.object({
    cpu_cores: number,
    rss_bytes: number,
    heap_used_bytes: number,
    heap_limit_bytes: number,
    open_file_descriptors: number,
  }),
  tools: z.array(
    z.object({
      name: z.string(),
      request_count: count,
      error_count: count,
      caller_mistake_count: count,
      error_rate_percent: z.number(),
      avg_response_time_ms: number,
      p95_response_time_ms: number,
      in_flight: count,
    }),
  ),
  more_tools: count,
  breakers: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['closed', 'open', 'half_open', 'isolated']),
      since: time,
      failures: count,
      retry_after_ms: number,
      critical: z.boolean(),
    }),
  ),
  checks: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['healthy', 'degraded', 'unhealthy', 'unknown']),
      code: z.string().nullable(),
      critical: z.boolean(),
      age_ms: number,
      duration_ms: number,
    }),
  ),
  telemetry: z.array(
    z.object({
      signal: z.enum(['traces', 'metrics', 'logs']),
      failing: z.boolean(),
      last_success_time: time,
      last_failure_time: time,
      last_error: z.string().nullable(),
      queue_size: number,
      dropped: count,
    }),
  ),
  missing: z.array(z.string()).describe('What this process cannot tell, and what would change that'),
});

const metricsOutput: z.ZodType<MetricsOutput> = z.object({
  window: window.describe('The time that "operations" are of; all else is since the start'),
  operations: z.array(
    z.object({
      operation: z.string(),
      side: z.enum(['server', 'client']),
      in_flight: count,
      error_count: count,
      caller_mistake_count: count,
      outcomes: z.record(z.string(), count),
      codes: z.record(z.string(), count),
      duration_ms: summary,
    }),
  ),
  counters: z.record(z.string(), z.number()),
  gauges: z.record(z.string(), z.number()),
  histograms: z.record(z.string(), summary.extend({ unit: z.string() })),
  instruments: z.array(
    z.object({ name: z.string(), type: z.enum(['counter', 'gauge', 'histogram']), unit: z.string(), series: count }),
  ),
  series: z.array(
    z.object({
      name: z.string(),
      type: z.enum(['counter', 'gauge', 'histogram']),
      unit: z.string(),
      labels: z.record(z.string(), z.string()),
      value: number,
      histogram: summary.nullable(),
    }),
  ),
  more_series: count,
  missing: z.array(z.string()),
});

const errorsOutput: z.ZodType<ErrorsOutput> = z.object({
  scope: z.enum(['all', 'session', 'trace']).describe('Whose errors these are: all, your session, or one trace'),
  errors: z.array(
    z.object({
      time: z.string(),
      method: z.string(),
      tool: z.string().nullable(),
      code,
      outcome: z.string(),
      message: z.string(),
      advice: z.string(),
      duration_ms: z.number(),
      trace_id: z.string().nullable(),
      link: z.string().nullable(),
    }),
  ),
  more: count,
});

const attributes = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const traceOutput: z.ZodType<TraceOutput> = z.object({
  trace_id: z.string(),
  found: z.boolean(),
  duration_ms: number,
  spans: z.array(
    z.object({
      span_id: z.string(),
      parent_span_id: z.string().nullable(),
      depth: count.describe('0 for a root; parents stand before their children'),
      name: z.string(),
      kind: z.enum(['internal', 'server', 'client', 'producer', 'consumer']),
      start_ms: z.number().describe('Since the start of the trace'),
      duration_ms: z.number(),
      failed: z.boolean(),
      error: z.string().nullable(),
      attributes,
      events: z.array(z.object({ name: z.string(), at_ms: z.number(), attributes })),
    }),
  ),
  more_spans: count,
  link: z.string().nullable(),
});

/** What one tool takes and answers. */
export interface ToolSchemas {
  readonly inputSchema: z.ZodType;
  readonly outputSchema: z.ZodType;
}

/** Input and output of each tool. */
export const SCHEMAS: Readonly<Record<ObservabilityTool, ToolSchemas>> = {
  get_server_health: { inputSchema: z.object({}), outputSchema: healthOutput },
  get_server_metrics: {
    inputSchema: z.object({
      tool: z.string().max(128).optional().describe('Only what is about this tool'),
      window: z.enum(WINDOWS).optional().describe('Of the figures of operations; 5m unless told'),
      names: z
        .array(z.string().max(256))
        .max(20)
        .optional()
        .describe('Instruments to show with their labels; without it each is shown as one number'),
    }),
    outputSchema: metricsOutput,
  },
  get_recent_errors: {
    inputSchema: z.object({
      tool: z.string().max(128).optional().describe('Only calls of this tool'),
      code: code.optional().describe('Only this error code'),
      since: z.iso.datetime({ offset: true }).optional().describe('Only what ended at or after this time (ISO 8601)'),
      trace_id: traceId.optional().describe('Only this trace'),
      limit: z.int().min(1).max(50).optional().describe('Most errors to show; 10 unless told'),
    }),
    outputSchema: errorsOutput,
  },
  get_trace: {
    inputSchema: z.object({ trace_id: traceId.describe('As a failed call or get_recent_errors names it') }),
    outputSchema: traceOutput,
  },
};
