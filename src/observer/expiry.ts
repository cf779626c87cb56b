// One timer a process looks for operations that were never answered. It runs only while something is in flight, and
// never keeps the process alive.
import type { Connection } from './connection.ts';

const MAX_INTERVAL_MS = 30_000;

const watched = new Map<Connection, number>();
let timer: NodeJS.Timeout | undefined;
let interval = Number.POSITIVE_INFINITY;

/** Sees that the operations of a connection end at `maxOperationMs`. */
export function watchExpiry(connection: Connection, maxOperationMs: number): void {
  if (watched.has(connection)) return;
  watched.set(connection, maxOperationMs);
  const wanted = Math.min(MAX_INTERVAL_MS, Math.max(1, maxOperationMs / 10));
  if (timer !== undefined && interval <= wanted) return;
  clearInterval(timer);
  interval = wanted;
  timer = setInterval(sweep, interval);
  timer.unref();
}

/** Forgets a connection that is gone. */
export function forgetExpiry(connection: Connection): void {
  watched.delete(connection);
}

function sweep(): void {
  for (const connection of watched.keys()) if (!connection.expire()) watched.delete(connection);
  if (watched.size > 0) return;
  clearInterval(timer);
  timer = undefined;
  interval = Number.POSITIVE_INFINITY;
}
