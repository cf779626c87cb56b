// A line of the tables that compare servers.

export interface Row {
  readonly bench: string;
  readonly variant: string;
  readonly micros: number;
  readonly ratio: number;
  /** Between what ratios eight of ten rounds lie; over HTTP, the medians of the processes. */
  readonly spread: readonly [low: number, high: number];
}
