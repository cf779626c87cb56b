// One timer a process looks for operations that were never answered. It runs only while something is in flight, and
// never keeps the process alive.
import { busyConnections, type OpenConnection } from '../state/connections.ts';

const MAX_INTERVAL_MS = 30_000;

let timer: NodeJS.Timeout | undefined;
let interval = Number.POSITIVE_INFINITY;

/** Sees that the operations of a connection end at `maxOperationMs`, or when the telemetry of the process stops. */
export function watchExpiry(connection: OpenConnection, maxOperationMs: number): void {
  if (busyConnections.has(connection)) return;
  busyConnections.add(connection);
  const wanted = Math.min(MAX_INTERVAL_MS, Math.max(1, maxOperationMs / 10));
  if (timer !== undefined && interval <= wanted) return;
  clearInterval(timer);
  interval = wanted;
  timer = setInterval(sweep, interval);
  timer.unref();
}

/** Forgets a connection that is gone. */
export function forgetExpiry(connection: OpenConnection): void {
  busyConnections.delete(connection);
}

function sweep(): void {
  for (const connection of busyConnections) if (!connection.expire()) busyConnections.delete(connection);
  if (busyConnections.size > 0) return;
  clearInterval(timer);
  timer = undefined;
  interval = Number.POSITIVE_INFINITY;
}
