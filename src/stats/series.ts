// What happened to operations of one kind, over the last minute, five and fifteen, and since the start. One recording goes to
// the slice of 15 s that is under way; a finished slice is added to the longer ones. Time is a monotonic reading. Pure.
import type { ErrorCode } from '../errors/error-code.ts';
import type { Outcome } from '../protocol/outcome.ts';
import { Distribution } from './distribution.ts';

/** A window of time that ends now, or all since the start. */
export type WindowName = '1m' | '5m' | '15m' | 'start';

/** The windows. */
export const WINDOWS: readonly WindowName[] = ['1m', '5m', '15m', 'start'];

/**
 * Who is to blame for an end: `failure` the server or what it depends on, `mistake` the caller; `none` nobody, as where it
 * succeeded or was withdrawn.
 */
export type Blame = 'failure' | 'mistake' | 'none';

/** How an operation ended. One object for one way, so that it can be a key: see `endOf`. */
export interface End {
  readonly outcome: Outcome;
  /** The error code; undefined where it did not fail. */
  readonly code: ErrorCode | undefined;
  readonly blame: Blame;
}

const ends = new Map<string, End>();

/** The one object for this way of ending; all three come from closed sets, so there are few. */
export function endOf(outcome: Outcome, code: ErrorCode | undefined, blame: Blame): End {
  const key = `${outcome} ${code} ${blame}`;
  let end = ends.get(key);
  if (end === undefined) {
    end = { outcome, code, blame };
    ends.set(key, end);
  }
  return end;
}

const SLICE_MS = 15_000;

interface RingShape {
  readonly slices: number;
  /** Length of one, in slices of 15 s. */
  readonly length: number;
}

const RINGS: Readonly<Record<Exclude<WindowName, 'start'>, RingShape>> = {
  '1m': { slices: 4, length: 1 },
  '5m': { slices: 5, length: 4 },
  '15m': { slices: 4, length: 15 },
};

/** Counts of ends, with how long they took. */
export class Tally {
  readonly ends: Map<End, number> = new Map();
  readonly durations: Distribution = new Distribution();

  /** How many ended. */
  get count(): number {
    return this.durations.count;
  }

  /** How many of them somebody is to blame for. */
  blamed(blame: Blame): number {
    let sum = 0;
    for (const [end, count] of this.ends) if (end.blame === blame) sum += count;
    return sum;
  }

  record(end: End, ms: number): void {
    this.#count(end, 1);
    this.durations.record(ms);
  }

  add(other: Tally): void {
    for (const [end, count] of other.ends) this.#count(end, count);
    this.durations.add(other.durations);
  }

  clear(): void {
    this.ends.clear();
    this.durations.clear();
  }

  #count(end: End, by: number): void {
    this.ends.set(end, (this.ends.get(end) ?? 0) + by);
  }
}

/** How many ended, and how many of them somebody is to blame for. */
export interface Counts {
  readonly count: number;
  readonly failures: number;
  readonly mistakes: number;
}

/** One kind of operation. */
export class Series {
  /** How many are under way. */
  inFlight = 0;
  readonly #total = new Tally();
  readonly #minute = new Ring(RINGS['1m']);
  readonly #longer = { '5m': new Ring(RINGS['5m']), '15m': new Ring(RINGS['15m']) };
  #slice = Number.NEGATIVE_INFINITY;
  #current: Tally | undefined;

  /** Records an end: O(1), without allocation once it has run for a while. `at` is a reading of a monotonic clock, in ms. */
  record(end: End, ms: number, at: number): void {
    this.#turnTo(at).record(end, ms);
  }

  /** All of a window, in a tally of the caller's own. */
  read(window: WindowName, at: number): Tally {
    const read = new Tally();
    this.#forEach(window, at, (tally) => read.add(tally));
    return read;
  }

  /** Only the counts of a window: cheap enough for every second and every series. */
  counts(window: WindowName, at: number): Counts {
    const sum = { count: 0, failures: 0, mistakes: 0 };
    this.#forEach(window, at, (tally) => {
      sum.count += tally.count;
      sum.failures += tally.blamed('failure');
      sum.mistakes += tally.blamed('mistake');
    });
    return sum;
  }

  #forEach(window: WindowName, at: number, take: (tally: Tally) => void): void {
    const current = this.#turnTo(at);
    if (window === '1m') {
      this.#minute.forEach(this.#slice, take);
      return;
    }
    if (window === 'start') take(this.#total);
    else this.#longer[window].forEach(this.#slice, take);
    take(current);
  }

  // A reading that is late counts in the slice under way: time does not go back.
  #turnTo(at: number): Tally {
    const slice = Math.floor(at / SLICE_MS);
    if (this.#current !== undefined && slice <= this.#slice) return this.#current;
    const done = this.#current;
    if (done !== undefined && done.count > 0) {
      this.#total.add(done);
      this.#longer['5m'].at(this.#slice).add(done);
      this.#longer['15m'].at(this.#slice).add(done);
    }
    this.#slice = slice;
    this.#current = this.#minute.at(slice);
    return this.#current;
  }
}

/** The latest tallies of one length; an old one is cleared and used again. */
class Ring {
  readonly #shape: RingShape;
  readonly #slots: { index: number; readonly tally: Tally }[] = [];

  constructor(shape: RingShape) {
    this.#shape = shape;
  }

  at(slice: number): Tally {
    const { slices, length } = this.#shape;
    const index = Math.floor(slice / length);
    const there = this.#slots.find((slot) => (slot.index - index) % slices === 0);
    if (there === undefined) {
      const tally = new Tally();
      this.#slots.push({ index, tally });
      return tally;
    }
    if (there.index !== index) {
      there.tally.clear();
      there.index = index;
    }
    return there.tally;
  }

  forEach(slice: number, take: (tally: Tally) => void): void {
    const { slices, length } = this.#shape;
    const index = Math.floor(slice / length);
    for (const slot of this.#slots) if (slot.index > index - slices && slot.index <= index) take(slot.tally);
  }
}

/** How much time a window covers by now, in ms: it begins with a slice, and never before the start. */
export function coveredMs(window: WindowName, startedAt: number, at: number): number {
  if (window === 'start') return at - startedAt;
  const { slices, length } = RINGS[window];
  const index = Math.floor(Math.floor(at / SLICE_MS) / length);
  return at - Math.max(startedAt, (index - slices + 1) * length * SLICE_MS);
}
