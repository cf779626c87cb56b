// An operation: one request or notification, from its message to its outcome, and the table of those in flight. Pure.
import type { MessageId } from './message.ts';
import type { Ending } from './outcome.ts';

/** `in`: the peer asked and this side answers. `out`: this side asked. */
export type Direction = 'in' | 'out';

/** One request or notification. Its end is decided once; what comes later is ignored. */
export class Operation {
  readonly direction: Direction;
  readonly method: string;
  /** The tool or prompt name, or the resource URI, as the message has it. */
  readonly target: string | undefined;
  /** Undefined for a notification. */
  readonly id: MessageId | undefined;
  /** Reading of the monotonic clock, in ms. */
  readonly startedAt: number;
  /** Whether a handler of the application has been called for it. */
  entered = false;
  /** Whether it counts in figures; what only asks about the figures does not. */
  counted = true;
  /** Aborted when the caller withdraws it; known from when a handler has been called. */
  signal: AbortSignal | undefined;
  /** The first value that a handler threw. */
  thrown: { readonly value: unknown } | undefined;
  /** Whether a handler was done and had nothing to answer. */
  returnedNothing = false;
  #ending: Ending | undefined;
  #endedAt = 0;

  constructor(
    direction: Direction,
    method: string,
    target: string | undefined,
    id: MessageId | undefined,
    startedAt: number,
  ) {
    this.direction = direction;
    this.method = method;
    this.target = target;
    this.id = id;
    this.startedAt = startedAt;
  }

  /** How it ended; undefined while it is in flight. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Reading of the monotonic clock at its end, in ms. */
  get endedAt(): number {
    return this.#endedAt;
  }

  /** Decides how it ended; false where that had been decided before. */
  decide(ending: Ending, at: number): boolean {
    if (this.#ending !== undefined) return false;
    this.#ending = ending;
    this.#endedAt = at;
    return true;
  }

  /** Notes that a handler of the application runs for it. */
  noteEntered(): void {
    this.entered = true;
  }

  /** Notes that a handler is done. */
  noteLeft(returned?: unknown): void {
    this.returnedNothing = returned === undefined && this.thrown === undefined;
  }

  /** Notes what a handler threw; the first one counts, and none after the end. */
  noteThrown(value: unknown): void {
    if (this.#ending === undefined) this.thrown ??= { value };
  }
}

/**
 * The operations in flight in one direction of one connection, by id.
 *
 * The SDKs run and answer two requests with the same id, so one id may stand for several operations.
 */
export class InFlight<O extends Operation = Operation> {
  readonly #byId = new Map<MessageId, O | O[]>();
  #size = 0;

  /** How many are in flight. */
  get size(): number {
    return this.#size;
  }

  /** Adds a request. */
  add(id: MessageId, operation: O): void {
    this.#size++;
    const there = this.#byId.get(id);
    if (there === undefined) this.#byId.set(id, operation);
    else if (Array.isArray(there)) there.push(operation);
    else this.#byId.set(id, [there, operation]);
  }

  /** The operation of this id; among several the preferred one if it is there, else the oldest, one that fits first. */
  find(id: MessageId, preferred?: unknown, fits?: (operation: O) => boolean): O | undefined {
    const there = this.#byId.get(id);
    if (!Array.isArray(there)) return there;
    const chosen = there.find((operation) => operation === preferred);
    return chosen ?? (fits === undefined ? undefined : there.find(fits)) ?? there[0];
  }

  /** Takes an operation out; harmless where it is not in. */
  remove(id: MessageId, operation: O): void {
    const there = this.#byId.get(id);
    if (there === operation) {
      this.#byId.delete(id);
      this.#size--;
    } else if (Array.isArray(there)) {
      const index = there.indexOf(operation);
      if (index < 0) return;
      there.splice(index, 1);
      this.#size--;
      if (there.length === 0) this.#byId.delete(id);
    }
  }

  /** All operations, oldest id first; may be changed while it runs. */
  *[Symbol.iterator](): IterableIterator<O> {
    for (const there of this.#byId.values()) {
      if (Array.isArray(there)) yield* there.slice();
      else yield there;
    }
  }
}
