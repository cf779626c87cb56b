// What `notifications/cancelled` says: which request is withdrawn, and whether its sender only gave up waiting. Pure.
import { isNotification, isRecord, type MessageId } from './message.ts';

/** A withdrawal. */
export interface Cancellation {
  readonly requestId: MessageId;
  /** Both SDKs cancel what has timed out, and say so in the reason only. */
  readonly timedOut: boolean;
}

/** Reads the params of the notification; undefined where they name no request. */
export function cancellationOf(params: unknown): Cancellation | undefined {
  const { requestId, reason } = isRecord(params) ? params : {};
  if (typeof requestId !== 'string' && typeof requestId !== 'number') return undefined;
  return { requestId, timedOut: typeof reason === 'string' && /timed out|timeout/i.test(reason) };
}

/** The request that a message withdraws; undefined for any other message. */
export function withdrawnBy(message: unknown): MessageId | undefined {
  if (!isNotification(message) || message.method !== 'notifications/cancelled') return undefined;
  return cancellationOf(message.params)?.requestId;
}
