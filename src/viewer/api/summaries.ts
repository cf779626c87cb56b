// A trace in one line: what was called, by whom, and how it ended.
import type { SpanPlace, SpanStore } from '../store/span-store.ts';
import type { Store } from '../store/store.ts';
import type { TraceRecord } from '../store/trace-record.ts';
import type { TraceSummary } from './shapes.ts';

const MAX_SERVICES = 20;
// the head of a very long trace is enough to name it
const MAX_SPANS = 2_000;

/** Sums up a trace. */
export function summarise(store: Store, trace: TraceRecord): TraceSummary {
  const places = trace.spans.slice(0, MAX_SPANS).map((number) => store.spans.place(number));
  const ids = new Set(places.map(({ segment, row }) => segment.spanId(row)));
  const roots = places.filter((place) => !ids.has(parentOf(place)));
  const root = earliest(roots) ?? earliest(places);
  const operation = earliest(places.filter(isOperation));
  const failed = places.filter(({ segment, row }) => segment.failed(row));
  const services = new Set(places.map(({ segment, row }) => segment.resource(row).service));
  return {
    traceId: trace.id,
    name: text(root, 'name'),
    service: root === undefined ? '' : root.segment.resource(root.row).service,
    services: [...services].slice(0, MAX_SERVICES),
    tool: text(operation, 'tool'),
    method: text(operation, 'method'),
    startMs: trace.startMs,
    durationMs: trace.durationMs,
    spans: trace.spans.length,
    logs: store.logs.ofTrace(trace.id).length,
    failed: trace.failed,
    outcome: outcomeOf(places, operation),
    errorCode: firstText(places, 'errorCode'),
    errorType: firstText(failed, 'exception') || firstText(failed, 'errorType'),
    retries: places.reduce((sum, { segment, row }) => sum + (segment.retries[row] ?? 0), 0),
    parentMissing: trace.spans.length <= MAX_SPANS && roots.some((place) => parentOf(place) !== ''),
  };
}

/** The spans of a trace in the order of their start. */
export function placesInOrder(store: SpanStore, trace: TraceRecord): SpanPlace[] {
  return trace.spans.map((number) => store.place(number)).toSorted((a, b) => start(a) - start(b));
}

// A call that asked back is made again, as often as it takes: how it ended is what the last round says.
function outcomeOf(places: readonly SpanPlace[], operation: SpanPlace | undefined): string {
  const outcome = text(operation, 'outcome');
  if (outcome !== 'input_required') return outcome;
  const rounds = places.filter((place) => text(place, 'tool') === text(operation, 'tool') && isOperation(place));
  const last = rounds.toSorted((a, b) => start(a) - start(b)).at(-1);
  return text(last, 'outcome');
}

type Column = Parameters<SpanPlace['segment']['text']>[0];

function text(place: SpanPlace | undefined, column: Column): string {
  return place === undefined ? '' : place.segment.text(column, place.row);
}

function firstText(places: readonly SpanPlace[], column: Column): string {
  for (const place of places) {
    const found = text(place, column);
    if (found !== '') return found;
  }
  return '';
}

function parentOf({ segment, row }: SpanPlace): string {
  return segment.parentId(row);
}

function isOperation({ segment, row }: SpanPlace): boolean {
  const method = segment.text('method', row);
  // a span of another instrumentation may name its tool only
  return method === '' ? segment.textId('tool', row) !== 0 : !method.startsWith('notifications/');
}

function earliest(places: readonly SpanPlace[]): SpanPlace | undefined {
  let found: SpanPlace | undefined;
  for (const place of places) {
    if (found === undefined || start(place) < start(found)) found = place;
  }
  return found;
}

function start({ segment, row }: SpanPlace): number {
  return segment.startMs[row] ?? 0;
}
