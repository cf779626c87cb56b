// What policies tell of themselves. Listeners are called in the async context of the call that causes the event, so that the
// active span is the one it belongs to; what a listener does wrong never reaches the call. Pure.
import type { ErrorCode } from '../errors/error-code.ts';

/** States of a circuit breaker. `isolated` is open by hand. */
export const BREAKER_STATES = ['closed', 'open', 'half_open', 'isolated'] as const;
/** The state of a circuit breaker. */
export type BreakerState = (typeof BREAKER_STATES)[number];

/**
 * Why a circuit breaker changed its state.
 *
 * - `consecutive`, `ratio`, `slow_ratio`: what opened it: failures in a row, their share of the window, slow calls' share.
 * - `reset_elapsed`: it was open for long enough, and lets probes through.
 * - `probe_ok`, `probe_failed`: what the probes showed.
 * - `manual`: `isolate()` or `reset()`.
 */
export type TransitionReason =
  | 'consecutive'
  | 'ratio'
  | 'slow_ratio'
  | 'reset_elapsed'
  | 'probe_ok'
  | 'probe_failed'
  | 'manual';

/** How a call ended, as its policy saw it. */
export const CALL_OUTCOMES = ['success', 'failure', 'rejected', 'timeout', 'cancelled', 'fallback'] as const;
/** How a call ended, as its policy saw it. */
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** What came of a call that could be retried. */
export const RETRY_RESULTS = [
  'not_needed',
  'recovered',
  'exhausted',
  'not_retryable',
  'budget',
  'deadline',
  'cancelled',
] as const;
/**
 * What came of a call that could be retried.
 *
 * - `not_needed`: the first attempt succeeded; `recovered`: a later one did.
 * - `exhausted`: all attempts are used up; `budget`: the policy has retried enough for now; `deadline`: the next attempt
 *   would come too late.
 * - `not_retryable`: trying again would not help, or is not allowed; `cancelled`: the caller withdrew the call.
 */
export type RetryResult = (typeof RETRY_RESULTS)[number];

/** Something that a policy did. `policy` is its name, `error` what was thrown, if anything was. */
export type PolicyEvent =
  | {
      readonly type: 'retry';
      readonly policy: string | undefined;
      /** The attempt that follows; the first retry is attempt 2. */
      readonly attempt: number;
      readonly delayMs: number;
      readonly code: ErrorCode;
      readonly error: unknown;
    }
  | {
      readonly type: 'retry.gave_up';
      readonly policy: string | undefined;
      readonly result: 'exhausted' | 'budget' | 'deadline';
      /** How many attempts were made. */
      readonly attempts: number;
      readonly code: ErrorCode;
      readonly error: unknown;
    }
  | {
      readonly type: 'circuit_breaker.transition';
      readonly policy: string | undefined;
      readonly from: BreakerState;
      readonly to: BreakerState;
      readonly reason: TransitionReason;
      /** Failures that were counted when it happened. */
      readonly failures: number;
      /** Calls that were counted when it happened. */
      readonly calls: number;
      readonly lastErrorCode: ErrorCode | undefined;
      /** How long it stays open, where it opens. */
      readonly resetAfterMs: number | undefined;
    }
  | {
      readonly type: 'circuit_breaker.rejected';
      readonly policy: string | undefined;
      readonly state: BreakerState;
      readonly retryAfterMs: number;
    }
  | {
      readonly type: 'timeout';
      readonly policy: string | undefined;
      /** `total` is the limit of the whole call, `attempt` that of one attempt. */
      readonly scope: TimeoutScope;
      readonly limitMs: number;
    }
  | {
      readonly type: 'bulkhead.rejected';
      readonly policy: string | undefined;
      readonly running: number;
      readonly waiting: number;
    }
  | { readonly type: 'bulkhead.waited'; readonly policy: string | undefined; readonly waitedMs: number }
  | { readonly type: 'rate_limit.rejected'; readonly policy: string | undefined; readonly retryAfterMs: number }
  | {
      readonly type: 'fallback';
      readonly policy: string | undefined;
      readonly code: ErrorCode;
      readonly error: unknown;
    };

/** What a time limit covers. */
export type TimeoutScope = 'total' | 'attempt';

/** Is told what a policy does. */
export type PolicyListener = (event: PolicyEvent) => void;

const complainedAbout = new WeakSet<PolicyListener>();

/** Where the layers of one policy tell what they do. */
export class Monitor {
  /** What made the policy: `policy`, `retry`, `circuitBreaker` and so on. */
  readonly kind: string;
  readonly name: string | undefined;
  #listeners: readonly PolicyListener[] = [];

  constructor(kind: string, name: string | undefined) {
    this.kind = kind;
    this.name = name;
  }

  /** Adds a listener; returns what removes it. */
  on(listener: PolicyListener): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  tell(event: PolicyEvent): void {
    for (const listener of this.#listeners) notify(listener, event);
  }
}

// A listener may well be an async function.
function notify(listener: PolicyListener, event: PolicyEvent): void {
  try {
    const returned: unknown = listener(event);
    if (returned instanceof Promise) returned.catch((error: unknown) => complain(listener, event, error));
  } catch (error) {
    complain(listener, event, error);
  }
}

function complain(listener: PolicyListener, { type, policy }: PolicyEvent, error: unknown): void {
  if (complainedAbout.has(listener)) return;
  complainedAbout.add(listener);
  let text = 'a value that cannot be printed';
  try {
    text = String(error);
  } catch {
    // it stays what it is
  }
  process.emitWarning(
    `a listener of policy ${policy === undefined ? 'without a name' : `"${policy}"`} failed at "${type}": ${text}. Calls are not affected; this is said once.`,
    'ToolspanWarning',
  );
}
