// Scenarios that two libraries are put through, in time that does not pass by itself, and what is seen of them.
import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { retry } from '../../src/resilience/index.ts';
import type { RequirementId } from '../requirements.ts';
import { watch } from './manual-clock.ts';
import { verifies } from './verifies.ts';

export const down = () => new ToolError('UNAVAILABLE', 'down');
export const failing = () => Promise.reject(down());
export const never = () => new Promise<never>(() => {});
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** One scenario: what it shows with their library and with ours. */
export interface Row {
  readonly scenario: string;
  readonly theirs: () => unknown;
  readonly sees: unknown;
  readonly ours: () => unknown;
  readonly instead: unknown;
}

/** A retry of ours with the same delay each time. */
export const ourRetry = (attempts: number, delayMs: number) =>
  retry({ attempts, initialDelayMs: delayMs, maxDelayMs: delayMs, jitter: 'none' });

/** Aborts after 100 ms, in the middle of a backoff of 400 ms: how often the work ran, and when the call was over. */
export async function abortedInBackoff(start: (work: () => Promise<never>, signal: AbortSignal) => Promise<unknown>) {
  const caller = new AbortController();
  let runs = 0;
  let overAt: number | undefined;
  const startedAt = Date.now();
  start(() => {
    runs++;
    return failing();
  }, caller.signal).catch(() => (overAt = Date.now() - startedAt));
  await pass(100);
  caller.abort();
  await pass(2_000);
  return { runs, overAt };
}

/** How often work that always fails is run. */
export async function countRuns(start: (work: () => Promise<never>) => Promise<unknown>): Promise<number> {
  let runs = 0;
  start(() => {
    runs++;
    return failing();
  }).catch(() => {});
  await pass(10_000);
  return runs;
}

/** What a call is settled with, of either kind. */
export async function settledWith(call: Promise<unknown>, ms: number): Promise<unknown> {
  const watched = watch(call);
  await pass(ms);
  return watched.value;
}

/** How often work that throws this is run. */
export async function countThrown(make: () => Error, start: (work: () => Promise<never>) => Promise<unknown>) {
  let runs = 0;
  start(() => {
    runs++;
    return Promise.reject(make());
  }).catch(() => {});
  await pass(10_000);
  return runs;
}

/** When work is tried again that asks for 700 ms, in ms. */
export async function secondTryAt(
  start: (work: () => Promise<never>) => Promise<unknown>,
): Promise<number | undefined> {
  const startedAt = Date.now();
  const tries: number[] = [];
  start(() => {
    tries.push(Date.now() - startedAt);
    return Promise.reject(new ToolError('RATE_LIMIT_EXCEEDED', 'slow down', { retryAfterMs: 700 }));
  }).catch(() => {});
  await pass(10_000);
  return tries[1];
}

/** How often work is run that a hundred calls want done, and that always fails. */
export async function ofAHundred(start: (work: () => Promise<never>) => Promise<unknown>): Promise<number> {
  let reached = 0;
  const work = () => {
    reached++;
    return failing();
  };
  const calls = Array.from({ length: 100 }, () => start(work).catch(() => {}));
  await pass(1_000);
  await Promise.all(calls);
  return reached;
}

/** The message that is left of work that always fails. */
export async function lastError(start: (work: () => Promise<never>) => Promise<unknown>): Promise<string> {
  let runs = 0;
  const call = start(() => Promise.reject(new ToolError('UNAVAILABLE', `down ${++runs}`)));
  return ((await settledWith(call, 10_000)) as Error).message;
}

/** Shows each scenario with both libraries. */
export function compare(id: RequirementId, rows: readonly Row[]): void {
  describe(id, () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => {
      vi.useRealTimers();
      vi.restoreAllMocks();
    });
    describe.each(rows)('$scenario', ({ theirs, sees, ours, instead }) => {
      verifies(id, async () => {
        expect(await theirs()).toEqual(sees);
        expect(await ours()).toEqual(instead);
      });
    });
  });
}
