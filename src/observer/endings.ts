// How operations end that no answer ends.
import type { Ending } from '../protocol/outcome.ts';

/** Handed over, or its handler is done. */
export const OK: Ending = { outcome: 'ok' };

/** The one who asked withdrew the question. */
export const CANCELLED: Ending = { outcome: 'cancelled' };

/** The one who asked gave up waiting. */
export const TIMED_OUT: Ending = { outcome: 'cancelled', errorType: 'timeout' };

/** The connection closed before an answer was given. */
export const ABORTED_IN: Ending = { outcome: 'aborted' };

/** The connection closed before an answer came. */
export const ABORTED_OUT: Ending = { outcome: 'aborted', errorType: 'aborted' };

/** No outcome for longer than the door allows. */
export const EXPIRED: Ending = { outcome: 'expired', errorType: 'timeout' };

/** Whether an ending shows that the target exists; a tool error does not, as SDK v1 answers with one for an unknown tool. */
export function showsTarget({ outcome }: Ending): boolean {
  return outcome === 'ok' || outcome === 'input_required';
}
