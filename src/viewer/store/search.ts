// Finding traces: each condition narrows a mask over the rows of every segment, and a trace is found where one of its
// spans meets all that are about spans.
import type { SpanStore } from './span-store.ts';
import type { SpanSegment, TextColumn } from './span-segment.ts';
import type { WordQuery } from './text-index.ts';
import type { TraceRecord } from './trace-record.ts';

/** What is looked for; a condition left out is none. */
export interface TraceQuery {
  readonly service?: string | undefined;
  /** Texts of columns of one span, all of them. */
  readonly columns?: Readonly<Partial<Record<TextColumn, string>>> | undefined;
  /** Attributes of the same span, and of its events. */
  readonly words?: readonly WordQuery[] | undefined;
  readonly failed?: boolean | undefined;
  /** Of the whole trace, in ms. */
  readonly minMs?: number | undefined;
  readonly maxMs?: number | undefined;
  /** When the trace began, since the epoch. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly hideNoise?: boolean | undefined;
  readonly sort?: 'newest' | 'slowest' | undefined;
  readonly limit: number;
  /** Only what comes after this trace in the order asked for. */
  readonly after?: Position | undefined;
}

/** The place of a trace in a list. */
export interface Position {
  /** What the list is sorted by. */
  readonly value: number;
  readonly traceId: string;
}

export interface TraceMatches {
  readonly traces: readonly TraceRecord[];
  /** How many there are on all pages. */
  readonly total: number;
}

/** Finds traces, the newest or slowest first. */
export function searchTraces(store: SpanStore, query: TraceQuery): TraceMatches {
  const best = new Best(query.limit, valueOf(query.sort), query.after);
  for (const trace of candidates(store, query)) if (fitsTrace(trace, query)) best.offer(trace);
  return { traces: best.sorted(), total: best.total };
}

/** The rows of a segment that meet all conditions about spans. */
export function matchingRows(segment: SpanSegment, { service, columns, words, failed }: TraceQuery): Uint8Array {
  const mask = segment.liveMask();
  if (failed === true) for (let row = 0; row < mask.length; row++) if (!segment.failed(row)) mask[row] = 0;
  if (service !== undefined) segment.filterService(service, mask);
  for (const [column, text] of Object.entries(columns ?? {})) segment.filterText(column as TextColumn, text, mask);
  for (const word of words ?? []) segment.index.filter(word, mask);
  return mask;
}

/** The place of a trace in the list that this query makes. */
export function positionOf(trace: TraceRecord, sort: TraceQuery['sort']): Position {
  return { value: valueOf(sort)(trace), traceId: trace.id };
}

function valueOf(sort: TraceQuery['sort']): (trace: TraceRecord) => number {
  return sort === 'slowest' ? (trace) => trace.durationMs : (trace) => trace.startMs;
}

// The newest first: once the list is full, most of the others are older than all of it and are passed over at once.
function candidates(store: SpanStore, query: TraceQuery): TraceRecord[] {
  const { service, columns = {}, words = [], failed } = query;
  const aboutSpans = service !== undefined || words.length > 0 || Object.keys(columns).length > 0;
  if (!aboutSpans && failed !== true) return [...store.traces.values()].toReversed();
  const found: TraceRecord[] = [];
  const search = store.nextSearch();
  for (const segment of store.segments.toReversed()) {
    const mask = matchingRows(segment, query);
    for (let row = mask.length - 1; row >= 0; row--) {
      const trace = mask[row] === 1 ? segment.traces[row] : undefined;
      // a mark is cheaper than a set of all that were found
      if (trace === undefined || trace.foundBy === search) continue;
      trace.foundBy = search;
      found.push(trace);
    }
  }
  return found;
}

function fitsTrace(trace: TraceRecord, { minMs, maxMs, fromMs, toMs, hideNoise }: TraceQuery): boolean {
  if (minMs !== undefined && trace.durationMs < minMs) return false;
  if (maxMs !== undefined && trace.durationMs > maxMs) return false;
  if (fromMs !== undefined && trace.startMs < fromMs) return false;
  if (toMs !== undefined && trace.startMs > toMs) return false;
  return hideNoise !== true || !trace.isNoise;
}

/** The first few of many by a value, the largest first, without sorting them all. */
class Best {
  total = 0;
  readonly #limit: number;
  readonly #valueOf: (trace: TraceRecord) => number;
  readonly #after: Position | undefined;
  #kept: TraceRecord[] = [];
  #floor = Number.NEGATIVE_INFINITY;
  #last = '';

  constructor(limit: number, value: (trace: TraceRecord) => number, after: Position | undefined) {
    this.#limit = limit;
    this.#valueOf = value;
    this.#after = after;
  }

  offer(trace: TraceRecord): void {
    this.total++;
    const value = this.#valueOf(trace);
    if (
      value < this.#floor ||
      (value === this.#floor && trace.id > this.#last) ||
      (this.#after !== undefined && !this.#comesAfter(trace, value))
    )
      return;
    this.#kept.push(trace);
    // sorted now and then: twice as many are kept as are wanted
    if (this.#kept.length >= 2 * this.#limit) this.#prune();
  }

  sorted(): TraceRecord[] {
    this.#prune();
    return this.#kept;
  }

  #comesAfter({ id }: TraceRecord, value: number): boolean {
    const after = this.#after;
    return after === undefined || value < after.value || (value === after.value && id > after.traceId);
  }

  #prune(): void {
    const order = (a: TraceRecord, b: TraceRecord) =>
      this.#valueOf(b) - this.#valueOf(a) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
    this.#kept = this.#kept.toSorted(order).slice(0, this.#limit);
    const last = this.#kept.at(-1);
    if (this.#kept.length < this.#limit || last === undefined) return;
    this.#floor = this.#valueOf(last);
    this.#last = last.id;
  }
}
