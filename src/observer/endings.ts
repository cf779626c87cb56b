// How operations end that no answer ends.
import type { Ending } from '../protocol/outcome.ts';

/** Handed over, or its handler is done. */
export const OK: Ending = { outcome: 'ok' };

/** The one who asked withdrew the question. */
export const CANCELLED: Ending = { outcome: 'cancelled', errorCode: 'CANCELLED', fault: 'caller' };

/** The one who asked gave up waiting. */
export const TIMED_OUT: Ending = { ...CANCELLED, errorType: 'timeout', errorCode: 'TIMEOUT', fault: 'dependency' };

/** The connection closed before an answer was given. */
export const ABORTED_IN: Ending = { outcome: 'aborted' };

/** The connection closed before an answer came. */
export const ABORTED_OUT: Ending = { outcome: 'aborted', errorType: 'aborted' };

/** No outcome for longer than the door allows. */
export const EXPIRED: Ending = { outcome: 'expired', errorType: 'timeout', errorCode: 'TIMEOUT', fault: 'dependency' };
