// What counts as a failure: of what was thrown, and of what was returned. Pure.
import { classify, type Classification } from '../errors/classify.ts';
import { isTimeLimit, refusalOf } from './refusal.ts';
import type { Call } from './call.ts';

/** What a failed result means. */
export type Failure = Classification;

/**
 * Says whether a result is a failure: false or undefined for a success, true for a failure that may be retried, or what is
 * known of it. May be asked several times about one result.
 */
export type FailOn = (result: unknown) => boolean | Failure | undefined;

const FAILED: Failure = { code: 'UNAVAILABLE', fault: 'dependency', retryable: true, retryAfterMs: undefined };

/** How an attempt or a call ended, once it has. */
export interface Ended {
  readonly threw: boolean;
  /** What was thrown or returned. */
  readonly value: unknown;
  readonly failure: Failure;
}

/** What is wrong with a result; undefined where nothing is. */
export function failureOfResult(result: unknown, failOn: FailOn | undefined): Failure | undefined {
  if (failOn === undefined) return undefined;
  const verdict = failOn(result);
  if (verdict === true) return FAILED;
  return verdict === false ? undefined : verdict;
}

/** The end of a call that threw. */
export function thrownEnd(error: unknown): Ended {
  return { threw: true, value: error, failure: classify(error) };
}

/** Whether the caller has withdrawn the call; a time limit is nobody's withdrawal. */
export function isWithdrawn({ lifetime }: Call): boolean {
  return lifetime?.ended === true && !isTimeLimit(lifetime.reason);
}

/** Whether an end says nothing about what was called: it was refused before, withdrawn, or the caller's own mistake. */
export function isVoid(call: Call, { threw, value, failure }: Ended, when?: (error: unknown) => boolean): boolean {
  if (isWithdrawn(call) || (threw && refusalOf(value) !== undefined)) return true;
  return threw && when !== undefined ? !when(value) : failure.fault === 'caller';
}
