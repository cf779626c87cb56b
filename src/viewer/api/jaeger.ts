// The part of Jaeger's v3 query API that its clients use to find and read traces. Answers are OTLP/JSON under `result`.
// https://www.jaegertracing.io/docs/latest/architecture/apis/
import type { Store } from '../store/store.ts';
import { searchTraces } from '../store/search.ts';
import type { WordQuery } from '../store/text-index.ts';
import { BadRequest, query, TRACE_ID, type Parameter } from './parameters.ts';
import type { Route } from './routes.ts';
import { traceAsOtlp } from './traces.ts';

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const UNITS_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };
const MAX_TRACES = 1_000;
const DEFAULT_TRACES = 20;

const QUERY: readonly Parameter[] = [
  query('query.service_name', 'The service.'),
  query('query.operation_name', 'The name of a span.'),
  query('query.attributes', 'A JSON object of attributes of one span.'),
  query('query.start_time_min', 'RFC 3339; required.'),
  query('query.start_time_max', 'RFC 3339; required.'),
  query('query.duration_min', 'As 40ms.'),
  query('query.duration_max', 'As 1s.'),
  query('query.search_depth', 'At most so many traces. Default: 20.'),
];

export const JAEGER_ROUTES: readonly Route[] = [
  {
    path: '/api/v3/services',
    summary: 'Jaeger v3: services.',
    parameters: [],
    answers: 'JaegerServices',
    answer: ({ store }) => ({ services: [...new Set(eachSpan(store, ({ service }) => service))].toSorted() }),
  },
  {
    path: '/api/v3/operations',
    summary: 'Jaeger v3: names of spans of a service.',
    parameters: [query('service', 'The service; required.'), query('span_kind', 'As server.')],
    answers: 'JaegerOperations',
    answer: ({ store }, given) => {
      const [wanted, kind] = [given.text('service'), given.text('span_kind')];
      if (wanted === undefined) throw new BadRequest('service: expected a name, got nothing');
      const names = new Map<string, { name: string; spanKind: string }>();
      eachSpan(store, ({ service, name, spanKind }) => {
        const wrongKind = kind !== undefined && kind !== spanKind;
        if (service === wanted && !wrongKind) names.set(`${spanKind} ${name}`, { name, spanKind });
      });
      return { operations: [...names.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
    },
  },
  {
    path: '/api/v3/traces',
    summary: 'Jaeger v3: whole traces that a query finds.',
    parameters: QUERY,
    answers: 'JaegerResult',
    answer: ({ store }, given) => {
      const read = (name: string) => given.text(`query.${name}`) ?? given.text(`query.${camelCase(name)}`);
      const operation = read('operation_name');
      const { traces } = searchTraces(store.spans, {
        service: read('service_name'),
        columns: operation === undefined ? {} : { name: operation },
        words: attributesIn(read('attributes')),
        fromMs: timeIn('query.start_time_min', read('start_time_min')),
        toMs: timeIn('query.start_time_max', read('start_time_max')),
        minMs: durationIn('query.duration_min', read('duration_min')),
        maxMs: durationIn('query.duration_max', read('duration_max')),
        limit: depthIn(read('search_depth') ?? read('num_traces')),
      });
      if (traces.length === 0) return undefined;
      return { result: { resourceSpans: traces.flatMap((trace) => resourceSpansOf(traceAsOtlp(store, trace))) } };
    },
  },
  {
    path: '/api/v3/traces/{traceId}',
    summary: 'Jaeger v3: one trace.',
    parameters: [TRACE_ID],
    answers: 'JaegerResult',
    answer: ({ store }, given) => {
      const trace = store.spans.traces.get(given.path('traceId').toLowerCase());
      return trace === undefined ? undefined : { result: traceAsOtlp(store, trace) };
    },
  },
];

/** The body of an answer with no result, as Jaeger has it. */
export const NO_TRACES: object = { error: { httpCode: 404, message: 'No traces found' } };

interface Named {
  readonly service: string;
  readonly name: string;
  readonly spanKind: string;
}

function eachSpan<T>(store: Store, visit: (span: Named) => T): T[] {
  const results: T[] = [];
  for (const segment of store.spans.segments) {
    const seen = new Set<string>();
    for (let row = 0; row < segment.rows; row++) {
      if (!segment.isLive(row)) continue;
      const [{ service }, kind] = [segment.resource(row), segment.kind[row] ?? 0];
      const key = `${service} ${kind} ${segment.textId('name', row)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      results.push(visit({ service, name: segment.text('name', row), spanKind: KINDS[kind] ?? 'unspecified' }));
    }
  }
  return results;
}

function resourceSpansOf(otlp: object): unknown[] {
  return 'resourceSpans' in otlp && Array.isArray(otlp.resourceSpans) ? otlp.resourceSpans : [];
}

function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function attributesIn(text: string | undefined): WordQuery[] {
  if (text === undefined) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new BadRequest('query.attributes: expected a JSON object of attributes');
  }
  return Object.entries(parsed).map(([key, value]) => ({ key, text: String(value), whole: true }));
}

function timeIn(name: string, text: string | undefined): number {
  const time = Date.parse(text ?? '');
  if (!Number.isNaN(time)) return time;
  throw new BadRequest(`${name}: expected a time as 2026-01-31T12:00:00Z, got "${(text ?? '').slice(0, 40)}"`);
}

function durationIn(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS_MS[unit ?? ''] ?? 0), 0);
  }
  throw new BadRequest(`${name}: expected a duration as 40ms or 1.5s, got "${text.slice(0, 40)}"`);
}

function depthIn(text: string | undefined): number {
  const depth = text === undefined ? DEFAULT_TRACES : Number(text);
  if (Number.isInteger(depth) && depth > 0) return Math.min(depth, MAX_TRACES);
  throw new BadRequest(`query.search_depth: expected a whole number above 0, got "${(text ?? '').slice(0, 40)}"`);
}
