// Durations in constant memory: counted by buckets that are 5 % wide each, which is how exact a quantile is. Pure.

const GROWTH = Math.log(1.05);
const LOWEST_NS = 1_000;
const BUCKETS = 512;
const NS_PER_MS = 1e6;

export class Durations {
  readonly #counts = new Uint32Array(BUCKETS);
  count = 0;
  totalNs = 0;
  maxNs = 0;

  add(ns: number): void {
    const index = ns <= LOWEST_NS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ns / LOWEST_NS) / GROWTH));
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.count++;
    this.totalNs += ns;
    if (ns > this.maxNs) this.maxNs = ns;
  }

  /** In ms; nothing where nothing was added. */
  quantileMs(q: number): number | undefined {
    if (this.count === 0) return undefined;
    let left = Math.max(1, Math.ceil(q * this.count));
    for (let index = 0; index < BUCKETS; index++) {
      left -= this.#counts[index] ?? 0;
      // the middle of the bucket, but never more than was measured
      if (left <= 0) return Math.min(this.maxNs, LOWEST_NS * Math.exp(GROWTH * (index - 0.5))) / NS_PER_MS;
    }
    return this.maxNs / NS_PER_MS;
  }
}
