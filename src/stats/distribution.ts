// How long things took, in constant memory: a log-linear histogram, 64 buckets an octave from 1 µs, so that a quantile is
// off by less than 0.8 %. The bucket is read from the bits of the number: no logarithm. Pure.

const BITS = 6;
const PER_OCTAVE = 1 << BITS;
// 1 µs to 2^29 µs, almost nine minutes; what lies outside counts in the outermost buckets
const OCTAVES = 29;
const BUCKETS = OCTAVES * PER_OCTAVE;
const MAX_COUNT = 0xff_ff;

// A double has 11 bits of exponent and 20 of its mantissa in the upper word; 14 of those are finer than a bucket.
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const UPPER = new Uint32Array(new Float64Array([1]).buffer)[0] === 0 ? 1 : 0;
const FINER_BITS = 20 - BITS;
const FIRST = 1_023 << BITS;

const NOTHING = new Uint16Array(0);

/** What is known of a set of durations, in ms. Of an empty one only the count. */
export interface Summary {
  readonly count: number;
  readonly sum: number;
  readonly avg: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
}

/** Durations in ms: exact count, sum, least and greatest; quantiles to 0.8 %. Memory grows with the octaves used, to 4 KB. */
export class Distribution {
  count = 0;
  sum = 0;
  min: number = Number.POSITIVE_INFINITY;
  max: number = Number.NEGATIVE_INFINITY;
  /** The first bucket that has room: a multiple of an octave. */
  #from = 0;
  // 16 bits each; what is beyond them is in #carries, in units of 65,536
  #counts: Uint16Array = NOTHING;
  #carries: Map<number, number> | undefined;

  /** Counts one duration. A negative one or one that is no number counts as 0. */
  record(ms: number): void {
    const value = ms > 0 ? ms : 0;
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.#add(bucketOf(value * 1_000));
  }

  /** Adds all that another one has counted. */
  add(other: Distribution): void {
    this.count += other.count;
    this.sum += other.sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    if (other.#counts.length === 0) return;
    this.#makeRoom(other.#from, other.#from + other.#counts.length);
    const into = this.#counts;
    const shift = other.#from - this.#from;
    for (let at = 0; at < other.#counts.length; at++) {
      const more = other.#counts[at] as number;
      if (more === 0) continue;
      const count = (into[at + shift] as number) + more;
      into[at + shift] = count;
      if (count > MAX_COUNT) this.#carry(at + other.#from, 1);
    }
    if (other.#carries !== undefined) for (const [bucket, carried] of other.#carries) this.#carry(bucket, carried);
  }

  /** Forgets everything but the room it has made. */
  clear(): void {
    this.count = 0;
    this.sum = 0;
    this.min = Number.POSITIVE_INFINITY;
    this.max = Number.NEGATIVE_INFINITY;
    this.#counts.fill(0);
    this.#carries = undefined;
  }

  /** The duration that a share of all does not exceed (0..1), by nearest rank; undefined where there is none. */
  quantile(share: number): number | undefined {
    if (this.count === 0) return undefined;
    const rank = Math.min(this.count, Math.max(1, Math.ceil(share * this.count)));
    if (rank === 1) return this.min;
    if (rank === this.count) return this.max;
    const counts = this.#counts;
    let seen = 0;
    for (let at = 0; at < counts.length; at++) {
      const bucket = this.#from + at;
      seen += this.#countAt(at, bucket);
      if (seen >= rank) return Math.min(this.max, Math.max(this.min, middleOf(bucket) / 1_000));
    }
    return this.max;
  }

  /** Everything at once. */
  summary(): Summary {
    const { count, sum } = this;
    const some = count > 0;
    return {
      count,
      sum,
      avg: some ? sum / count : undefined,
      min: some ? this.min : undefined,
      max: some ? this.max : undefined,
      p50: this.quantile(0.5),
      p95: this.quantile(0.95),
      p99: this.quantile(0.99),
    };
  }

  #countAt(at: number, bucket: number): number {
    const count = this.#counts[at] as number;
    const carry = this.#carries?.get(bucket);
    return carry === undefined ? count : count + carry * (MAX_COUNT + 1);
  }

  #add(bucket: number): void {
    let at = bucket - this.#from;
    if (at < 0 || at >= this.#counts.length) {
      const octave = bucket & -PER_OCTAVE;
      this.#makeRoom(octave, octave + PER_OCTAVE);
      at = bucket - this.#from;
    }
    const count = (this.#counts[at] as number) + 1;
    this.#counts[at] = count;
    if (count > MAX_COUNT) this.#carry(bucket, 1);
  }

  #carry(bucket: number, carried: number): void {
    this.#carries ??= new Map();
    this.#carries.set(bucket, (this.#carries.get(bucket) ?? 0) + carried);
  }

  #makeRoom(first: number, end: number): void {
    const old = this.#counts;
    const empty = old.length === 0;
    const from = empty ? first : Math.min(this.#from, first);
    const to = empty ? end : Math.max(this.#from + old.length, end);
    if (to - from === old.length) return;
    const grown = new Uint16Array(to - from);
    if (!empty) grown.set(old, this.#from - from);
    this.#from = from;
    this.#counts = grown;
  }
}

function bucketOf(micros: number): number {
  if (micros < 1) return 0;
  float[0] = micros;
  const bucket = ((words[UPPER] as number) >>> FINER_BITS) - FIRST;
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

function middleOf(bucket: number): number {
  return 2 ** (bucket >> BITS) * (1 + ((bucket & (PER_OCTAVE - 1)) + 0.5) / PER_OCTAVE);
}
