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
