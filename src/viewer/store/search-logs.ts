// Finding log records, newest first.
import type { LogPlace, LogSegment, LogStore } from './log-store.ts';
import { ROWS } from './segment.ts';
import type { WordQuery } from './text-index.ts';

/** What is looked for; a condition left out is none. */
export interface LogQuery {
  readonly service?: string | undefined;
  /** At least this severe, 1 to 24. */
  readonly minSeverity?: number | undefined;
  readonly words?: readonly WordQuery[] | undefined;
  readonly traceId?: string | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly limit: number;
  /** Only records that come after this one in the list. */
  readonly after?: { readonly timeMs: number; readonly number: number } | undefined;
}

export interface LogMatches {
  readonly places: readonly LogPlace[];
  readonly total: number;
}

/** The number of a record in the store. */
export function logNumber({ segment, row }: LogPlace): number {
  return segment.number * ROWS + row;
}

export function searchLogs(store: LogStore, query: LogQuery): LogMatches {
  const found = query.traceId === undefined ? allPlaces(store, query) : ofTrace(store, query.traceId, query);
  const { after, limit } = query;
  const left =
    after === undefined
      ? found
      : found.filter(({ timeMs, place }) => {
          return timeMs < after.timeMs || (timeMs === after.timeMs && logNumber(place) < after.number);
        });
  left.sort((a, b) => b.timeMs - a.timeMs || logNumber(b.place) - logNumber(a.place));
  return { places: left.slice(0, limit).map(({ place }) => place), total: found.length };
}

interface Found {
  readonly timeMs: number;
  readonly place: LogPlace;
}

function allPlaces(store: LogStore, query: LogQuery): Found[] {
  return store.segments.flatMap((segment) => {
    const mask = matching(segment, query);
    const found: Found[] = [];
    for (let row = 0; row < mask.length; row++) {
      if (mask[row] === 1) found.push({ timeMs: segment.timeMs[row] ?? 0, place: { segment, row } });
    }
    return found;
  });
}

function ofTrace(store: LogStore, traceId: string, query: LogQuery): Found[] {
  const masks = new Map<LogSegment, Uint8Array>();
  return store.ofTrace(traceId).flatMap((place) => {
    const mask = masks.get(place.segment) ?? matching(place.segment, query);
    masks.set(place.segment, mask);
    return mask[place.row] === 1 ? [{ timeMs: place.segment.timeMs[place.row] ?? 0, place }] : [];
  });
}

function matching(segment: LogSegment, { service, minSeverity = 0, words = [], fromMs, toMs }: LogQuery): Uint8Array {
  const mask = new Uint8Array(segment.rows).fill(1);
  const [from, to] = [fromMs ?? Number.NEGATIVE_INFINITY, toMs ?? Number.POSITIVE_INFINITY];
  for (let row = 0; row < mask.length; row++) {
    const time = segment.timeMs[row] ?? 0;
    if ((segment.severity[row] ?? 0) < minSeverity || time < from || time > to) mask[row] = 0;
  }
  if (service !== undefined) segment.filterService(service, mask);
  for (const word of words) segment.index.filter(word, mask);
  return mask;
}
