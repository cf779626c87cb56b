// Spans of one segment: the columns that lists, counts and searches read.
import type { IncomingSpan } from '../otlp/read-spans.ts';
import type { Resource, Scope } from './resources.ts';
import { ROWS, Segment } from './segment.ts';
import type { TraceRecord } from './trace-record.ts';

const FAILED = 1;
const DEAD = 2;

/** The columns that hold a text, by the number it has in the segment's index. */
export const TEXT_COLUMNS = [
  'name',
  'tool',
  'method',
  'outcome',
  'errorCode',
  'errorType',
  'exception',
  'protocolVersion',
  'sessionId',
] as const;
export type TextColumn = (typeof TEXT_COLUMNS)[number];

export class SpanSegment extends Segment {
  readonly traces: TraceRecord[] = [];
  readonly startMs: Float64Array = new Float64Array(ROWS);
  readonly durationNs: Float64Array = new Float64Array(ROWS);
  readonly kind: Uint8Array = new Uint8Array(ROWS);
  readonly retries: Uint8Array = new Uint8Array(ROWS);
  readonly #flags = new Uint8Array(ROWS);
  readonly #ids = new Uint32Array(4 * ROWS);
  readonly #texts: Readonly<Record<TextColumn, Uint32Array>>;
  /** Rows that still count. */
  live = 0;

  constructor(number: number, since: number) {
    super(number, since);
    this.#texts = Object.fromEntries(TEXT_COLUMNS.map((column) => [column, new Uint32Array(ROWS)])) as Record<
      TextColumn,
      Uint32Array
    >;
  }

  override get bytes(): number {
    return super.bytes + ROWS * (8 + 8 + 1 + 1 + 1 + 16 + 4 * TEXT_COLUMNS.length + 8);
  }

  add(span: IncomingSpan, trace: TraceRecord, resource: Resource, scope: Scope): number {
    const row = this.append(span.raw, span.words, resource, scope);
    this.traces[row] = trace;
    this.startMs[row] = span.startMs;
    this.durationNs[row] = span.durationNs;
    this.kind[row] = span.kind;
    this.retries[row] = Math.min(span.retries, 255);
    this.#flags[row] = span.failed ? FAILED : 0;
    this.#ids.set([span.spanIdHigh, span.spanIdLow, span.parentIdHigh, span.parentIdLow], row * 4);
    for (const column of TEXT_COLUMNS) this.#texts[column][row] = this.index.id(span[column]);
    this.live++;
    return row;
  }

  isLive(row: number): boolean {
    return ((this.#flags[row] ?? 0) & DEAD) === 0;
  }

  failed(row: number): boolean {
    return ((this.#flags[row] ?? 0) & FAILED) !== 0;
  }

  /** The span no longer counts: its trace is evicted, or a later arrival replaces it. */
  kill(row: number): void {
    if (!this.isLive(row)) return;
    this.#flags[row] = (this.#flags[row] ?? 0) | DEAD;
    this.live--;
  }

  text(column: TextColumn, row: number): string {
    return this.index.text(this.textId(column, row));
  }

  textId(column: TextColumn, row: number): number {
    return this.#texts[column][row] ?? 0;
  }

  spanId(row: number): string {
    return hex(this.#ids[row * 4] ?? 0) + hex(this.#ids[row * 4 + 1] ?? 0);
  }

  /** The same id as the two numbers that it is held as. */
  spanKey(row: number): string {
    return `${this.#ids[row * 4] ?? 0} ${this.#ids[row * 4 + 1] ?? 0}`;
  }

  /** Empty for a root. */
  parentId(row: number): string {
    const [high, low] = [this.#ids[row * 4 + 2] ?? 0, this.#ids[row * 4 + 3] ?? 0];
    return high === 0 && low === 0 ? '' : hex(high) + hex(low);
  }

  hasSpanId(row: number, high: number, low: number): boolean {
    return this.#ids[row * 4] === high && this.#ids[row * 4 + 1] === low;
  }

  /** Clears every row of the mask that has another text in this column. */
  filterText(column: TextColumn, text: string, mask: Uint8Array): void {
    const texts = this.index.matching(text, true);
    if (texts === undefined) {
      mask.fill(0);
      return;
    }
    const ids = this.#texts[column];
    for (let row = 0; row < this.rows; row++) if (texts[ids[row] ?? 0] !== 1) mask[row] = 0;
  }

  /** 1 for every row that counts. */
  liveMask(): Uint8Array {
    const mask = new Uint8Array(this.rows);
    for (let row = 0; row < this.rows; row++) mask[row] = this.isLive(row) ? 1 : 0;
    return mask;
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
