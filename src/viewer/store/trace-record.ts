// What the store knows of a trace without looking at its spans.

const SMALL = 24;

export class TraceRecord {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** The number of the segment in which its first span lies: with that segment the whole trace goes. */
  readonly segment: number;
  /** Numbers of its spans in the store, in the order in which they came. */
  readonly spans: number[] = [];
  startMs: number = Number.POSITIVE_INFINITY;
  endMs: number = Number.NEGATIVE_INFINITY;
  failed = false;
  /** Spans that are MCP operations, and how many of those are of no interest by themselves, as pings are. */
  operations = 0;
  noise = 0;
  /** The number of the latest search that found it. */
  foundBy = 0;
  /** When the latest span came. */
  updatedMs = 0;
  #byId: Map<string, number> | undefined;

  constructor(id: string, segment: number) {
    this.id = id;
    this.segment = segment;
  }

  /** True where all that was asked for is noise. */
  get isNoise(): boolean {
    return this.operations > 0 && this.noise === this.operations;
  }

  get durationMs(): number {
    return this.endMs - this.startMs;
  }

  /** The place in `spans` of the span with this id, or -1. A large trace is looked up in a map. */
  find(key: string, isIt: (span: number) => boolean): number {
    if (this.spans.length < SMALL) return this.spans.findIndex(isIt);
    if (this.#byId === undefined) return -1;
    return this.#byId.get(key) ?? -1;
  }

  /** Adds a span; `keyOf` tells the ids of those there already when a map becomes worth while. */
  add(span: number, key: string, keyOf: (span: number) => string): void {
    const place = this.spans.push(span) - 1;
    if (this.#byId !== undefined) this.#byId.set(key, place);
    else if (this.spans.length === SMALL) {
      this.#byId = new Map(this.spans.map((existing, index) => [existing === span ? key : keyOf(existing), index]));
    }
  }

  replace(place: number, span: number): void {
    this.spans[place] = span;
  }
}
