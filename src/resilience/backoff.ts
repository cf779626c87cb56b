// How long to wait before the next attempt: exponential, with a cap, spread by chance so that clients do not come back all
// at once. Pure.
import type { Random } from './clock.ts';

/**
 * How chance spreads a delay.
 *
 * - `full`: from 0 to the delay; `equal`: from half of it.
 * - `decorrelated`: from the initial delay to three times the last one.
 * - `none`: the delay itself.
 */
export type Jitter = (typeof JITTERS)[number];

/** The ways of spreading a delay. */
export const JITTERS = ['full', 'equal', 'decorrelated', 'none'] as const;

/** The shape of a backoff. */
export interface BackoffSettings {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly multiplier: number;
  readonly jitter: Jitter;
}

/**
 * The delay before a retry, in ms.
 *
 * @param retry which one it is; the first is 1.
 * @param lastMs the delay before the one before.
 */
export function backoffMs(settings: BackoffSettings, retry: number, lastMs: number, random: Random): number {
  const { initialDelayMs, maxDelayMs, multiplier } = settings;
  // 0 * Infinity is no number
  if (initialDelayMs === 0) return 0;
  const fullMs = Math.min(maxDelayMs, initialDelayMs * multiplier ** (retry - 1));
  return clamp(spread(settings, fullMs, lastMs, random), maxDelayMs);
}

function spread({ jitter, initialDelayMs }: BackoffSettings, fullMs: number, lastMs: number, random: Random): number {
  switch (jitter) {
    case 'none':
      return fullMs;
    case 'equal':
      return fullMs / 2 + (random() * fullMs) / 2;
    case 'decorrelated':
      return initialDelayMs + random() * Math.max(0, lastMs * 3 - initialDelayMs);
    default:
      return random() * fullMs;
  }
}

/** The value within 0 and `max`, whatever chance has made of it. */
export function clamp(ms: number, max: number): number {
  return Math.min(Math.max(0, ms), max);
}
