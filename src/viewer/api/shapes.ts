// What the API answers: the types that the server writes and the page reads. Times are ms since the epoch, durations
// and offsets within a trace are ns; docs/viewer.md and /api/openapi.json describe them.
import type { Attributes, Value } from '../store/values.ts';

export type { Attributes, Value };

/** A trace in a list. */
export interface TraceSummary {
  readonly traceId: string;
  /** Of its root span. */
  readonly name: string;
  readonly service: string;
  readonly services: readonly string[];
  readonly tool: string;
  readonly method: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly spans: number;
  readonly logs: number;
  readonly failed: boolean;
  readonly outcome: string;
  readonly errorCode: string;
  /** What failed: the type of the exception, else `error.type`. */
  readonly errorType: string;
  readonly retries: number;
  /** A span names a parent that has not come. */
  readonly parentMissing: boolean;
}

export interface TraceList {
  readonly traces: readonly TraceSummary[];
  readonly total: number;
  /** For the next page; absent on the last. */
  readonly next?: string | undefined;
}

export interface ResourceView {
  readonly service: string;
  readonly attributes: Attributes;
}

export interface EventMark {
  readonly name: string;
  readonly offsetNs: number;
  /** Of toolspan's own events only; the rest comes with the span. */
  readonly attributes?: Attributes | undefined;
}

/** A span as the waterfall needs it. */
export interface SpanRow {
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  /** Place in `resources`. */
  readonly resource: number;
  readonly offsetNs: number;
  readonly durationNs: number;
  readonly failed: boolean;
  readonly tool: string;
  readonly method: string;
  readonly outcome: string;
  readonly errorCode: string;
  readonly errorType: string;
  readonly exception: string;
  readonly events: readonly EventMark[];
}

export interface LogView {
  readonly id: number;
  readonly timeMs: number;
  readonly severity: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: Value;
  readonly attributes: Attributes;
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
}

export interface TraceView {
  readonly summary: TraceSummary;
  readonly startUnixNano: string;
  readonly durationNs: number;
  readonly resources: readonly ResourceView[];
  readonly spans: readonly SpanRow[];
  readonly logs: readonly LogView[];
  /** Spans beyond the limit of one answer. */
  readonly spansLeftOut: number;
  /** When the latest span came. */
  readonly updatedMs: number;
}

export interface EventView {
  readonly name: string;
  readonly offsetNs: number;
  readonly attributes: Attributes;
}

export interface LinkView {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

/** A span with everything that came. */
export interface SpanDetail {
  readonly spanId: string;
  readonly startUnixNano: string;
  readonly endUnixNano: string;
  readonly statusMessage: string;
  readonly traceState: string;
  readonly attributes: Attributes;
  readonly events: readonly EventView[];
  readonly links: readonly LinkView[];
  /** Spans elsewhere that link to this one. */
  readonly linkedFrom: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly scope: { readonly name: string; readonly version: string };
  /** What the sender had dropped before it sent. */
  readonly dropped: { readonly attributes: number; readonly events: number; readonly links: number };
  /** The span in the shape of OTLP/JSON. */
  readonly otlp: object;
}

/** Calls of one tool, or of one method that calls none. */
export interface OperationStats {
  readonly name: string;
  readonly isTool: boolean;
  readonly calls: number;
  readonly errors: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly totalMs: number;
  readonly retries: number;
  readonly lastMs: number;
  /** Calls by part of the window. */
  readonly sparkline: readonly number[];
}

/** Values by part of the window; a quantile is null where nothing was called. */
export interface CallSeries {
  readonly timesMs: readonly number[];
  readonly calls: readonly number[];
  readonly errors: readonly number[];
  readonly retries: readonly number[];
  readonly p50Ms: readonly (number | null)[];
  readonly p95Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

export interface StateTimeline {
  readonly name: string;
  readonly service: string;
  readonly attributes: Attributes;
  readonly now: string;
  readonly changes: readonly { readonly atMs: number; readonly state: string; readonly traceId?: string | undefined }[];
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Overview extends Window {
  /** Which side of the calls was counted: the server's where there is any. */
  readonly side: 'server' | 'client';
  readonly total: OperationStats;
  readonly series: CallSeries;
  readonly operations: readonly OperationStats[];
  readonly breakers: readonly StateTimeline[];
  readonly health: readonly StateTimeline[];
  readonly failures: readonly TraceSummary[];
}

export interface Heatmap {
  readonly timesMs: readonly number[];
  /** Upper bounds of the rows, in ms. */
  readonly boundsMs: readonly number[];
  /** By row, then by time. */
  readonly counts: readonly (readonly number[])[];
  /** Errors among them. */
  readonly errors: readonly (readonly number[])[];
}

export interface ToolView extends Window {
  readonly stats: OperationStats;
  readonly series: CallSeries;
  readonly heatmap: Heatmap;
  readonly errors: readonly { readonly code: string; readonly count: number }[];
  readonly slowest: readonly TraceSummary[];
  readonly failing: readonly TraceSummary[];
}

export interface LogList {
  readonly logs: readonly LogView[];
  readonly total: number;
  readonly next?: string | undefined;
}

export interface InstrumentSummary {
  readonly name: string;
  readonly kind: string;
  readonly unit: string;
  readonly description: string;
  readonly scope: string;
  readonly monotonic: boolean;
  readonly series: number;
}

export interface MetricSeries {
  readonly attributes: Attributes;
  readonly service: string;
  /** What `value` is of. */
  readonly value: readonly (number | null)[];
  readonly p50?: readonly (number | null)[] | undefined;
  readonly p95?: readonly (number | null)[] | undefined;
  readonly p99?: readonly (number | null)[] | undefined;
  readonly latest: number | null;
}

export interface MetricView extends Window {
  readonly instrument: InstrumentSummary;
  /** What `value` means: the reading itself, or its increase a second, or the mean of what was measured. */
  readonly meaning: 'value' | 'per second' | 'mean';
  readonly timesMs: readonly number[];
  readonly series: readonly MetricSeries[];
  readonly exemplars: readonly {
    readonly timeMs: number;
    readonly value: number;
    readonly traceId: string;
    readonly spanId: string;
  }[];
}

export interface SessionView {
  readonly id: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly calls: number;
}

export interface ServerView {
  readonly service: string;
  readonly resources: readonly ResourceView[];
  readonly scopes: readonly string[];
  readonly protocolVersions: readonly string[];
  readonly sessions: readonly SessionView[];
  readonly sessionCount: number;
  readonly spans: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly health: readonly StateTimeline[];
  readonly breakers: readonly StateTimeline[];
}

export interface Facets {
  readonly services: readonly string[];
  readonly tools: readonly string[];
  readonly methods: readonly string[];
  readonly outcomes: readonly string[];
  readonly errorCodes: readonly string[];
}

export interface Status {
  readonly version: string;
  readonly nowMs: number;
  readonly startedMs: number;
  readonly endpoint: string;
  /** A file keeps what was received over a restart. */
  readonly persistent: boolean;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly spans: number;
  readonly traces: number;
  readonly logs: number;
  readonly instruments: number;
  readonly received: Readonly<Record<'traces' | 'metrics' | 'logs', number>>;
  readonly rejected: Readonly<Record<'traces' | 'metrics' | 'logs', number>>;
  readonly evictedTraces: number;
}

/** What the stream of events says: something came, and of which traces. */
export interface Change {
  readonly signals: readonly ('traces' | 'metrics' | 'logs')[];
  /** Empty where there were too many to name. */
  readonly traceIds: readonly string[];
  readonly spans: number;
  readonly traces: number;
}
