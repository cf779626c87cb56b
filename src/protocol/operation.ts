// An operation: one request or notification, from its message to its outcome, and the table of those in flight. Pure.
import { ERROR_META_KEY } from '../errors/error-result.ts';
import { read } from '../errors/read.ts';
import type { MessageId } from './message.ts';
import type { Ending } from './outcome.ts';

// a call that catches without end does not grow: of what it returns, it was the last it caught
const MAX_CAUGHT = 16;

/** `in`: the peer asked and this side answers. `out`: this side asked. */
export type Direction = 'in' | 'out';

/** A value that was thrown. */
export interface Thrown {
  readonly value: unknown;
  /** What the tool made of it, where it caught it itself. */
  readonly made?: object;
}

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
  /** The first value that a handler threw, or that stands behind the result it returned. */
  thrown: Thrown | undefined;
  /** Whether a handler was done and had nothing to answer. */
  returnedNothing = false;
  #caught: Thrown[] | undefined;
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
    this.thrown ??= this.#caught?.findLast(({ made }) => isMadeOf(returned, made));
    this.#caught = undefined;
    this.returnedNothing = returned === undefined && this.thrown === undefined;
  }

  /** Notes what a handler threw; the first one counts, and none after the end. */
  noteThrown(value: unknown): void {
    if (this.#ending === undefined) this.thrown ??= { value };
  }

  /** Notes what a tool caught, and the result it made of it: that counts once it is what the tool returns. */
  noteCaught(value: unknown, made: object): void {
    if (this.#ending !== undefined) return;
    this.#caught ??= [];
    if (this.#caught.length >= MAX_CAUGHT) this.#caught.shift();
    this.#caught.push({ value, made });
  }
}

// By what a copy still shares: a tool may add to the result, and the low-level server of SDK v1 makes another of it.
function isMadeOf(returned: unknown, made: unknown): boolean {
  if (returned === made) return true;
  const meta = read(read(made, '_meta'), ERROR_META_KEY);
  if (meta !== undefined) return read(read(returned, '_meta'), ERROR_META_KEY) === meta;
  return read(returned, 'isError') === true && textOf(returned) === textOf(made);
}

function textOf(result: unknown): unknown {
  return read(read(read(result, 'content'), '0'), 'text');
}

/**
 * The operations in flight in one direction of one connection, by id.
 *
 * The SDKs run and answer two requests with the same id, so one id may stand for several operations.
 */
export class InFlight<O extends Operation = Operation> {
  // many a connection asks nothing, or is made for one request
  #byId: Map<MessageId, O | O[]> | undefined;
  #size = 0;

  /** How many are in flight. */
  get size(): number {
    return this.#size;
  }

  /** Adds a request. */
  add(id: MessageId, operation: O): void {
    this.#size++;
    this.#byId ??= new Map();
    const there = this.#byId.get(id);
    if (there === undefined) this.#byId.set(id, operation);
    else if (Array.isArray(there)) there.push(operation);
    else this.#byId.set(id, [there, operation]);
  }

  /** The operation of this id; among several the preferred one if it is there, else the oldest, one that fits first. */
  find(id: MessageId, preferred?: () => unknown, fits?: (operation: O) => boolean): O | undefined {
    const there = this.#byId?.get(id);
    if (!Array.isArray(there)) return there;
    const wanted = preferred?.();
    const chosen = there.find((operation) => operation === wanted);
    return chosen ?? (fits === undefined ? undefined : there.find(fits)) ?? there[0];
  }

  /** Takes an operation out; harmless where it is not in. */
  remove(id: MessageId, operation: O): void {
    const there = this.#byId?.get(id);
    if (there === operation) {
      this.#byId?.delete(id);
      this.#size--;
    } else if (Array.isArray(there)) {
      const index = there.indexOf(operation);
      if (index < 0) return;
      there.splice(index, 1);
      this.#size--;
      if (there.length === 0) this.#byId?.delete(id);
    }
  }

  /** All operations, oldest id first. */
  all(): O[] {
    return this.#size === 0 || this.#byId === undefined ? [] : (Array.from(this.#byId.values()).flat() as O[]);
  }
}
