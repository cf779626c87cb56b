// The segments of one kind of record, oldest first: only the last is written to, and only the first can go.
import { ROWS, type Segment } from './segment.ts';

/** A record by its place. */
export interface Place<S extends Segment> {
  readonly segment: S;
  readonly row: number;
}

export class Segments<S extends Segment> {
  readonly #make: (number: number, since: number) => S;
  readonly #list: S[] = [];
  #next = 0;
  #sealedBytes = 0;

  constructor(make: (number: number, since: number) => S) {
    this.#make = make;
  }

  /** Oldest first. */
  get list(): readonly S[] {
    return this.#list;
  }

  /** About how many bytes they hold. */
  get bytes(): number {
    return this.#sealedBytes + (this.#list.at(-1)?.bytes ?? 0);
  }

  /** When the oldest began; nothing where only the one that is written to is left. */
  get evictableSince(): number | undefined {
    return this.#list.length > 1 ? this.#list[0]?.since : undefined;
  }

  /** When the last record of the oldest came; nothing where only the one that is written to is left. */
  get oldestEndedAt(): number | undefined {
    return this.#list.length > 1 ? this.#list[0]?.until : undefined;
  }

  /** The segment that a record of this many bytes goes into. */
  openFor(bytes: number, nowMs: number, maxSegmentBytes: number): S {
    const last = this.#list.at(-1);
    const segment = last === undefined || last.isFullFor(bytes, maxSegmentBytes) ? this.#open(nowMs) : last;
    segment.until = nowMs;
    return segment;
  }

  /** Begins a new one with the next record, so that time can part what is stored. */
  cut(nowMs: number): void {
    if ((this.#list.at(-1)?.rows ?? 0) > 0) this.#open(nowMs);
  }

  /** Where a record lies, by its number; nothing where it has gone. */
  place(number: number): Place<S> | undefined {
    const row = number % ROWS;
    const segment = this.#list[(number - row) / ROWS - (this.#list[0]?.number ?? 0)];
    return segment === undefined ? undefined : { segment, row };
  }

  /** Lets go of the oldest, unless it is the one that is written to. */
  shift(): S | undefined {
    if (this.#list.length < 2) return undefined;
    const oldest = this.#list.shift();
    this.#sealedBytes -= oldest?.bytes ?? 0;
    return oldest;
  }

  #open(nowMs: number): S {
    const last = this.#list.at(-1);
    if (last !== undefined) {
      last.seal();
      this.#sealedBytes += last.bytes;
    }
    const segment = this.#make(this.#next++, nowMs);
    this.#list.push(segment);
    return segment;
  }
}
