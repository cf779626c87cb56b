// Histograms of both kinds as one thing that can be subtracted, added and asked for quantiles. Pure.

/** Measurements by bucket. `counts[i]` is of those above `bounds[i - 1]` and up to `bounds[i]`. */
export interface ExplicitBuckets {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** Measurements by powers of 2^(2^-scale); `counts[i]` is of index `offset + i`. */
export interface ExponentialBuckets {
  readonly scale: number;
  readonly zero: number;
  readonly offset: number;
  readonly counts: readonly number[];
  /** Of negative measurements, mirrored. */
  readonly negativeOffset: number;
  readonly negativeCounts: readonly number[];
}

export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly explicit?: ExplicitBuckets | undefined;
  readonly exponential?: ExponentialBuckets | undefined;
}

/** What came between two readings of a growing histogram; all of the later one where it began anew in between. */
export function difference(later: Distribution, earlier: Distribution): Distribution {
  const less = combine(later, earlier, -1);
  return less === undefined || less.count < 0 || hasNegative(less) ? later : less;
}

/** Both together; the first alone where they are of different kinds or boundaries. */
export function sum(a: Distribution, b: Distribution): Distribution {
  return combine(a, b, 1) ?? a;
}

/**
 * A quantile, by straight line within its bucket; nothing where there is no measurement.
 *
 * @param q from 0 to 1.
 */
export function quantile(distribution: Distribution, q: number): number | undefined {
  const buckets = rangesOf(distribution);
  const total = buckets.reduce((count, bucket) => count + bucket.count, 0);
  if (total <= 0) return undefined;
  let left = q * total;
  for (const { low, high, count } of buckets) {
    if (count > 0 && left <= count) return low + (high - low) * (left / count);
    left -= count;
  }
  return buckets.at(-1)?.high;
}

function combine(a: Distribution, b: Distribution, sign: 1 | -1): Distribution | undefined {
  const base = { count: a.count + sign * b.count, sum: a.sum + sign * b.sum };
  if (a.explicit !== undefined && b.explicit !== undefined) {
    const { bounds, counts } = a.explicit;
    const other = b.explicit;
    if (bounds.length !== other.bounds.length || bounds.some((bound, i) => bound !== other.bounds[i])) return undefined;
    return { ...base, explicit: { bounds, counts: counts.map((count, i) => count + sign * (other.counts[i] ?? 0)) } };
  }
  if (a.exponential !== undefined && b.exponential !== undefined) {
    return { ...base, exponential: combineExponential(a.exponential, b.exponential, sign) };
  }
  return a.explicit === undefined && a.exponential === undefined ? base : undefined;
}

function combineExponential(a: ExponentialBuckets, b: ExponentialBuckets, sign: 1 | -1): ExponentialBuckets {
  const scale = Math.min(a.scale, b.scale);
  const add = (x: Side, y: Side) => addSides(coarser(x, a.scale - scale), coarser(y, b.scale - scale), sign);
  const positive = add(a, b);
  const negative = add(negativeOf(a), negativeOf(b));
  return {
    scale,
    zero: a.zero + sign * b.zero,
    ...positive,
    negativeOffset: negative.offset,
    negativeCounts: negative.counts,
  };
}

type Side = Pick<ExponentialBuckets, 'offset' | 'counts'>;

const negativeOf = ({ negativeOffset, negativeCounts }: ExponentialBuckets): Side => ({
  offset: negativeOffset,
  counts: negativeCounts,
});

// each step down in scale puts two neighbouring buckets together
function coarser({ offset, counts }: Side, steps: number): Side {
  if (steps === 0 || counts.length === 0) return { offset, counts };
  const shift = 2 ** Math.min(steps, 31);
  const low = Math.floor(offset / shift);
  const merged: number[] = [];
  counts.forEach((count, index) => {
    const at = Math.floor((offset + index) / shift) - low;
    merged[at] = (merged[at] ?? 0) + count;
  });
  return { offset: low, counts: merged };
}

const MAX_BUCKETS = 4_096;

function addSides(a: Side, b: Side, sign: 1 | -1): Side {
  if (b.counts.length === 0) return a;
  if (a.counts.length === 0) return { offset: b.offset, counts: b.counts.map((count) => sign * count) };
  const offset = Math.min(a.offset, b.offset);
  const end = Math.max(a.offset + a.counts.length, b.offset + b.counts.length);
  // two readings that have nothing in common would need a list from one to the other
  if (end - offset > MAX_BUCKETS) return a;
  const counts = Array.from(
    { length: end - offset },
    (_, i) => (a.counts[offset + i - a.offset] ?? 0) + sign * (b.counts[offset + i - b.offset] ?? 0),
  );
  return { offset, counts };
}

function hasNegative({ explicit, exponential }: Distribution): boolean {
  const lists = [explicit?.counts, exponential?.counts, exponential?.negativeCounts];
  return lists.some((list) => list?.some((count) => count < 0) === true);
}

interface Range {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

function rangesOf({ explicit, exponential }: Distribution): Range[] {
  if (explicit !== undefined) {
    const { bounds, counts } = explicit;
    return counts.map((count, i) => {
      const low = bounds[i - 1] ?? Math.min(0, bounds[0] ?? 0);
      // nothing is known of what is above the last bound, so that is what is said
      return { low, high: bounds[i] ?? low, count };
    });
  }
  if (exponential === undefined) return [];
  const { scale, zero, offset, counts, negativeOffset, negativeCounts } = exponential;
  const base = 2 ** (2 ** -scale);
  const negative = negativeCounts.map((count, i) => ({
    low: -(base ** (negativeOffset + i + 1)),
    high: -(base ** (negativeOffset + i)),
    count,
  }));
  const positive = counts.map((count, i) => ({ low: base ** (offset + i), high: base ** (offset + i + 1), count }));
  return [...negative.toReversed(), { low: 0, high: 0, count: zero }, ...positive];
}
