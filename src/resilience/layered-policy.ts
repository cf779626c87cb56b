// A policy as its user holds it: layers around a function, what they tell, and what can be read of them.
import { ambientSignal } from '../context.ts';
import { shown } from '../options.ts';
import { Call, compose, type CallContext, type Layer, type Next, type PolicyStep, type RunOptions } from './call.ts';
import type { Monitor, PolicyListener } from './events.ts';
import type { FailOn } from './failure.ts';
import { follow, Lifetime } from './lifetime.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { Tally } from './tally.ts';

/** Carries the type of a fallback; nothing has such a property. */
declare const answers: unique symbol;

/** Something that a call can run under. `F` is what its fallback answers with. */
export interface Policy<F = never> {
  readonly [answers]?: F;
  /** Undefined for a policy without a name, which is in no telemetry. */
  readonly name: string | undefined;
  /**
   * Runs a function under this policy.
   *
   * @returns what the function returned, or the fallback.
   * @throws what the function threw, unchanged; what the caller's signal was aborted with; or a `ToolError` of the policy:
   *   RATE_LIMIT_EXCEEDED, UNAVAILABLE (both with `retryAfterMs`) or TIMEOUT.
   */
  run<T>(work: (context: CallContext) => T | PromiseLike<T>, options?: RunOptions): Promise<T | F>;
  /** Listens to what the policy does; returns what ends it. What a listener throws never reaches a call. */
  on(listener: PolicyListener): () => void;
  /** The steps that a call passes, outermost first, with the options in force. */
  describe(): readonly PolicyStep[];
}

/** A layer that can tell how it stands. */
export interface ReportingLayer extends Layer {
  report?(): Omit<Partial<PolicySnapshot>, 'name'>;
}

const NO_OPTIONS: RunOptions = {};

/** What all factories return. */
export class LayeredPolicy<F = never> implements Policy<F> {
  /** What a call passes, outermost first. */
  readonly layers: readonly ReportingLayer[];
  readonly #monitor: Monitor;
  readonly #own: readonly ReportingLayer[];
  readonly #tally: Tally | undefined;
  readonly #chain: Next;

  /**
   * @param layers outermost first.
   * @param failOn which results are failures.
   * @param own those of the layers that no other policy answers for.
   */
  constructor(
    monitor: Monitor,
    layers: readonly ReportingLayer[],
    failOn?: FailOn,
    own: readonly ReportingLayer[] = layers,
  ) {
    this.#monitor = monitor;
    // only what has a name is asked how many calls it has seen
    this.#tally = monitor.name === undefined ? undefined : new Tally(failOn);
    this.layers = this.#tally === undefined ? layers : [this.#tally, ...layers];
    this.#own = this.#tally === undefined ? own : [this.#tally, ...own];
    this.#chain = compose(this.layers);
  }

  get kind(): string {
    return this.#monitor.kind;
  }

  get name(): string | undefined {
    return this.#monitor.name;
  }

  run<T>(work: (context: CallContext) => T | PromiseLike<T>, options: RunOptions = NO_OPTIONS): Promise<T | F> {
    if (typeof work !== 'function') {
      return Promise.reject(new TypeError(`run: expected a function, got ${shown(work)}`));
    }
    const ambient = ambientSignal();
    const ran =
      ambient === undefined && options.signal === undefined
        ? this.#chain(new Call(work, options, undefined, 1))
        : this.#runUntil([options.signal, ambient], work, options);
    return ran as Promise<T | F>;
  }

  on(listener: PolicyListener): () => void {
    if (typeof listener !== 'function') throw new TypeError(`on: expected a function, got ${shown(listener)}`);
    return this.#monitor.on(listener);
  }

  describe(): readonly PolicyStep[] {
    return this.layers.filter((layer) => layer !== this.#tally).map((layer) => layer.describe());
  }

  /** How it stands, by its name. */
  snapshot(): PolicySnapshot {
    return Object.assign({ name: this.name ?? '' }, ...this.#own.map((layer) => layer.report?.())) as PolicySnapshot;
  }

  async #runUntil(
    signals: readonly (AbortSignal | undefined)[],
    work: (context: CallContext) => unknown,
    options: RunOptions,
  ): Promise<unknown> {
    const lifetime = new Lifetime();
    const stops = signals.map((signal) => (signal === undefined ? undefined : follow(lifetime, signal)));
    try {
      // what was withdrawn before it began takes no permit from anybody
      if (lifetime.ended) {
        this.#tally?.count('cancelled');
        throw lifetime.reason;
      }
      return await this.#chain(new Call(work, options, lifetime, 1));
    } finally {
      for (const stop of stops) stop?.();
    }
  }
}
