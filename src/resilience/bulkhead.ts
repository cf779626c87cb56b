// The bulkhead: a bounded number of calls at a time, and a bounded queue before it, first come, first served. Pure.
import { checkOptions, wholeNumber, type OptionRules } from '../options.ts';
import type { Call, Layer, Next, PolicyStep } from './call.ts';
import type { Clock } from './clock.ts';
import { Monitor } from './events.ts';
import { LayeredPolicy, type Policy } from './layered-policy.ts';
import { COMMON_RULES, surroundings, type CommonOptions } from './policy-options.ts';
import { refusal } from './refusal.ts';
import { enter } from './registry.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** How many calls may run and wait. */
export interface BulkheadSettings {
  /** How many calls may run at a time. @default 25 */
  readonly concurrency?: number | undefined;
  /** How many calls may wait for their turn. @default 0 */
  readonly queue?: number | undefined;
}

/** Options of `bulkhead`. All have a default. */
export type BulkheadOptions = BulkheadSettings & CommonOptions;

/** What the settings of a bulkhead may be. */
export const BULKHEAD_RULES: OptionRules<BulkheadSettings> = {
  concurrency: wholeNumber(1, 1_000_000),
  queue: wholeNumber(0, 1_000_000),
};

// how long slots are taken is not known; a second spares both sides
const RETRY_AFTER_MS = 1_000;

/**
 * A bulkhead. Calls beyond `concurrency` wait in a queue, calls beyond the queue are refused with a `ToolError` UNAVAILABLE.
 * A call that is withdrawn while it waits leaves the queue at once.
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export function bulkhead(options: BulkheadOptions = {}): Policy {
  checkOptions<BulkheadOptions>('bulkhead', options, { ...COMMON_RULES, ...BULKHEAD_RULES });
  const monitor = new Monitor('bulkhead', options.name);
  const layer = new Slots(options, surroundings(options).clock, monitor);
  return enter(new LayeredPolicy(monitor, [layer]));
}

/** Lets so many calls run, and so many wait. */
export class Slots implements Layer {
  readonly #concurrency: number;
  readonly #queue: number;
  readonly #clock: Clock;
  readonly #monitor: Monitor;
  readonly #waiters = new Set<() => void>();
  #running = 0;

  constructor({ concurrency = 25, queue = 0 }: BulkheadSettings, clock: Clock, monitor: Monitor) {
    this.#concurrency = concurrency;
    this.#queue = queue;
    this.#clock = clock;
    this.#monitor = monitor;
  }

  async execute(call: Call, next: Next): Promise<unknown> {
    if (this.#running < this.#concurrency) this.#running++;
    else await this.#turn(call);
    try {
      return await next(call);
    } finally {
      this.#leave();
    }
  }

  describe(): PolicyStep {
    return { policy: 'bulkhead', concurrency: this.#concurrency, queue: this.#queue };
  }

  report(): Pick<PolicySnapshot, 'bulkhead'> {
    return { bulkhead: { running: this.#running, waiting: this.#waiters.size } };
  }

  // Whoever leaves hands the slot to the one who has waited longest, so that nobody overtakes.
  #leave(): void {
    const [next] = this.#waiters;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#waiters.delete(next);
    next();
  }

  async #turn({ lifetime }: Call): Promise<void> {
    const policy = this.#monitor.name;
    if (this.#waiters.size >= this.#queue) {
      this.#monitor.tell({
        type: 'bulkhead.rejected',
        policy,
        running: this.#running,
        waiting: this.#waiters.size,
      });
      const place = this.#queue === 0 ? '' : `, ${this.#waiters.size} waiting`;
      throw refusal(
        'bulkhead',
        `${policy ?? 'The dependency'} is busy: ${this.#running} calls running${place}`,
        RETRY_AFTER_MS,
      );
    }
    const since = this.#clock.now();
    await new Promise<void>((resolve, reject) => {
      this.#waiters.add(resolve);
      lifetime?.watch((reason) => {
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- a caller may abort with anything
        if (this.#waiters.delete(resolve)) reject(reason);
      });
    });
    this.#monitor.tell({ type: 'bulkhead.waited', policy, waitedMs: this.#clock.now() - since });
  }
}
