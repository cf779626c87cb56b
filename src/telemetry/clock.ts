// One reading of the clock serves span, metric and window: a monotonic one for durations, turned into wall time once.
import type { HrTime } from '@opentelemetry/api';

/** A monotonic clock. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
}

/** The clock of this process. */
export const systemClock: Clock = { now: () => performance.now() };

/** A wall time some milliseconds after another. */
export function later([seconds, nanoseconds]: HrTime, ms: number): HrTime {
  const total = nanoseconds + Math.round(ms * 1e6);
  const carried = Math.floor(total / 1e9);
  return [seconds + carried, total - carried * 1e9];
}

const RECHECK_MS = 1_000;
const TOLERATED_DRIFT_MS = 50;

/**
 * Turns readings of a monotonic clock into wall-clock time.
 *
 * The offset between the two is checked once a second and follows a jump of the wall clock or a suspended laptop;
 * durations never feel either.
 */
export class WallTime {
  readonly #wallNow: () => number;
  #offset: number;
  #checkedAt: number;

  constructor(clock: Clock = systemClock, wallNow: () => number = Date.now) {
    this.#wallNow = wallNow;
    this.#checkedAt = clock.now();
    const measured = wallNow() - this.#checkedAt;
    // timeOrigin is finer than Date.now(), and right unless the wall clock has moved since the process started
    const fine = performance.timeOrigin;
    this.#offset = clock === systemClock && Math.abs(fine - measured) < TOLERATED_DRIFT_MS ? fine : measured;
  }

  /** The wall time of a reading, as `[seconds, nanoseconds]`. */
  at(reading: number): HrTime {
    if (reading - this.#checkedAt > RECHECK_MS) this.#recheck(reading);
    const ms = reading + this.#offset;
    const seconds = Math.floor(ms / 1_000);
    return [seconds, Math.floor((ms - seconds * 1_000) * 1e6)];
  }

  #recheck(reading: number): void {
    this.#checkedAt = reading;
    const measured = this.#wallNow() - reading;
    if (Math.abs(measured - this.#offset) > TOLERATED_DRIFT_MS) this.#offset = measured;
  }
}
