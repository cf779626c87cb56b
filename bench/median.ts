// The middle of several measurements, which one that a busy machine has spoilt does not move, and how far they lie apart.

/** The median; of an even number the upper of the two in the middle, of none NaN. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** Between what values eight of ten measurements lie. */
export function spread(numbers: readonly number[]): [low: number, high: number] {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return [at(0.1), at(0.9)];
}
