// The rate limit: a token bucket for each key, for a bounded number of keys. Pure.
import { durationMs, wholeNumber, type OptionRules } from '../options.ts';
import type { Call, Layer, Next, PolicyStep } from './call.ts';
import type { Clock } from './clock.ts';
import { Monitor } from './events.ts';
import { LayeredPolicy, type Policy } from './layered-policy.ts';
import { checkWithRequired, COMMON_RULES, surroundings, type CommonOptions } from './policy-options.ts';
import { refusal } from './refusal.ts';
import { enter } from './registry.ts';
import { NO_CODE } from './user-code.ts';

/** How many calls may be made in which time. */
export interface RateLimitSettings {
  /** How many calls may be made in `perMs`, all at once too. */
  readonly permits: number;
  /** The time in which permits come back, evenly, in ms. @default 1_000 */
  readonly perMs?: number | undefined;
  /**
   * How many keys are kept; of those beyond, the one not seen for longest is forgotten and starts anew.
   *
   * @default 10_000
   */
  readonly maxKeys?: number | undefined;
}

/** Options of `rateLimit`. */
export type RateLimitOptions = RateLimitSettings & CommonOptions;

/** What the settings of a rate limit may be. */
export const RATE_LIMIT_RULES: OptionRules<RateLimitSettings> = {
  permits: wholeNumber(1, 1_000_000_000),
  perMs: durationMs(1),
  maxKeys: wholeNumber(1, 1_000_000),
};

interface Bucket {
  permits: number;
  /** Reading of the clock when `permits` was right. */
  at: number;
}

/**
 * A rate limit. Calls with the same `key` (an option of `run`) share one; calls without a key share another. A call too many
 * is refused with a `ToolError` RATE_LIMIT_EXCEEDED, whose `retryAfterMs` says when the next permit is there.
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export function rateLimit(options: RateLimitOptions): Policy {
  checkWithRequired<RateLimitOptions>('rateLimit', options, { ...COMMON_RULES, ...RATE_LIMIT_RULES }, 'permits');
  const monitor = new Monitor('rateLimit', options.name);
  const layer = new TokenBuckets(options, surroundings(options).clock, monitor);
  return enter(new LayeredPolicy(monitor, [{ layer, code: NO_CODE }]));
}

/** Lets so many calls through in a time. */
export class TokenBuckets implements Layer {
  readonly #permits: number;
  readonly #perMs: number;
  readonly #maxKeys: number;
  readonly #clock: Clock;
  readonly #monitor: Monitor;
  // in the order in which the keys were last seen
  readonly #buckets = new Map<string, Bucket>();
  #shared: Bucket | undefined;

  constructor({ permits, perMs = 1_000, maxKeys = 10_000 }: RateLimitSettings, clock: Clock, monitor: Monitor) {
    this.#permits = permits;
    this.#perMs = perMs;
    this.#maxKeys = maxKeys;
    this.#clock = clock;
    this.#monitor = monitor;
  }

  async execute(call: Call, next: Next): Promise<unknown> {
    const now = call.at(this.#clock);
    const { key } = call.options;
    const bucket = key === undefined ? (this.#shared ??= this.#full(now)) : this.#of(key, now);
    const waitMs = this.#take(bucket, now);
    if (waitMs > 0) {
      const policy = this.#monitor.name;
      this.#monitor.tell({ type: 'rate_limit.rejected', policy, retryAfterMs: waitMs });
      const calls = this.#permits === 1 ? '1 call' : `${this.#permits} calls`;
      throw refusal(
        'rate_limit',
        `${policy ?? 'The dependency'} takes ${calls} in ${this.#perMs} ms, and none is left`,
        waitMs,
      );
    }
    return next(call);
  }

  describe(): PolicyStep {
    return { policy: 'rate_limit', permits: this.#permits, perMs: this.#perMs, maxKeys: this.#maxKeys };
  }

  // Takes a permit, or says how long it takes until there is one, in ms.
  #take(bucket: Bucket, now: number): number {
    const passed = now - bucket.at;
    if (passed > 0) {
      bucket.permits = Math.min(this.#permits, bucket.permits + (passed * this.#permits) / this.#perMs);
      bucket.at = now;
    }
    // whoever waits as long as it was told is let through, however fractions add up
    if (bucket.permits < 1 - 1e-9) return Math.ceil(((1 - bucket.permits) * this.#perMs) / this.#permits);
    bucket.permits--;
    return 0;
  }

  #of(key: string, now: number): Bucket {
    const there = this.#buckets.get(key);
    if (there !== undefined) this.#buckets.delete(key);
    else if (this.#buckets.size >= this.#maxKeys) this.#forgetOldest();
    const bucket = there ?? this.#full(now);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #forgetOldest(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }

  #full(now: number): Bucket {
    return { permits: this.#permits, at: now };
  }
}
