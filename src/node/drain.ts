// The orderly end of a server: unready at once, time for the balancer to notice, then what runs is finished.
import { probedWithin, setDraining } from '../health/readiness.ts';
import { checkOptions, durationMs } from '../options.ts';
import { allStats } from '../state/stats.ts';

/** Options of `drain`. All have a default. */
export interface DrainOptions {
  /**
   * Time for the balancer to notice that `/readyz` fails, in ms; work that still comes is done.
   *
   * @default 5_000 where somebody has asked `/readyz` within the last minute, else 0
   */
  readonly waitMs?: number | undefined;
  /** Longest time for everything, in ms. @default 30_000 */
  readonly timeoutMs?: number | undefined;
}

/** How draining went. */
export interface Drained {
  /** Requests that were still under way when the time was over. */
  readonly unfinished: number;
}

const LOOK_EVERY_MS = 20;
const PROBES_COUNT_FOR_MS = 60_000;

/**
 * Makes this process unready, waits until the balancer has noticed and until what runs is finished. Then close your server.
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export async function drain(options: DrainOptions = {}): Promise<Drained> {
  checkOptions<DrainOptions>('drain', options, { waitMs: durationMs(0), timeoutMs: durationMs(0) });
  const { timeoutMs = 30_000, waitMs = probedWithin(PROBES_COUNT_FOR_MS) ? 5_000 : 0 } = options;
  setDraining(true);
  const deadline = performance.now() + timeoutMs;
  await pause(Math.min(waitMs, timeoutMs));
  while (inFlight() > 0 && performance.now() < deadline) await pause(LOOK_EVERY_MS);
  return { unfinished: inFlight() };
}

function inFlight(): number {
  let sum = 0;
  for (const [, stats] of allStats()) sum += stats.inFlight;
  return sum;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
