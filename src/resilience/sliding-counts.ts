// Counts over a sliding time in constant memory: ten slices, of which the oldest is dropped as time goes on. Pure.

const SLICES = 10;

/** Several counts over the same sliding time. */
export class SlidingCounts {
  readonly #sliceMs: number;
  readonly #kinds: number;
  readonly #slices: number[];
  readonly #sums: number[];
  #head = Number.NEGATIVE_INFINITY;

  /** @param kinds how many counts there are. */
  constructor(durationMs: number, kinds: number) {
    this.#sliceMs = durationMs / SLICES;
    this.#kinds = kinds;
    this.#slices = Array<number>(SLICES * kinds).fill(0);
    this.#sums = Array<number>(kinds).fill(0);
  }

  /** Counts one; what is older than what was counted last belongs to the newest slice. */
  add(at: number, kind: number): void {
    const slot = this.#advance(at) * this.#kinds + kind;
    this.#slices[slot] = (this.#slices[slot] ?? 0) + 1;
    this.#sums[kind] = (this.#sums[kind] ?? 0) + 1;
  }

  /** How many there were in the sliding time before `at`. Looking changes nothing. */
  sum(at: number, kind: number): number {
    const slice = Math.floor(at / this.#sliceMs);
    let sum = this.#sums[kind] ?? 0;
    const gone = Math.min(slice - this.#head, SLICES);
    for (let past = 1; past <= gone; past++) {
      sum -= this.#slices[mod(this.#head + past) * this.#kinds + kind] ?? 0;
    }
    return sum;
  }

  clear(): void {
    this.#slices.fill(0);
    this.#sums.fill(0);
  }

  // Returns the position of the newest slice.
  #advance(at: number): number {
    const slice = Math.floor(at / this.#sliceMs);
    if (slice > this.#head) {
      if (slice - this.#head >= SLICES) this.clear();
      else for (let gone = this.#head + 1; gone <= slice; gone++) this.#drop(mod(gone));
      this.#head = slice;
    }
    return mod(this.#head);
  }

  #drop(position: number): void {
    for (let kind = 0; kind < this.#kinds; kind++) {
      const slot = position * this.#kinds + kind;
      this.#sums[kind] = (this.#sums[kind] ?? 0) - (this.#slices[slot] ?? 0);
      this.#slices[slot] = 0;
    }
  }
}

// Clocks may be negative in a test.
function mod(slice: number): number {
  return ((slice % SLICES) + SLICES) % SLICES;
}
