// The answers of the agent's tools, as they stand on the wire: snake_case, null where there is no value.
import type { ErrorCode } from '../errors/error-code.ts';
import type { HealthStatus } from '../health/status.ts';
import type { BreakerSnapshot, ExporterSnapshot, MetricSnapshot } from '../state/sources.ts';
import type { WindowName } from '../stats/series.ts';
import type { Scope } from './access.ts';

/** The tools that there are. */
export type ObservabilityTool = 'get_server_health' | 'get_server_metrics' | 'get_recent_errors' | 'get_trace';

/** A distribution; its unit stands beside it. */
export interface SummaryAnswer {
  readonly count: number;
  readonly sum: number | null;
  readonly avg: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** The time that figures are of. */
export interface WindowAnswer {
  readonly name: WindowName;
  readonly covered_seconds: number;
}

/** A cause of a status. */
export interface ReasonAnswer {
  readonly metric: string;
  readonly status: Exclude<HealthStatus, 'healthy'>;
  readonly value: number | string;
  readonly threshold: number | string;
  readonly window: string | null;
  readonly name: string | null;
  readonly code: string | null;
}

/** The figures of one tool. */
export interface ToolAnswer {
  readonly name: string;
  readonly request_count: number;
  readonly error_count: number;
  readonly caller_mistake_count: number;
  readonly error_rate_percent: number;
  readonly avg_response_time_ms: number | null;
  readonly p95_response_time_ms: number | null;
  readonly in_flight: number;
}

/** What `get_server_health` answers. */
export interface HealthOutput {
  readonly status: HealthStatus;
  readonly reasons: readonly ReasonAnswer[];
  readonly ready: boolean;
  readonly not_ready_causes: readonly string[];
  readonly draining: boolean;
  readonly uptime_seconds: number;
  readonly window: WindowAnswer;
  readonly request_count: number;
  readonly error_count: number;
  readonly caller_mistake_count: number;
  readonly error_rate_percent: number;
  readonly avg_response_time_ms: number | null;
  readonly in_flight: number;
  readonly last_error_time: string | null;
  readonly since_start: {
    readonly request_count: number;
    readonly error_count: number;
    readonly caller_mistake_count: number;
  };
  readonly system_metrics: {
    readonly cpu_percent: number | null;
    readonly memory_percent: number | null;
    readonly disk_percent: number | null;
    readonly cpu_limited_by: 'container' | 'host' | null;
    readonly memory_limited_by: 'container' | 'host' | null;
    readonly event_loop_utilization_percent: number | null;
    readonly event_loop_delay_p99_ms: number | null;
    readonly sample_age_ms: number | null;
  };
  readonly process: {
    readonly cpu_cores: number | null;
    readonly rss_bytes: number | null;
    readonly heap_used_bytes: number | null;
    readonly heap_limit_bytes: number | null;
    readonly open_file_descriptors: number | null;
  };
  readonly tools: readonly ToolAnswer[];
  readonly more_tools: number;
  readonly breakers: readonly {
    readonly name: string;
    readonly state: BreakerSnapshot['state'];
    readonly since: string | null;
    readonly failures: number;
    readonly retry_after_ms: number | null;
    readonly critical: boolean;
  }[];
  readonly checks: readonly {
    readonly name: string;
    readonly status: HealthStatus | 'unknown';
    readonly code: string | null;
    readonly critical: boolean;
    readonly age_ms: number | null;
    readonly duration_ms: number | null;
  }[];
  readonly telemetry: readonly {
    readonly signal: ExporterSnapshot['signal'];
    readonly failing: boolean;
    readonly last_success_time: string | null;
    readonly last_failure_time: string | null;
    readonly last_error: string | null;
    readonly queue_size: number | null;
    readonly dropped: number;
  }[];
  readonly missing: readonly string[];
}

/** The figures of one kind of operation. */
export interface OperationAnswer {
  readonly operation: string;
  readonly side: 'server' | 'client';
  readonly in_flight: number;
  readonly error_count: number;
  readonly caller_mistake_count: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly codes: Readonly<Record<string, number>>;
  readonly duration_ms: SummaryAnswer;
}

/** One label set of an instrument. */
export interface SeriesAnswer {
  readonly name: string;
  readonly type: MetricSnapshot['type'];
  readonly unit: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | null;
  readonly histogram: SummaryAnswer | null;
}

/** What `get_server_metrics` answers. */
export interface MetricsOutput {
  readonly window: WindowAnswer;
  readonly operations: readonly OperationAnswer[];
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
  readonly histograms: Readonly<Record<string, SummaryAnswer & { readonly unit: string }>>;
  readonly instruments: readonly {
    readonly name: string;
    readonly type: MetricSnapshot['type'];
    readonly unit: string;
    readonly series: number;
  }[];
  readonly series: readonly SeriesAnswer[];
  readonly more_series: number;
  readonly missing: readonly string[];
}

/** A call that failed. */
export interface ErrorAnswer {
  readonly time: string;
  readonly method: string;
  readonly tool: string | null;
  readonly code: ErrorCode;
  readonly outcome: string;
  readonly message: string;
  readonly advice: string;
  readonly duration_ms: number;
  readonly trace_id: string | null;
  readonly link: string | null;
}

/** What `get_recent_errors` answers. */
export interface ErrorsOutput {
  readonly scope: Scope;
  readonly errors: readonly ErrorAnswer[];
  readonly more: number;
}

/** The attributes of a span or event. */
export type AttributesAnswer = Readonly<Record<string, string | number | boolean>>;

/** A span of a trace. */
export interface SpanAnswer {
  readonly span_id: string;
  readonly parent_span_id: string | null;
  readonly depth: number;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly start_ms: number;
  readonly duration_ms: number;
  readonly failed: boolean;
  readonly error: string | null;
  readonly attributes: AttributesAnswer;
  readonly events: readonly { readonly name: string; readonly at_ms: number; readonly attributes: AttributesAnswer }[];
}

/** What `get_trace` answers. */
export interface TraceOutput {
  readonly trace_id: string;
  readonly found: boolean;
  readonly duration_ms: number | null;
  readonly spans: readonly SpanAnswer[];
  readonly more_spans: number;
  readonly link: string | null;
}
