// A piece of the store: records in the order in which they came, up to a number of rows and bytes. What a record is
// found by is kept in columns, the record itself as its protobuf bytes. A segment goes as a whole.
import type { Resource, Scope } from './resources.ts';
import { TextIndex } from './text-index.ts';

/** Rows of a segment; a record's number in the store is its segment's times this, plus its row. */
export const ROWS = 4_096;

const FIRST_ARENA = 64 * 1_024;

export class Segment {
  /** Segments are numbered in the order in which they begin. */
  readonly number: number;
  /** When its first record came. */
  readonly since: number;
  /** When its latest record came. */
  until: number;
  readonly index: TextIndex = new TextIndex(ROWS);
  rows = 0;
  #arena = Buffer.allocUnsafeSlow(FIRST_ARENA);
  readonly #rawEnds = new Uint32Array(ROWS);
  readonly #sources = new Uint16Array(ROWS);
  readonly #sourceList: { readonly resource: Resource; readonly scope: Scope }[] = [];

  constructor(number: number, since: number) {
    this.number = number;
    this.since = since;
    this.until = since;
  }

  /** True where a record of this many bytes belongs into the next segment. */
  isFullFor(bytes: number, maxBytes: number): boolean {
    return this.rows === ROWS || (this.rows > 0 && this.rawBytes + bytes > maxBytes);
  }

  get rawBytes(): number {
    return this.rows === 0 ? 0 : (this.#rawEnds[this.rows - 1] ?? 0);
  }

  /** About how many bytes it holds; a subclass adds its columns. */
  get bytes(): number {
    return this.#arena.length + this.#rawEnds.byteLength + this.#sources.byteLength + this.index.bytes;
  }

  /** The message of a row. */
  raw(row: number): Buffer {
    return this.#arena.subarray(row === 0 ? 0 : this.#rawEnds[row - 1], this.#rawEnds[row]);
  }

  resource(row: number): Resource {
    return this.#source(row).resource;
  }

  scope(row: number): Scope {
    return this.#source(row).scope;
  }

  /** The resources of its records; one may come more than once. */
  resources(): Resource[] {
    return this.#sourceList.map(({ resource }) => resource);
  }

  /** Clears every row of the mask that is not of this service. */
  filterService(service: string, mask: Uint8Array): void {
    const fits = this.#sourceList.map(({ resource }) => resource.service === service);
    for (let row = 0; row < this.rows; row++) if (fits[this.#sources[row] ?? 0] !== true) mask[row] = 0;
  }

  /** Nothing is added any more. */
  seal(): void {
    this.index.seal();
    const raw = Buffer.allocUnsafeSlow(this.rawBytes);
    this.#arena.copy(raw, 0, 0, this.rawBytes);
    this.#arena = raw;
  }

  protected append(raw: Buffer, words: readonly string[], resource: Resource, scope: Scope): number {
    const start = this.rawBytes;
    const end = start + raw.length;
    if (end > this.#arena.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#arena.length * 2, end));
      this.#arena.copy(larger, 0, 0, start);
      this.#arena = larger;
    }
    this.#arena.set(raw, start);
    const row = this.rows++;
    this.#rawEnds[row] = end;
    this.#sources[row] = this.#sourceId(resource, scope);
    this.index.addRow(words);
    return row;
  }

  #source(row: number) {
    const source = this.#sourceList[this.#sources[row] ?? 0];
    if (source === undefined) throw new RangeError(`segment ${this.number} has no row ${row}`);
    return source;
  }

  #sourceId(resource: Resource, scope: Scope): number {
    // records of one request come together
    for (let id = this.#sourceList.length - 1; id >= 0; id--) {
      const source = this.#sourceList[id];
      if (source?.resource === resource && source.scope === scope) return id;
    }
    return this.#sourceList.push({ resource, scope }) - 1;
  }
}
