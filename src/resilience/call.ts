// One call on its way through the layers of a policy, and how layers are put together. Pure.
import type { Clock } from './clock.ts';
import { discard } from './discard.ts';
import type { Lifetime } from './lifetime.ts';

/** What a function that runs under a policy is given. */
export interface CallContext {
  /** Aborted when the caller withdraws the call or a time limit is over: hand it on to whatever the function waits for. */
  readonly signal: AbortSignal;
  /** Which attempt this is; the first is 1. */
  readonly attempt: number;
}

/** What one call may say of itself. */
export interface RunOptions {
  /** The caller's signal. A tool call that is under way is listened to without it. */
  readonly signal?: AbortSignal | undefined;
  /** Whose call it is, for a rate limit by key. @default all calls share one limit */
  readonly key?: string | undefined;
  /** What the call is about, for a fallback to go by. */
  readonly input?: unknown;
  /** False for a call that must not be made twice: it is never retried. @default true */
  readonly idempotent?: boolean | undefined;
}

/** A function that runs under a policy. */
export type Work = (context: CallContext) => unknown;

/** What stands further inside. */
export type Next = (call: Call) => Promise<unknown>;

/** One policy of one kind, as a step that each call passes. */
export interface Layer {
  execute(call: Call, next: Next): Promise<unknown>;
  describe(): PolicyStep;
}

/** One step of a policy, with its options in force. */
export interface PolicyStep {
  readonly policy: string;
  readonly [option: string]: unknown;
}

/** One call; the very object that its function is given. */
export class Call implements CallContext {
  readonly work: Work;
  readonly options: RunOptions;
  /** Undefined where nothing can end it early. */
  readonly lifetime: Lifetime | undefined;
  readonly attempt: number;
  /** Whether a fallback has answered. */
  fellBack = false;
  #signal: AbortSignal | undefined;
  #clock: Clock | undefined;
  #reading = 0;

  constructor(work: Work, options: RunOptions, lifetime: Lifetime | undefined, attempt: number) {
    this.work = work;
    this.options = options;
    this.lifetime = lifetime;
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    // not one for all calls: listeners that are never removed would gather on it
    return this.lifetime?.signal ?? (this.#signal ??= new AbortController().signal);
  }

  /** When it came: the first reading of the clock serves all layers. */
  at(clock: Clock): number {
    if (this.#clock !== clock) {
      this.#clock = clock;
      this.#reading = clock.now();
    }
    return this.#reading;
  }

  /** The same call with a shorter life. */
  within(lifetime: Lifetime): Call {
    const call = new Call(this.work, this.options, lifetime, this.attempt);
    call.#clock = this.#clock;
    call.#reading = this.#reading;
    return call;
  }

  /** The same call, tried once more. */
  again(): Call {
    return new Call(this.work, this.options, this.lifetime, this.attempt + 1);
  }
}

/** Puts layers around the function of a call, outermost first. */
export function compose(layers: readonly Layer[]): Next {
  return layers.reduceRight<Next>((next, layer) => (call) => layer.execute(call, next), invoke as Next);
}

// Settles when the call's life ends, whatever the function does; what it returns later is dropped. Every layer is an async
// function, so that what is thrown or returned here at once is a promise to the caller.
function invoke(call: Call): unknown {
  const { lifetime, work } = call;
  if (lifetime === undefined) return work(call);
  return new Promise((resolve, reject) => {
    lifetime.watch(reject);
    if (lifetime.ended) return;
    const returned = work(call);
    if (!isThenable(returned)) {
      resolve(returned);
      return;
    }
    returned.then((value) => (lifetime.ended ? discard(value) : resolve(value)), reject);
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
