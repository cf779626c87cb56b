// Bodies of export requests in OTLP/JSON, from what a test wants to say.
import { randomBytes } from 'node:crypto';

type Value = string | number | boolean;
export type Attributes = Readonly<Record<string, Value>>;

export interface SampleSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  /** Ms since the epoch. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly attributes?: Attributes;
  readonly events?: readonly { readonly name: string; readonly atMs: number; readonly attributes?: Attributes }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly error?: string;
}

export interface SampleLog {
  readonly timeMs: number;
  readonly severity: number;
  readonly body: string;
  readonly eventName?: string;
  readonly attributes?: Attributes;
  readonly traceId?: string;
  readonly spanId?: string;
}

export interface SamplePoint {
  readonly timeMs: number;
  readonly startMs?: number;
  readonly value: number;
  readonly attributes?: Attributes;
}

export const traceId = (): string => randomBytes(16).toString('hex');
export const spanId = (): string => randomBytes(8).toString('hex');
export const nanos = (ms: number): string =>
  String(BigInt(Math.floor(ms)) * 1_000_000n + BigInt(Math.round((ms % 1) * 1e6)));

export function keyValues(attributes: Attributes = {}): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : typeof value === 'boolean'
          ? { boolValue: value }
          : Number.isInteger(value)
            ? { intValue: String(value) }
            : { doubleValue: value },
  }));
}

const resource = (service: string) => ({
  attributes: keyValues({
    'service.name': service,
    'service.version': '1.4.2',
    'service.instance.id': 'b6b0f0f2-5a55-4a55-9d0a-3a2f1f6f2b11',
    'process.pid': 4711,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': '24.21.0',
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.sdk.version': '3.1.0',
  }),
});

/** The body of an export request of spans. */
export function spansBody(spans: readonly SampleSpan[], service = 'weather'): object {
  return {
    resourceSpans: [
      {
        resource: resource(service),
        scopeSpans: [
          {
            scope: { name: 'toolspan', version: '0.1.0' },
            spans: spans.map((span) => ({
              traceId: span.traceId,
              spanId: span.spanId,
              parentSpanId: span.parentSpanId ?? '',
              name: span.name,
              kind: span.kind,
              startTimeUnixNano: nanos(span.startMs),
              endTimeUnixNano: nanos(span.startMs + span.durationMs),
              attributes: keyValues(span.attributes),
              events: (span.events ?? []).map(({ name, atMs, attributes }) => ({
                name,
                timeUnixNano: nanos(atMs),
                attributes: keyValues(attributes),
              })),
              links: span.links ?? [],
              status: span.error === undefined ? {} : { code: 2, message: span.error },
            })),
          },
        ],
      },
    ],
  };
}

/** The body of an export request of log records. */
export function logsBody(logs: readonly SampleLog[], service = 'weather'): object {
  return {
    resourceLogs: [
      {
        resource: resource(service),
        scopeLogs: [
          {
            scope: { name: 'toolspan' },
            logRecords: logs.map((log) => ({
              timeUnixNano: nanos(log.timeMs),
              severityNumber: log.severity,
              severityText: ['', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'][Math.ceil(log.severity / 4)] ?? '',
              body: { stringValue: log.body },
              eventName: log.eventName ?? '',
              attributes: keyValues(log.attributes),
              traceId: log.traceId ?? '',
              spanId: log.spanId ?? '',
            })),
          },
        ],
      },
    ],
  };
}

/** The body of an export request of one instrument of numbers. */
export function numbersBody(
  name: string,
  kind: 'gauge' | 'sum',
  points: readonly SamplePoint[],
  more: object = {},
): object {
  return metricsBody([
    {
      name,
      unit: '1',
      description: `What ${name} is.`,
      [kind]: {
        ...(kind === 'sum' && { aggregationTemporality: 2, isMonotonic: true, ...more }),
        dataPoints: points.map(({ timeMs, startMs, value, attributes }) => ({
          timeUnixNano: nanos(timeMs),
          startTimeUnixNano: nanos(startMs ?? 0),
          asDouble: value,
          attributes: keyValues(attributes),
        })),
      },
    },
  ]);
}

/** The body of an export request of instruments in OTLP/JSON. */
export function metricsBody(metrics: readonly object[], service = 'weather'): object {
  return {
    resourceMetrics: [{ resource: resource(service), scopeMetrics: [{ scope: { name: 'toolspan' }, metrics }] }],
  };
}

export async function post(endpoint: string, signal: 'traces' | 'metrics' | 'logs', body: object): Promise<void> {
  const response = await fetch(`${endpoint}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${signal}: ${response.status} ${await response.text()}`);
}
