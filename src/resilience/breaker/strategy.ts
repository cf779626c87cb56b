// What a circuit breaker judges by while it is closed. Pure.
import type { TransitionReason } from '../events.ts';

/** One way of seeing that a dependency is in trouble. */
export interface Strategy {
  /** Counts a call that succeeded; says why to open, where it was slow once too often. */
  succeeded(at: number, slow: boolean): TransitionReason | undefined;
  /** Counts a call that failed; says why to open, if it is time to. */
  failed(at: number, slow: boolean): TransitionReason | undefined;
  /** Calls and failures that count at present. */
  counts(at: number): Counts;
  /** Forgets everything. */
  clear(): void;
}

/** Calls and failures. */
export interface Counts {
  readonly calls: number;
  readonly failures: number;
}
