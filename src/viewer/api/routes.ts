// Every route of the API that answers JSON: path, parameters and answer in one table, which the OpenAPI document is
// written from.
import type { TraceQuery } from '../store/search.ts';
import { positionOf, searchTraces } from '../store/search.ts';
import type { Store } from '../store/store.ts';
import type { TraceRecord } from '../store/trace-record.ts';
import { logList } from './logs.ts';
import { instrumentSummary, metricView } from './metrics.ts';
import { overview, toolView } from './overview.ts';
import {
  BadRequest,
  BINS,
  FROM,
  LIMIT,
  LOG_FILTERS,
  SERVICE,
  TEXT,
  TO,
  TRACE_FILTERS,
  TRACE_ID,
  type Given,
  type Parameter,
} from './parameters.ts';
import { facets, serverViews } from './servers.ts';
import type { Status, TraceList } from './shapes.ts';
import { summarise } from './summaries.ts';
import { findInTrace, spanDetail, traceAsOtlp, traceView } from './traces.ts';

/** What a route answers from. */
export interface Sources {
  readonly store: Store;
  readonly status: () => Status;
}

/** A route of the API. */
export interface Route {
  readonly path: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  /** The schema of the answer in the OpenAPI document. */
  readonly answers: string;
  /** Nothing where what is asked for is not there. */
  readonly answer: (sources: Sources, given: Given) => object | undefined;
}

const DEFAULT_LIMIT = 50;
const DEFAULT_BINS = 60;

const SPAN_ID: Parameter = { ...TRACE_ID, name: 'spanId', description: '16 hexadecimal digits.' };
const NAME: Parameter = { ...TRACE_ID, name: 'name', description: 'As it was sent.' };

export const ROUTES: readonly Route[] = [
  {
    path: '/api/status',
    summary: 'What is held, and what was refused or let go.',
    parameters: [],
    answers: 'Status',
    answer: ({ status }) => status(),
  },
  {
    path: '/api/facets',
    summary: 'Services, tools, methods, outcomes and error codes that there are.',
    parameters: [],
    answers: 'Facets',
    answer: ({ store }) => facets(store),
  },
  {
    path: '/api/overview',
    summary: 'Calls by tool and time, circuit breakers, health, and the latest failures.',
    parameters: [FROM, TO, BINS, SERVICE],
    answers: 'Overview',
    answer: ({ store }, given) => overview(store, given.window(store.now()), binsOf(given), given.text('service')),
  },
  {
    path: '/api/tools/{name}',
    summary: 'One tool: its durations over time, errors by code, slowest and latest failing traces.',
    parameters: [NAME, FROM, TO, BINS],
    answers: 'ToolView',
    answer: ({ store }, given) => toolView(store, given.path('name'), given.window(store.now()), binsOf(given)),
  },
  {
    path: '/api/traces',
    summary: 'Traces, newest or slowest first.',
    parameters: TRACE_FILTERS,
    answers: 'TraceList',
    answer: ({ store }, given) => traceList(store, traceQuery(given)),
  },
  {
    path: '/api/traces/{traceId}',
    summary: 'One trace with its spans and log records.',
    parameters: [TRACE_ID],
    answers: 'TraceView',
    answer: ({ store }, given) => withTrace(store, given, (trace) => traceView(store, trace)),
  },
  {
    path: '/api/traces/{traceId}/spans/{spanId}',
    summary: 'One span with its attributes, events and links.',
    parameters: [TRACE_ID, SPAN_ID],
    answers: 'SpanDetail',
    answer: ({ store }, given) =>
      withTrace(store, given, (trace) => spanDetail(store, trace, given.path('spanId').toLowerCase())),
  },
  {
    path: '/api/traces/{traceId}/find',
    summary: 'Ids of the spans of a trace that have a text.',
    parameters: [TRACE_ID, TEXT],
    answers: 'SpanIds',
    answer: ({ store }, given) =>
      withTrace(store, given, (trace) => ({ spanIds: findInTrace(store, trace, given.text('text') ?? '') })),
  },
  {
    path: '/api/traces/{traceId}/otlp',
    summary: 'One trace as an export request in OTLP/JSON, which any receiver takes.',
    parameters: [TRACE_ID],
    answers: 'Otlp',
    answer: ({ store }, given) => withTrace(store, given, (trace) => traceAsOtlp(store, trace)),
  },
  {
    path: '/api/logs',
    summary: 'Log records, newest first.',
    parameters: LOG_FILTERS,
    answers: 'LogList',
    answer: ({ store }, given) => {
      const after = given.after();
      return logList(store, {
        service: given.text('service'),
        minSeverity: given.integer('severity', 1, 24),
        traceId: given.text('trace_id'),
        words: given.words(),
        fromMs: given.time('from'),
        toMs: given.time('to'),
        limit: limitOf(given),
        ...(after !== undefined && { after: { timeMs: after[0], number: Number(after[1]) } }),
      });
    },
  },
  {
    path: '/api/metrics',
    summary: 'Instruments that there are.',
    parameters: [],
    answers: 'Instruments',
    answer: ({ store }) => ({
      instruments: [...store.metrics.instruments.values()]
        .map(instrumentSummary)
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    }),
  },
  {
    path: '/api/metrics/{name}',
    summary: 'One instrument over time.',
    parameters: [NAME, FROM, TO, BINS, SERVICE],
    answers: 'MetricView',
    answer: ({ store }, given) => {
      const instrument = store.metrics.instruments.get(given.path('name'));
      if (instrument === undefined) return undefined;
      return metricView(instrument, given.window(store.now()), binsOf(given), given.text('service'));
    },
  },
  {
    path: '/api/servers',
    summary: 'Who sends: resources, protocol versions, sessions, health and circuit breakers.',
    parameters: [FROM, TO],
    answers: 'Servers',
    answer: ({ store }, given) => ({ servers: serverViews(store, given.window(store.now())) }),
  },
];

/** Finds traces, in the answer's shape. */
export function traceList(store: Store, query: TraceQuery): TraceList {
  const { traces, total } = searchTraces(store.spans, query);
  const last = traces.at(-1);
  const isLast = last === undefined || traces.length < query.limit;
  const { value, traceId } = last === undefined ? { value: 0, traceId: '' } : positionOf(last, query.sort);
  return {
    traces: traces.map((trace) => summarise(store, trace)),
    total,
    ...(!isLast && { next: `${value}_${traceId}` }),
  };
}

function traceQuery(given: Given): TraceQuery {
  const columns = {
    tool: given.text('tool'),
    method: given.text('method'),
    name: given.text('operation'),
    outcome: given.text('outcome'),
    errorCode: given.text('error_code'),
    sessionId: given.text('session'),
  };
  const after = given.after();
  return {
    service: given.text('service'),
    columns: Object.fromEntries(Object.entries(columns).filter(([, text]) => text !== undefined)),
    words: given.words(),
    failed: given.flag('failed'),
    minMs: given.number('min_duration_ms', 0, Number.MAX_SAFE_INTEGER),
    maxMs: given.number('max_duration_ms', 0, Number.MAX_SAFE_INTEGER),
    fromMs: given.time('from'),
    toMs: given.time('to'),
    hideNoise: given.oneOf('noise', ['show', 'hide']) === 'hide',
    sort: given.oneOf('sort', ['newest', 'slowest']),
    limit: limitOf(given),
    ...(after !== undefined && { after: { value: after[0], traceId: after[1] } }),
  };
}

function withTrace(store: Store, given: Given, answer: (trace: TraceRecord) => object | undefined): object | undefined {
  const traceId = given.path('traceId').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(traceId)) throw new BadRequest('traceId: expected 32 hexadecimal digits');
  const trace = store.spans.traces.get(traceId);
  return trace === undefined ? undefined : answer(trace);
}

function limitOf(given: Given): number {
  return given.integer(LIMIT.name, 1, 1_000) ?? DEFAULT_LIMIT;
}

function binsOf(given: Given): number {
  return given.integer(BINS.name, 2, 400) ?? DEFAULT_BINS;
}
