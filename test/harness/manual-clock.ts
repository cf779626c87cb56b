// Time that passes only when the test says so.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../src/resilience/clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock for policies: counts who reads it and which timers are set. */
export class ManualClock implements Clock {
  reads = 0;
  /** How many timers have ever been set. */
  timersSet = 0;
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(start = 0) {
    this.#now = start;
  }

  /** How many timers are pending. */
  get pending(): number {
    return this.#timers.size;
  }

  /** The time, without being counted as a reading. */
  get time(): number {
    return this.#now;
  }

  now(): number {
    this.reads++;
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): Timer {
    this.timersSet++;
    // as those of Node, a timer calls back in the context it was set in
    const inContext = AsyncLocalStorage.snapshot();
    const timer = { at: this.#now + ms, callback: () => inContext(callback) };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** Lets time pass without giving anybody the time to react. */
  skip(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass: fires what is due in order, and lets each settle before the next. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settled();
      const due = [...this.#timers].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = until;
    await settled();
  }
}

/** Lets everything that waits for nothing but its turn run. */
export async function settled(turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
}

/** What `expect(actual).toBe(expected)` says, for those who say it a hundred thousand times. */
export function same(what: string, actual: unknown, expected: unknown): void {
  if (!Object.is(actual, expected)) {
    throw new Error(`${what}: expected ${String(expected)}, got ${String(actual)}`);
  }
}

/** A promise that the test settles. */
export class Deferred<T = unknown> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** How a promise stands, without waiting for it. */
export interface Watched {
  state: 'pending' | 'fulfilled' | 'rejected';
  /** What it was fulfilled or rejected with. */
  value: unknown;
}

/** Watches a promise. */
export function watch(promise: Promise<unknown>): Watched {
  const watched: Watched = { state: 'pending', value: undefined };
  promise.then(
    (value) => Object.assign(watched, { state: 'fulfilled', value }),
    (error: unknown) => Object.assign(watched, { state: 'rejected', value: error }),
  );
  return watched;
}
