// A policy as its user holds it: layers around a function, what they tell, and what can be read of them.
import { ambientSignal } from '../context.ts';
import { shown } from '../options.ts';
import {
  Call,
  compose,
  type CallContext,
  type Layer,
  type Link,
  type Next,
  type PolicyStep,
  type RunOptions,
} from './call.ts';
import { ownerOf, type Monitor, type PolicyListener } from './events.ts';
import type { FailOn } from './failure.ts';
import { follow, Lifetime } from './lifetime.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { Tally } from './tally.ts';
import { UserCode } from './user-code.ts';

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

/** A layer of a policy, with the code of this instance. */
export interface PolicyLink extends Link<ReportingLayer> {
  /** Whether another policy answers for it. */
  readonly shared?: boolean | undefined;
}

const NO_OPTIONS: RunOptions = {};

/** What all factories return. */
export class LayeredPolicy<F = never> implements Policy<F> {
  readonly #failOn: FailOn | undefined;
  #monitor: Monitor;
  #links: readonly PolicyLink[];
  #tally: Tally | undefined;
  #chain: Next;

  /**
   * @param links outermost first.
   * @param failOn which results are failures.
   */
  constructor(monitor: Monitor, links: readonly PolicyLink[], failOn?: FailOn) {
    this.#failOn = failOn;
    this.#monitor = monitor;
    // only what has a name is asked how many calls it has seen
    this.#tally = monitor.name === undefined ? undefined : new Tally();
    const tally = this.#tally && { layer: this.#tally, code: new UserCode(ownerOf(monitor), { failOn }) };
    this.#links = tally === undefined ? links : [tally, ...links];
    this.#chain = compose(this.#links);
  }

  get kind(): string {
    return this.#monitor.kind;
  }

  get name(): string | undefined {
    return this.#monitor.name;
  }

  /** Who is told what it does. */
  get monitor(): Monitor {
    return this.#monitor;
  }

  /** What a call passes, outermost first. */
  get links(): readonly PolicyLink[] {
    return this.#links;
  }

  /**
   * The policy of this name to go on with: the earlier one where it would ask the very same of its user; else this one, which
   * takes over the layers of the earlier one with all their state, and asks its own user. The earlier one may come from
   * another copy of this package.
   */
  onStateOf(earlier: LayeredPolicy<unknown>): this {
    const codes = Map.groupBy(this.#links, kindOf);
    const links = earlier.links.map((link) => {
      const code = codes.get(kindOf(link))?.shift()?.code;
      // where the earlier one has more parts, they go without what was never given
      return { ...link, code: code ?? new UserCode(ownerOf(this.#monitor), { failOn: this.#failOn }) };
    });
    if (
      earlier.kind === this.kind &&
      links.every(({ code }, index) => earlier.links[index]?.code.equals(code) === true)
    )
      return earlier as this;
    this.#monitor = earlier.monitor;
    this.#links = links;
    this.#tally = earlier.links[0]?.layer as Tally;
    this.#chain = compose(links);
    return this;
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
    return this.#links.filter(({ layer }) => layer !== this.#tally).map(({ layer }) => layer.describe());
  }

  /** How it stands, by its name. */
  snapshot(): PolicySnapshot {
    const own = this.#links.filter(({ shared }) => shared !== true);
    return Object.assign({ name: this.name ?? '' }, ...own.map(({ layer }) => layer.report?.())) as PolicySnapshot;
  }

  /** The layer that describes itself as this; the caller knows its class. */
  protected layerOf(kind: string): ReportingLayer | undefined {
    return this.#links.find((link) => kindOf(link) === kind)?.layer;
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

function kindOf({ layer }: Link): string {
  return layer.describe().policy;
}
