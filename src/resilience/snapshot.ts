// How policies stand, as telemetry and health read them. Pure.
import type { ErrorCode } from '../errors/error-code.ts';
import type { BreakerState, CallOutcome, RetryResult } from './events.ts';

/** How a circuit breaker stands, worked out when it is asked for: no call has to happen. */
export interface BreakerSnapshot {
  readonly state: BreakerState;
  /** How long it has been in this state, in ms. */
  readonly sinceMs: number;
  /** Failures that count at present while it is closed; else those that opened it. */
  readonly failures: number;
  /** When the next call may be let through, in ms; undefined while it is closed. */
  readonly retryAfterMs: number | undefined;
  /** Whether the server is of no use without what it guards. */
  readonly critical: boolean;
  readonly lastErrorCode: ErrorCode | undefined;
  /** How often it went from one state to another. */
  readonly transitions: readonly { readonly from: BreakerState; readonly to: BreakerState; readonly count: number }[];
  /** How long it has been in each state altogether, in ms. */
  readonly timeInStateMs: Readonly<Record<BreakerState, number>>;
}

/** How a policy stands. Counts are since it was made; what it does not have is not there. */
export interface PolicySnapshot {
  readonly name: string;
  readonly calls?: Readonly<Record<CallOutcome, number>>;
  readonly retry?: {
    /** Attempts after the first. */
    readonly attempts: number;
    readonly calls: Readonly<Record<RetryResult, number>>;
  };
  readonly breaker?: BreakerSnapshot;
  readonly bulkhead?: { readonly running: number; readonly waiting: number };
  readonly fallbackEnabled?: boolean;
}

/** A count of zero for each of these. */
export function zeroes<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
