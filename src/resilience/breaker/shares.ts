// When the share of failed or slow calls in a window is too large. Pure.

/** From which shares on a window opens the breaker. */
export interface Shares {
  /** Fewer calls than these say nothing. */
  readonly minimumCalls: number;
  readonly failureRatio: number;
  readonly slowRatio: number;
}

/** Why these counts open the breaker; undefined where they do not. */
export function tooMany(
  { minimumCalls, failureRatio, slowRatio }: Shares,
  calls: number,
  failures: number,
  slow: number,
): 'ratio' | 'slow_ratio' | undefined {
  if (calls < minimumCalls) return undefined;
  if (failures >= failureRatio * calls) return 'ratio';
  return slow > 0 && slow >= slowRatio * calls ? 'slow_ratio' : undefined;
}
