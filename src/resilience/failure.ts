// What counts as a failure: of what was thrown, and of what was returned. Pure.
import { classify, type Classification } from '../errors/classify.ts';
import { isTimeLimit, refusalOf } from './refusal.ts';
import type { Call } from './call.ts';
import type { UserCode } from './user-code.ts';

/** What a failed result means. */
export type Failure = Classification;

/**
 * Says whether a result is a failure: false or undefined for a success, true for a failure that may be retried, or what is
 * known of it. May be asked several times about one result. What it does wrong is said once, and its result counts as a success.
 */
export type FailOn = (result: unknown) => boolean | Failure | undefined;

/** How an attempt or a call ended, once it has. */
export interface Ended {
  readonly threw: boolean;
  /** What was thrown or returned. */
  readonly value: unknown;
  readonly failure: Failure;
}

// an abort while the caller waits on is a limit of the dependency's own
const NOBODY_WITHDREW = { signal: new AbortController().signal };

/** The end of a call that threw. */
export function thrownEnd(call: Call, error: unknown): Ended {
  const failure = isWithdrawn(call) ? classify(error) : classify(error, NOBODY_WITHDREW);
  return { threw: true, value: error, failure };
}

/** Whether the caller has withdrawn the call; a time limit is nobody's withdrawal. */
export function isWithdrawn({ lifetime }: Call): boolean {
  return lifetime?.ended === true && !isTimeLimit(lifetime.reason);
}

/** Whether an end says nothing about what was called: it was refused before, withdrawn, or the caller's own mistake. */
export function isVoid(call: Call, { threw, value, failure }: Ended, code: UserCode): boolean {
  if (isWithdrawn(call) || (threw && refusalOf(value) !== undefined)) return true;
  const counts = threw ? code.verdictOn(value) : undefined;
  return counts === undefined ? failure.fault === 'caller' : !counts;
}
