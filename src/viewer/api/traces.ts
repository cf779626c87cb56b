// One trace as the waterfall shows it, and one span of it with everything that came.
import { ATTR_EXCEPTION_MESSAGE, ATTR_EXCEPTION_TYPE, EVENT_EXCEPTION } from '../../telemetry/semconv.ts';
import { decodeMessage, type Json } from '../otlp/decode.ts';
import { KEY_VALUE, SPAN } from '../otlp/schema.ts';
import { DELIMITED, FIXED64, WireReader } from '../otlp/wire.ts';
import type { SpanPlace } from '../store/span-store.ts';
import type { Resource } from '../store/resources.ts';
import type { Store } from '../store/store.ts';
import type { TraceRecord } from '../store/trace-record.ts';
import { attributesOf, isObject, objects, textOf, type Attributes } from '../store/values.ts';
import { logView } from './logs.ts';
import type { EventMark, SpanDetail, SpanRow, TraceView } from './shapes.ts';
import { placesInOrder, summarise } from './summaries.ts';

const MAX_SPANS = 20_000;
const MAX_MARKS = 200;
const MAX_EVENTS = 1_000;
const MAX_LINKS = 200;
const MAX_LOGS = 2_000;

/** Reads a trace. */
export function traceView(store: Store, trace: TraceRecord): TraceView {
  const all = placesInOrder(store.spans, trace);
  const places = all.slice(0, MAX_SPANS);
  const times = places.map(timesOf);
  const start = times.reduce((min, time) => (time.start < min ? time.start : min), times[0]?.start ?? 0n);
  const resources: Resource[] = [];
  const resourcePlaces = new Map<Resource, number>();
  const spans = places.map((place, index): SpanRow => {
    const { segment, row } = place;
    const resource = segment.resource(row);
    if (!resourcePlaces.has(resource)) resourcePlaces.set(resource, resources.push(resource) - 1);
    return {
      spanId: segment.spanId(row),
      parentId: segment.parentId(row),
      name: segment.text('name', row),
      kind: segment.kind[row] ?? 0,
      resource: resourcePlaces.get(resource) ?? 0,
      offsetNs: Number((times[index]?.start ?? start) - start),
      durationNs: segment.durationNs[row] ?? 0,
      failed: segment.failed(row),
      tool: segment.text('tool', row),
      method: segment.text('method', row),
      outcome: segment.text('outcome', row),
      errorCode: segment.text('errorCode', row),
      errorType: segment.text('errorType', row),
      exception: segment.text('exception', row),
      events: (times[index]?.events ?? []).map((event) => markOf(event, start)),
    };
  });
  const logs = store.logs
    .ofTrace(trace.id)
    .map(logView)
    .toSorted((a, b) => a.timeMs - b.timeMs)
    .slice(0, MAX_LOGS);
  return {
    summary: summarise(store, trace),
    startUnixNano: start.toString(),
    durationNs: Math.max(0, ...spans.map(({ offsetNs, durationNs }) => offsetNs + durationNs)),
    resources: resources.map(({ service, attributes }) => ({ service, attributes })),
    spans,
    logs,
    spansLeftOut: all.length - places.length,
    updatedMs: trace.updatedMs,
  };
}

/** Reads a span of a trace; nothing where it is not there. */
export function spanDetail(store: Store, trace: TraceRecord, spanId: string): SpanDetail | undefined {
  const number = trace.spans.find((candidate) => {
    const { segment, row } = store.spans.place(candidate);
    return segment.spanId(row) === spanId;
  });
  return number === undefined ? undefined : detailOf(store.spans.place(number), linksTo(store, trace.id, spanId));
}

/** Everything that came of a span. */
export function detailOf({ segment, row }: SpanPlace, linkedFrom: SpanDetail['linkedFrom'] = []): SpanDetail {
  const otlp = decodeMessage(SPAN, new WireReader(segment.raw(row)));
  const startUnixNano = textOf(otlp['startTimeUnixNano']) || '0';
  const { name, version } = segment.scope(row);
  return {
    spanId: segment.spanId(row),
    startUnixNano,
    endUnixNano: textOf(otlp['endTimeUnixNano']) || '0',
    statusMessage: isObject(otlp['status']) ? textOf(otlp['status']['message']) : '',
    traceState: textOf(otlp['traceState']),
    attributes: attributesOf(otlp['attributes']),
    events: objects(otlp['events'], MAX_EVENTS).map((event) => ({
      name: textOf(event['name']),
      offsetNs: Number(BigInt(textOf(event['timeUnixNano']) || startUnixNano) - BigInt(startUnixNano)),
      attributes: attributesOf(event['attributes']),
    })),
    links: objects(otlp['links'], MAX_LINKS).map((link) => ({
      traceId: textOf(link['traceId']),
      spanId: textOf(link['spanId']),
      attributes: attributesOf(link['attributes']),
    })),
    linkedFrom,
    scope: { name, version },
    dropped: {
      attributes: count(otlp['droppedAttributesCount']),
      events: count(otlp['droppedEventsCount']),
      links: count(otlp['droppedLinksCount']),
    },
    otlp,
  };
}

/** A trace as an export request in OTLP/JSON, which any receiver takes. */
export function traceAsOtlp(store: Store, trace: TraceRecord): object {
  const bySource = Map.groupBy(placesInOrder(store.spans, trace), ({ segment, row }) => segment.resource(row));
  return {
    resourceSpans: [...bySource].map(([resource, places]) => ({
      resource: resource.json,
      scopeSpans: [...Map.groupBy(places, ({ segment, row }) => segment.scope(row))].map(([scope, spans]) => ({
        scope: scope.json,
        spans: spans.map(({ segment, row }) => decodeMessage(SPAN, new WireReader(segment.raw(row)))),
      })),
    })),
  };
}

/** Spans whose words have this text, of one trace. */
export function findInTrace(store: Store, trace: TraceRecord, text: string): string[] {
  const masks = new Map<SpanPlace['segment'], Uint8Array>();
  return trace.spans.flatMap((number) => {
    const { segment, row } = store.spans.place(number);
    let mask = masks.get(segment);
    if (mask === undefined) {
      mask = segment.liveMask();
      segment.index.filter({ text, whole: false }, mask);
      masks.set(segment, mask);
    }
    return mask[row] === 1 ? [segment.spanId(row)] : [];
  });
}

// links are words too: the id of the trace that a span links to
function linksTo(store: Store, traceId: string, spanId: string): SpanDetail['linkedFrom'] {
  const found: { traceId: string; spanId: string }[] = [];
  for (const segment of store.spans.segments) {
    const mask = segment.liveMask();
    segment.index.filter({ key: 'link', text: `${traceId} ${spanId}`, whole: true }, mask);
    for (let row = 0; row < mask.length && found.length < MAX_LINKS; row++) {
      if (mask[row] === 1) found.push({ traceId: segment.traces[row]?.id ?? '', spanId: segment.spanId(row) });
    }
  }
  return found;
}

interface Times {
  readonly start: bigint;
  readonly events: readonly WireReader[];
}

// only what the columns do not have exactly is read again: decoding all of 10,000 spans would take too long
function timesOf({ segment, row }: SpanPlace): Times {
  const reader = new WireReader(segment.raw(row));
  const events: WireReader[] = [];
  let start = 0n;
  while (reader.next()) {
    if (reader.is(7, FIXED64)) start = reader.fixed64();
    else if (reader.is(11, DELIMITED) && events.length < MAX_MARKS) events.push(reader.message());
    else reader.skip();
  }
  return { start, events };
}

function markOf(event: WireReader, traceStart: bigint): EventMark {
  let [name, offsetNs] = ['', 0];
  const list: Json[] = [];
  while (event.next()) {
    if (event.is(1, FIXED64)) offsetNs = Number(event.fixed64() - traceStart);
    else if (event.is(2, DELIMITED)) name = event.text();
    else if (event.is(3, DELIMITED)) list.push(decodeMessage(KEY_VALUE, event.message()));
    else event.skip();
  }
  if (name.startsWith('toolspan.')) return { name, offsetNs, attributes: attributesOf(list) };
  if (name !== EVENT_EXCEPTION) return { name, offsetNs };
  const { [ATTR_EXCEPTION_TYPE]: type = '', [ATTR_EXCEPTION_MESSAGE]: message = '' } = attributesOf(list);
  const attributes: Attributes = { [ATTR_EXCEPTION_TYPE]: type, [ATTR_EXCEPTION_MESSAGE]: message };
  return { name, offsetNs, attributes };
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
