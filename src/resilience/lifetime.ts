// How long a call may live: until its caller withdraws it, or a time limit is over. One token for all who wait on behalf of
// the call; an AbortController is made only where the function asks for its signal. Pure.

/** The life of one call, or of a part of it. Ends once. */
export class Lifetime {
  /** Reading of the clock by which a time limit ends it; infinite without one. */
  readonly endsAt: number;
  #ended = false;
  #reason: unknown;
  #controller: AbortController | undefined;
  #watchers: ((reason: unknown) => void)[] | undefined;

  /** @param within the life that this one cannot outlast. */
  constructor(within?: Lifetime, endsAt: number = Number.POSITIVE_INFINITY) {
    this.endsAt = within === undefined ? endsAt : Math.min(within.endsAt, endsAt);
    within?.watch((reason) => this.end(reason));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Why it ended: what the caller's signal was aborted with, or the error of the time limit. */
  get reason(): unknown {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Ends it; whoever watches is told before the function that hears of it by its signal. */
  end(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reason = reason;
    const watchers = this.#watchers;
    this.#watchers = undefined;
    if (watchers !== undefined) for (const watcher of watchers) watcher(reason);
    this.#controller?.abort(reason);
  }

  /** Calls back at its end: at once where it has ended. */
  watch(watcher: (reason: unknown) => void): void {
    if (this.#ended) watcher(this.#reason);
    else (this.#watchers ??= []).push(watcher);
  }
}

/** Ends a life when a signal is aborted; returns what stops listening, since signals may outlive the call by far. */
export function follow(lifetime: Lifetime, signal: AbortSignal): () => void {
  const end = () => lifetime.end(signal.reason);
  if (signal.aborted) {
    end();
    return () => {};
  }
  signal.addEventListener('abort', end, { once: true });
  return () => signal.removeEventListener('abort', end);
}
