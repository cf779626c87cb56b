// The middle of several measurements: one that a busy machine has spoilt does not move it.

/** The median; of an even number the upper of the two in the middle, of none NaN. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
