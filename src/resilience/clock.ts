// Time and chance, as policies see them: both can be replaced, so that a test needs neither to wait nor to be lucky. Pure.

/** A monotonic clock with timers. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Calls back after `ms`; returns what `clearTimeout` takes. */
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** Numbers from 0 up to and without 1. */
export type Random = () => number;

/** The clock of this process. Its timers keep the process alive, since a call is waiting for them. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
