// The words of the records of one segment: every text once, and for each row which key has which text. A search first
// finds the texts, of which there are few, then the rows that have them. All comparing ignores case.

/** What is looked for in the words of a row. */
export interface WordQuery {
  /** Only under this key; any key where it is left out. */
  readonly key?: string | undefined;
  readonly text: string;
  /** The whole text, rather than a part of it. */
  readonly whole: boolean;
}

const SEPARATOR = '\u0000';
// of an entry of the map, the header of a string, and its place in the list
const BYTES_PER_TEXT = 96;

export class TextIndex {
  readonly #texts: string[] = [''];
  readonly #keys = new Map<string, number>();
  #ids: Map<string, number> | undefined = new Map([['', 0]]);
  #pairs = new Uint32Array(2_048);
  #pairEnd = 0;
  readonly #rowEnds: Uint32Array;
  #rows = 0;
  #bytes = 0;
  #haystack: { readonly text: string; readonly starts: Uint32Array; readonly count: number } | undefined;

  constructor(capacity: number) {
    this.#rowEnds = new Uint32Array(capacity);
  }

  /** About how many bytes it holds. */
  get bytes(): number {
    const haystack = this.#haystack === undefined ? 0 : this.#haystack.text.length + this.#haystack.starts.byteLength;
    return this.#bytes + this.#pairs.byteLength + this.#rowEnds.byteLength + haystack;
  }

  /** The number of a text; it is given one where it is new. */
  id(text: string): number {
    const known = this.#ids?.get(text);
    if (known !== undefined) return known;
    const id = this.#texts.push(text) - 1;
    this.#ids?.set(text, id);
    this.#bytes += text.length + BYTES_PER_TEXT;
    return id;
  }

  text(id: number): string {
    return this.#texts[id] ?? '';
  }

  /** Adds a row with keys and values in turn. */
  addRow(words: readonly string[]): void {
    if (this.#pairEnd + words.length > this.#pairs.length) {
      const larger = new Uint32Array(Math.max(this.#pairs.length * 2, this.#pairEnd + words.length));
      larger.set(this.#pairs);
      this.#pairs = larger;
    }
    for (let index = 0; index < words.length; index += 2) {
      this.#pairs[this.#pairEnd++] = this.#key(words[index] ?? '');
      this.#pairs[this.#pairEnd++] = this.id(words[index + 1] ?? '');
    }
    this.#rowEnds[this.#rows++] = this.#pairEnd;
  }

  /** Nothing is added any more: what only adding needs is let go. */
  seal(): void {
    this.#haystack = this.#buildHaystack();
    this.#bytes -= (this.#ids?.size ?? 0) * (BYTES_PER_TEXT / 2);
    this.#ids = undefined;
    this.#pairs = this.#pairs.slice(0, this.#pairEnd);
  }

  /** The texts that fit, as a table by their number; nothing where none fits. */
  matching(text: string, whole: boolean): Uint8Array | undefined {
    const { text: haystack, starts, count } = this.#currentHaystack();
    const lower = text.toLowerCase();
    const needle = whole ? `${SEPARATOR}${lower}${SEPARATOR}` : lower;
    let at = haystack.indexOf(needle);
    if (at < 0) return undefined;
    const found = new Uint8Array(count);
    let id = 0;
    while (at >= 0) {
      const position = whole ? at + 1 : at;
      // matches come in order, and so do the texts
      while (id + 1 < count && (starts[id + 1] ?? 0) <= position) id++;
      found[id] = 1;
      const next = starts[id + 1];
      if (next === undefined || id + 1 >= count) break;
      at = haystack.indexOf(needle, next - (whole ? 1 : 0));
    }
    return found;
  }

  /** Clears every row of the mask whose words do not fit. */
  filter(query: WordQuery, mask: Uint8Array): void {
    const texts = this.matching(query.text, query.whole);
    const key = query.key === undefined ? undefined : this.#keys.get(query.key);
    if (texts === undefined || (query.key !== undefined && key === undefined)) {
      mask.fill(0);
      return;
    }
    const pairs = this.#pairs;
    let at = 0;
    for (let row = 0; row < this.#rows; row++) {
      const end = this.#rowEnds[row] ?? 0;
      if (mask[row] === 1) {
        let fits = 0;
        for (let pair = at; pair < end && fits === 0; pair += 2) {
          if (key === undefined || pairs[pair] === key) fits = texts[pairs[pair + 1] ?? 0] ?? 0;
        }
        mask[row] = fits;
      }
      at = end;
    }
  }

  #key(key: string): number {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    this.#keys.set(key, this.#keys.size);
    this.#bytes += key.length + BYTES_PER_TEXT;
    return this.#keys.size - 1;
  }

  #currentHaystack() {
    if (this.#haystack?.count !== this.#texts.length) this.#haystack = this.#buildHaystack();
    return this.#haystack;
  }

  #buildHaystack() {
    const count = this.#texts.length;
    const starts = new Uint32Array(count);
    const parts: string[] = [''];
    let at = 1;
    for (let id = 0; id < count; id++) {
      const text = (this.#texts[id] ?? '').toLowerCase();
      starts[id] = at;
      parts.push(text);
      at += text.length + 1;
    }
    parts.push('');
    return { text: parts.join(SEPARATOR), starts, count };
  }
}
