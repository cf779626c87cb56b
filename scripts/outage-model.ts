// An outage in simulated time: many clients call one dependency once a second each, and for a minute it fails. What reaches
// the dependency in the meantime, and when all are well again, depends on the policy that each client has.
import { ToolError } from '../src/errors/tool-error.ts';
import { seeded } from '../src/demo/seeded.ts';
import { circuitBreaker, retry, wrap, type Clock, type Policy } from '../src/resilience/index.ts';

/** The scene. */
export interface Scene {
  readonly clients: number;
  /** When the dependency begins to fail, and when it is well again, in s. */
  readonly outage: readonly [from: number, to: number];
  /** When the simulation ends, in s. */
  readonly until: number;
  readonly seed: number;
}

/** What happened with one kind of client. */
export interface Course {
  readonly variant: Variant;
  /** Requests that reached the dependency, by second. */
  readonly requests: readonly number[];
  /** Calls of users, and those that failed, by second in which they began. */
  readonly calls: readonly number[];
  readonly failed: readonly number[];
  /** Requests by calls, during the outage. */
  readonly amplification: number;
  /** Seconds after the outage until no call fails any more. */
  readonly recoveredAfter: number;
  /** The longest time, in s, that a breaker was to stay open when the outage ended; 0 where there is none. */
  readonly openInterval: number;
  /** How many clients were well again only after the open interval of their own breaker, and the next call after it. */
  readonly late: number;
}

/** The kinds of clients. */
export const VARIANTS = ['no retry', 'naive retry', 'retry with budget', 'retry and breaker'] as const;
/** A kind of client. */
export type Variant = (typeof VARIANTS)[number];

const LATENCY_MS = 10;
const CALL_MS = 1_000;

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  live: boolean;
}

/** Time that jumps from one event to the next. */
class SimulatedTime implements Clock {
  #now = 0;
  #order = 0;
  // a binary heap, earliest first
  readonly #heap: Timer[] = [];

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const timer = { at: this.#now + ms, order: this.#order++, callback, live: true };
    let at = this.#heap.push(timer) - 1;
    while (at > 0 && before(timer, this.#at((at - 1) >> 1))) {
      this.#heap[at] = this.#at((at - 1) >> 1);
      at = (at - 1) >> 1;
    }
    this.#heap[at] = timer;
    return timer;
  }

  clearTimeout(timer: unknown): void {
    (timer as Timer).live = false;
  }

  async run(untilMs: number): Promise<void> {
    for (let next = this.#take(); next !== undefined && next.at <= untilMs; next = this.#take()) {
      if (!next.live) continue;
      if (next.at > this.#now) {
        // everything that waits for its turn only comes before time goes on
        for (let turn = 0; turn < 25; turn++) await Promise.resolve();
        if (this.#heap[0] !== undefined && before(this.#heap[0], next)) {
          this.setTimeout(next.callback, next.at - this.#now);
          continue;
        }
      }
      this.#now = next.at;
      next.callback();
    }
  }

  #at(index: number): Timer {
    return this.#heap[index] as Timer;
  }

  #take(): Timer | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || this.#heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) break;
      const right = left + 1;
      const child = right < this.#heap.length && before(this.#at(right), this.#at(left)) ? right : left;
      if (!before(this.#at(child), last)) break;
      this.#heap[at] = this.#at(child);
      at = child;
    }
    this.#heap[at] = last;
    return first;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Plays the scene with one kind of client. */
export async function play(variant: Variant, { clients, outage, until, seed }: Scene): Promise<Course> {
  const clock = new SimulatedTime();
  const random = seeded(seed);
  const [from, to] = outage;
  const requests = Array<number>(until).fill(0);
  const calls = Array<number>(until).fill(0);
  const failed = Array<number>(until).fill(0);
  const count = (list: number[], at: number) => {
    const second = Math.floor(at / 1_000);
    list[second] = (list[second] ?? 0) + 1;
  };
  const isDown = () => clock.now() >= from * 1_000 && clock.now() < to * 1_000;
  const request = () =>
    new Promise<void>((resolve, reject) => {
      count(requests, clock.now());
      const down = isDown();
      clock.setTimeout(() => (down ? reject(new ToolError('UNAVAILABLE', 'down')) : resolve()), LATENCY_MS);
    });
  const lastFailure = Array<number>(clients).fill(0);
  const wellBy = Array<number>(clients).fill(to * 1_000);
  let openInterval = 0;
  for (let client = 0; client < clients; client++) {
    const { policy, openForMs } = clientOf(variant, clock, random);
    const call = () => {
      const startedAt = clock.now();
      count(calls, startedAt);
      policy.run(request).catch(() => {
        count(failed, startedAt);
        lastFailure[client] = startedAt;
      });
      clock.setTimeout(call, CALL_MS);
    };
    clock.setTimeout(call, random() * CALL_MS);
    clock.setTimeout(() => {
      const { wholeMs, leftMs } = openForMs();
      openInterval = Math.max(openInterval, wholeMs / 1_000);
      wellBy[client] = to * 1_000 + leftMs;
    }, to * 1_000);
  }
  await clock.run(until * 1_000);
  const sum = (list: readonly number[]) => list.slice(from, to).reduce((total, value) => total + value, 0);
  return {
    variant,
    requests,
    calls,
    failed,
    amplification: sum(requests) / sum(calls),
    recoveredAfter: Math.max(0, Math.max(...lastFailure) / 1_000 - to),
    openInterval,
    late: lastFailure.filter((at, client) => at > (wellBy[client] ?? 0)).length,
  };
}

interface Client {
  readonly policy: Policy;
  /** For how long its breaker is open, altogether and from now on; nothing where it is closed. */
  readonly openForMs: () => { readonly wholeMs: number; readonly leftMs: number };
}

function clientOf(variant: Variant, clock: Clock, random: () => number): Client {
  const never = () => ({ wholeMs: 0, leftMs: 0 });
  const around = { clock, random };
  const naive = { ...around, attempts: 4, budget: false, deadlineMs: 60_000 } as const;
  switch (variant) {
    case 'no retry':
      return { policy: retry({ ...around, attempts: 1 }), openForMs: never };
    case 'naive retry':
      return { policy: retry(naive), openForMs: never };
    case 'retry with budget':
      return { policy: retry(around), openForMs: never };
    default: {
      const breaker = circuitBreaker(around);
      return {
        policy: wrap(retry(around), breaker),
        openForMs() {
          const { state, sinceMs, retryAfterMs = 0 } = breaker.status();
          return state === 'open' ? { wholeMs: sinceMs + retryAfterMs, leftMs: retryAfterMs } : never();
        },
      };
    }
  }
}
