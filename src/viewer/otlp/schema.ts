// The messages of OTLP: field numbers of protobuf and names of JSON, written once for reading and writing both.
// https://github.com/open-telemetry/opentelemetry-proto/tree/v1.9.0/opentelemetry/proto

/** How a field is written. `id` is bytes that JSON has as hexadecimal digits; other bytes are base64 there. */
export type Scalar =
  | 'string'
  | 'id'
  | 'bytes'
  | 'bool'
  | 'uint32'
  | 'sint32'
  | 'int64'
  | 'uint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed64'
  | 'double';

/** One field of a message. */
export interface Field {
  readonly number: number;
  readonly name: string;
  /** A scalar, the names of an enumeration in the order of their numbers, or another message. */
  readonly type: Scalar | readonly string[] | (() => Message);
  readonly repeated: boolean;
}

/** A message, by number and by name. */
export interface Message {
  readonly name: string;
  readonly byNumber: readonly (Field | undefined)[];
  readonly byName: ReadonlyMap<string, Field>;
}

type Spec = readonly [number: number, name: string, type: Field['type'], repeated?: 'repeated'];

function message(name: string, ...specs: readonly Spec[]): Message {
  const fields = specs.map(([number, fieldName, type, repeated]) => ({
    number,
    name: fieldName,
    type,
    repeated: repeated !== undefined,
  }));
  const byNumber: (Field | undefined)[] = [];
  for (const field of fields) byNumber[field.number] = field;
  return { name, byNumber, byName: new Map(fields.map((field) => [field.name, field])) };
}

const SPAN_KINDS = [
  'SPAN_KIND_UNSPECIFIED',
  'SPAN_KIND_INTERNAL',
  'SPAN_KIND_SERVER',
  'SPAN_KIND_CLIENT',
  'SPAN_KIND_PRODUCER',
  'SPAN_KIND_CONSUMER',
];
const STATUS_CODES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'];
const TEMPORALITIES = [
  'AGGREGATION_TEMPORALITY_UNSPECIFIED',
  'AGGREGATION_TEMPORALITY_DELTA',
  'AGGREGATION_TEMPORALITY_CUMULATIVE',
];
const SEVERITIES = [
  'SEVERITY_NUMBER_UNSPECIFIED',
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((level) =>
    ['', '2', '3', '4'].map((degree) => `SEVERITY_NUMBER_${level}${degree}`),
  ),
];

const attributes = (number: number, name = 'attributes'): Spec => [number, name, () => KEY_VALUE, 'repeated'];
const dropped = (number: number): Spec => [number, 'droppedAttributesCount', 'uint32'];

const ANY_VALUE: Message = message(
  'AnyValue',
  [1, 'stringValue', 'string'],
  [2, 'boolValue', 'bool'],
  [3, 'intValue', 'int64'],
  [4, 'doubleValue', 'double'],
  [5, 'arrayValue', () => ARRAY_VALUE],
  [6, 'kvlistValue', () => KEY_VALUE_LIST],
  [7, 'bytesValue', 'bytes'],
);
const ARRAY_VALUE: Message = message('ArrayValue', [1, 'values', () => ANY_VALUE, 'repeated']);
const KEY_VALUE_LIST: Message = message('KeyValueList', [1, 'values', () => KEY_VALUE, 'repeated']);
export const KEY_VALUE: Message = message('KeyValue', [1, 'key', 'string'], [2, 'value', () => ANY_VALUE]);

export const RESOURCE: Message = message('Resource', attributes(1), dropped(2));
export const SCOPE: Message = message(
  'InstrumentationScope',
  [1, 'name', 'string'],
  [2, 'version', 'string'],
  attributes(3),
  dropped(4),
);

const EVENT: Message = message(
  'Event',
  [1, 'timeUnixNano', 'fixed64'],
  [2, 'name', 'string'],
  attributes(3),
  dropped(4),
);
const LINK: Message = message(
  'Link',
  [1, 'traceId', 'id'],
  [2, 'spanId', 'id'],
  [3, 'traceState', 'string'],
  attributes(4),
  dropped(5),
  [6, 'flags', 'fixed32'],
);
const STATUS: Message = message('Status', [2, 'message', 'string'], [3, 'code', STATUS_CODES]);
export const SPAN: Message = message(
  'Span',
  [1, 'traceId', 'id'],
  [2, 'spanId', 'id'],
  [3, 'traceState', 'string'],
  [4, 'parentSpanId', 'id'],
  [5, 'name', 'string'],
  [6, 'kind', SPAN_KINDS],
  [7, 'startTimeUnixNano', 'fixed64'],
  [8, 'endTimeUnixNano', 'fixed64'],
  attributes(9),
  dropped(10),
  [11, 'events', () => EVENT, 'repeated'],
  [12, 'droppedEventsCount', 'uint32'],
  [13, 'links', () => LINK, 'repeated'],
  [14, 'droppedLinksCount', 'uint32'],
  [15, 'status', () => STATUS],
  [16, 'flags', 'fixed32'],
);

export const LOG_RECORD: Message = message(
  'LogRecord',
  [1, 'timeUnixNano', 'fixed64'],
  [2, 'severityNumber', SEVERITIES],
  [3, 'severityText', 'string'],
  [5, 'body', () => ANY_VALUE],
  attributes(6),
  dropped(7),
  [8, 'flags', 'fixed32'],
  [9, 'traceId', 'id'],
  [10, 'spanId', 'id'],
  [11, 'observedTimeUnixNano', 'fixed64'],
  [12, 'eventName', 'string'],
);

const EXEMPLAR: Message = message(
  'Exemplar',
  [2, 'timeUnixNano', 'fixed64'],
  [3, 'asDouble', 'double'],
  [4, 'spanId', 'id'],
  [5, 'traceId', 'id'],
  [6, 'asInt', 'sfixed64'],
  attributes(7, 'filteredAttributes'),
);
const start: Spec = [2, 'startTimeUnixNano', 'fixed64'];
const time: Spec = [3, 'timeUnixNano', 'fixed64'];
const NUMBER_POINT: Message = message(
  'NumberDataPoint',
  start,
  time,
  [4, 'asDouble', 'double'],
  [5, 'exemplars', () => EXEMPLAR, 'repeated'],
  [6, 'asInt', 'sfixed64'],
  attributes(7),
  [8, 'flags', 'uint32'],
);
const HISTOGRAM_POINT: Message = message(
  'HistogramDataPoint',
  start,
  time,
  [4, 'count', 'fixed64'],
  [5, 'sum', 'double'],
  [6, 'bucketCounts', 'fixed64', 'repeated'],
  [7, 'explicitBounds', 'double', 'repeated'],
  [8, 'exemplars', () => EXEMPLAR, 'repeated'],
  attributes(9),
  [10, 'flags', 'uint32'],
  [11, 'min', 'double'],
  [12, 'max', 'double'],
);
const BUCKETS: Message = message('Buckets', [1, 'offset', 'sint32'], [2, 'bucketCounts', 'uint64', 'repeated']);
const EXPONENTIAL_POINT: Message = message(
  'ExponentialHistogramDataPoint',
  attributes(1),
  start,
  time,
  [4, 'count', 'fixed64'],
  [5, 'sum', 'double'],
  [6, 'scale', 'sint32'],
  [7, 'zeroCount', 'fixed64'],
  [8, 'positive', () => BUCKETS],
  [9, 'negative', () => BUCKETS],
  [10, 'flags', 'uint32'],
  [11, 'exemplars', () => EXEMPLAR, 'repeated'],
  [12, 'min', 'double'],
  [13, 'max', 'double'],
  [14, 'zeroThreshold', 'double'],
);
const QUANTILE: Message = message('ValueAtQuantile', [1, 'quantile', 'double'], [2, 'value', 'double']);
const SUMMARY_POINT: Message = message(
  'SummaryDataPoint',
  start,
  time,
  [4, 'count', 'fixed64'],
  [5, 'sum', 'double'],
  [6, 'quantileValues', () => QUANTILE, 'repeated'],
  attributes(7),
  [8, 'flags', 'uint32'],
);
const points = (name: string, point: Message, ...more: readonly Spec[]): Message =>
  message(name, [1, 'dataPoints', () => point, 'repeated'], ...more);
const temporality: Spec = [2, 'aggregationTemporality', TEMPORALITIES];
const GAUGE = points('Gauge', NUMBER_POINT);
const SUM = points('Sum', NUMBER_POINT, temporality, [3, 'isMonotonic', 'bool']);
const HISTOGRAM = points('Histogram', HISTOGRAM_POINT, temporality);
const EXPONENTIAL = points('ExponentialHistogram', EXPONENTIAL_POINT, temporality);
const SUMMARY = points('Summary', SUMMARY_POINT);
const METRIC: Message = message(
  'Metric',
  [1, 'name', 'string'],
  [2, 'description', 'string'],
  [3, 'unit', 'string'],
  [5, 'gauge', () => GAUGE],
  [7, 'sum', () => SUM],
  [9, 'histogram', () => HISTOGRAM],
  [10, 'exponentialHistogram', () => EXPONENTIAL],
  [11, 'summary', () => SUMMARY],
  attributes(12, 'metadata'),
);

// resource, then scope, then items: the three requests differ in names only
function request(name: string, [resources, scopes, items]: readonly [string, string, string], item: Message): Message {
  const ofScope = message(`Scope${name}`, [1, 'scope', () => SCOPE], [2, items, () => item, 'repeated'], url);
  const ofResource = message(
    `Resource${name}`,
    [1, 'resource', () => RESOURCE],
    [2, scopes, () => ofScope, 'repeated'],
    url,
  );
  return message(`Export${name}ServiceRequest`, [1, resources, () => ofResource, 'repeated']);
}

const url: Spec = [3, 'schemaUrl', 'string'];

/** What a receiver is sent. */
export type Signal = 'traces' | 'metrics' | 'logs';

/** The body of an export request, by signal. */
export const REQUESTS: Readonly<Record<Signal, Message>> = {
  traces: request('Traces', ['resourceSpans', 'scopeSpans', 'spans'], SPAN),
  metrics: request('Metrics', ['resourceMetrics', 'scopeMetrics', 'metrics'], METRIC),
  logs: request('Logs', ['resourceLogs', 'scopeLogs', 'logRecords'], LOG_RECORD),
};
