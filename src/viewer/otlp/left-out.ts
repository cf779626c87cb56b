// Records of a request that are not taken while the rest is.
import type { MalformedError } from './wire.ts';

/** How many, and why the last of them. */
export interface LeftOut {
  count: number;
  reason: string;
}

export function nothingLeftOut(): LeftOut {
  return { count: 0, reason: '' };
}

/** Counts one more. */
export function leaveOut(leftOut: LeftOut, { message }: MalformedError): void {
  leftOut.count++;
  leftOut.reason = message;
}
