// Schemas of the answers, for the OpenAPI document. A test holds real answers against them, so they are what shapes.ts is.

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const number: Schema = { type: 'number' };
const integer: Schema = { type: 'integer' };
const flag: Schema = { type: 'boolean' };
const attributes: Schema = { type: 'object', description: 'Values as they came.', additionalProperties: true };
const otlp: Schema = { type: 'object', description: 'In the shape of OTLP/JSON.', additionalProperties: true };
const list = (items: Schema): Schema => ({ type: 'array', items });
const orNull: Schema = { type: ['number', 'null'] };
const counts: Schema = { type: 'object', additionalProperties: integer };
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

// a name that ends in ? may be left out
function object(properties: Readonly<Record<string, Schema>>): Schema {
  const entries = Object.entries(properties);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace('?', ''), schema])),
    required: entries.map(([name]) => name).filter((name) => !name.endsWith('?')),
    additionalProperties: false,
  };
}

const window = { fromMs: number, toMs: number };
const spanReference = object({ traceId: text, spanId: text });
const bySignal = object({ traces: integer, metrics: integer, logs: integer });

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Error: object({ error: object({ httpCode: integer, message: text }) }),
  Status: object({
    version: text,
    nowMs: number,
    startedMs: number,
    endpoint: text,
    persistent: flag,
    bytes: number,
    maxBytes: number,
    maxAgeMs: number,
    spans: integer,
    traces: integer,
    logs: integer,
    instruments: integer,
    received: bySignal,
    rejected: bySignal,
    evictedTraces: integer,
  }),
  Facets: object({
    services: list(text),
    tools: list(text),
    methods: list(text),
    outcomes: list(text),
    errorCodes: list(text),
  }),
  TraceSummary: object({
    traceId: text,
    name: text,
    service: text,
    services: list(text),
    tool: text,
    method: text,
    startMs: number,
    durationMs: number,
    spans: integer,
    logs: integer,
    failed: flag,
    outcome: text,
    errorCode: text,
    errorType: text,
    retries: integer,
    parentMissing: flag,
  }),
  TraceList: object({ traces: list(ref('TraceSummary')), total: integer, 'next?': text }),
  Resource: object({ service: text, attributes }),
  Span: object({
    spanId: text,
    parentId: text,
    name: text,
    kind: integer,
    resource: integer,
    offsetNs: number,
    durationNs: number,
    failed: flag,
    tool: text,
    method: text,
    outcome: text,
    errorCode: text,
    errorType: text,
    exception: text,
    events: list(object({ name: text, offsetNs: number, 'attributes?': attributes })),
  }),
  Log: object({
    id: integer,
    timeMs: number,
    severity: integer,
    severityText: text,
    eventName: text,
    body: { description: 'Text, or any other value.' },
    attributes,
    service: text,
    traceId: text,
    spanId: text,
  }),
  TraceView: object({
    summary: ref('TraceSummary'),
    startUnixNano: text,
    durationNs: number,
    resources: list(ref('Resource')),
    spans: list(ref('Span')),
    logs: list(ref('Log')),
    spansLeftOut: integer,
    updatedMs: number,
  }),
  SpanDetail: object({
    spanId: text,
    startUnixNano: text,
    endUnixNano: text,
    statusMessage: text,
    traceState: text,
    attributes,
    events: list(object({ name: text, offsetNs: number, attributes })),
    links: list(object({ traceId: text, spanId: text, attributes })),
    linkedFrom: list(spanReference),
    scope: object({ name: text, version: text }),
    dropped: object({ attributes: integer, events: integer, links: integer }),
    otlp,
  }),
  SpanIds: object({ spanIds: list(text) }),
  Otlp: object({ resourceSpans: list(otlp) }),
  Operation: object({
    name: text,
    isTool: flag,
    calls: integer,
    errors: integer,
    outcomes: counts,
    p50Ms: number,
    p95Ms: number,
    p99Ms: number,
    maxMs: number,
    totalMs: number,
    retries: integer,
    lastMs: number,
    sparkline: list(integer),
  }),
  Series: object({
    timesMs: list(number),
    calls: list(integer),
    errors: list(integer),
    retries: list(integer),
    p50Ms: list(orNull),
    p95Ms: list(orNull),
    p99Ms: list(orNull),
  }),
  States: object({
    name: text,
    service: text,
    attributes,
    now: text,
    changes: list(object({ atMs: number, state: text, 'traceId?': text })),
  }),
  Overview: object({
    ...window,
    side: { type: 'string', enum: ['server', 'client'] },
    total: ref('Operation'),
    series: ref('Series'),
    operations: list(ref('Operation')),
    breakers: list(ref('States')),
    health: list(ref('States')),
    failures: list(ref('TraceSummary')),
  }),
  ToolView: object({
    ...window,
    stats: ref('Operation'),
    series: ref('Series'),
    heatmap: object({
      timesMs: list(number),
      boundsMs: list(number),
      counts: list(list(integer)),
      errors: list(list(integer)),
    }),
    errors: list(object({ code: text, count: integer })),
    slowest: list(ref('TraceSummary')),
    failing: list(ref('TraceSummary')),
  }),
  LogList: object({ logs: list(ref('Log')), total: integer, 'next?': text }),
  Instrument: object({
    name: text,
    kind: text,
    unit: text,
    description: text,
    scope: text,
    monotonic: flag,
    series: integer,
  }),
  Instruments: object({ instruments: list(ref('Instrument')) }),
  MetricView: object({
    ...window,
    instrument: ref('Instrument'),
    meaning: { type: 'string', enum: ['value', 'per second', 'mean'] },
    timesMs: list(number),
    series: list(
      object({
        attributes,
        service: text,
        value: list(orNull),
        'p50?': list(orNull),
        'p95?': list(orNull),
        'p99?': list(orNull),
        latest: orNull,
      }),
    ),
    exemplars: list(object({ timeMs: number, value: number, traceId: text, spanId: text })),
  }),
  Server: object({
    service: text,
    resources: list(ref('Resource')),
    scopes: list(text),
    protocolVersions: list(text),
    sessions: list(object({ id: text, firstMs: number, lastMs: number, calls: integer })),
    sessionCount: integer,
    spans: integer,
    firstMs: number,
    lastMs: number,
    health: list(ref('States')),
    breakers: list(ref('States')),
  }),
  Servers: object({ servers: list(ref('Server')) }),
  Change: object({
    signals: list(text),
    traceIds: list(text),
    spans: integer,
    traces: integer,
  }),
  JaegerServices: object({ services: list(text) }),
  JaegerOperations: object({ operations: list(object({ name: text, spanKind: text })) }),
  JaegerResult: object({ result: object({ resourceSpans: list(otlp) }) }),
};
