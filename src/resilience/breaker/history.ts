// What a breaker has been through: how often it went from one state to another, and how long it was in each. Pure.
import { BREAKER_STATES, type BreakerState } from '../events.ts';
import { zeroes, type BreakerSnapshot } from '../snapshot.ts';

// what happens by itself; a series that is there from the beginning lets an alert see the first time
const AUTOMATIC: readonly (readonly [BreakerState, BreakerState])[] = [
  ['closed', 'open'],
  ['open', 'half_open'],
  ['half_open', 'open'],
  ['half_open', 'closed'],
];

/** Transitions and times of one breaker. */
export class History {
  readonly #transitions = new Map(AUTOMATIC.map(([from, to]) => [`${from} ${to}`, { from, to, count: 0 }]));
  readonly #timeMs = zeroes(BREAKER_STATES);

  /** Notes that it went from one state, which it had been in for so long, to another. */
  add(from: BreakerState, to: BreakerState, afterMs: number): void {
    this.#timeMs[from] += afterMs;
    const key = `${from} ${to}`;
    const transition = this.#transitions.get(key) ?? { from, to, count: 0 };
    this.#transitions.set(key, transition);
    transition.count++;
  }

  /** What it has been through, with the state that it is in now. */
  read(state: BreakerState, sinceMs: number): Pick<BreakerSnapshot, 'transitions' | 'timeInStateMs'> {
    return {
      transitions: [...this.#transitions.values()].map(({ from, to, count }) => ({ from, to, count })),
      timeInStateMs: { ...this.#timeMs, [state]: this.#timeMs[state] + sinceMs },
    };
  }
}
