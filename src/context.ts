// The running call: which operation the current code works for, wherever in its async flow it asks.
import { AsyncLocalStorage } from 'node:async_hooks';
import { runStored } from './async-storage.ts';

/** What code below a handler may know of the call it works for. What is optional, an older copy of this package lacks. */
export interface RunningCall {
  /** The MCP method, for example `tools/call`. */
  readonly method: string;
  /** The tool, prompt or resource it is aimed at. */
  readonly target: string | undefined;
  /** Aborted when the caller withdraws the call. */
  signal?: AbortSignal | undefined;
  /** Whether a handler has started. */
  readonly entered: boolean;
  /** The JSON-RPC id of the request, as text. */
  readonly requestId?: string | undefined;
  /** The MCP session it belongs to. */
  readonly sessionId?: string | undefined;
  /** Who calls, as far as the server's option `identity` lets it be known. */
  readonly user?: { readonly id: string; readonly hashed: boolean } | undefined;
  /** How its log records are treated, and who of the client reads them; objects of the logging room. */
  readonly log?: unknown;
  readonly clientLog?: unknown;
  /** How its failures are told to the client; an object of the observer. */
  readonly failures?: unknown;
  /** Notes the first value thrown by a handler of this call. */
  noteThrown(value: unknown): void;
  /** Notes what a tool caught, and the result that was made of it. */
  noteCaught?(value: unknown, made: object): void;
  /** Notes that a handler of this call has started. */
  noteEntered(): void;
  /** Notes that the handler of this call is done, and what it returned. */
  noteLeft(returned?: unknown): void;
}

/** The key under which the running call stands in a context of OpenTelemetry. */
export const RUNNING_CALL: symbol = Symbol.for('toolspan.running-call.v1');

const CALLS = Symbol.for('toolspan.running-calls.v1');
const SIGNALS = Symbol.for('toolspan.running-signal.v1');

/** Finds the running call; where contexts of OpenTelemetry are kept it is in those, and costs no storage of its own. */
class RunningCalls {
  readonly #storage = new AsyncLocalStorage<RunningCall>();
  readonly #readers: (() => RunningCall | undefined)[] = [];

  /** Says how it is read from the active context; each copy of us may have an API of its own. */
  readFrom(reader: () => RunningCall | undefined): void {
    this.#readers.push(reader);
  }

  get(): RunningCall | undefined {
    for (const read of this.#readers) {
      const call = read();
      if (call !== undefined) return call;
    }
    return this.#storage.getStore();
  }

  /** Does something as part of a call, where no contexts are kept. */
  run<T>(call: RunningCall, work: () => T): T {
    return runStored(this.#storage, call, work, undefined);
  }
}

// Two copies of this package in one process must see the same running call.
const holder = globalThis as { [CALLS]?: RunningCalls; [SIGNALS]?: AsyncLocalStorage<AbortSignal> };

/** The running calls of this process. */
export const runningCalls: RunningCalls = (holder[CALLS] ??= new RunningCalls());

/** The running call of the current code. */
export function runningCall(): RunningCall | undefined {
  return runningCalls.get();
}

const partSignals: AsyncLocalStorage<AbortSignal> = (holder[SIGNALS] ??= new AsyncLocalStorage<AbortSignal>());

/** Aborted when what the current code works for is given up: its part of the running call, or the call itself. */
export function ambientSignal(): AbortSignal | undefined {
  return partSignals.getStore() ?? runningCall()?.signal;
}

/** Does something as a part of the running call that may be given up before the call is. */
export function withSignal<T>(signal: AbortSignal, work: () => T): T {
  return runStored(partSignals, signal, work, undefined);
}
