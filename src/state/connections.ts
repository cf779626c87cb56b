// The open connections of this process, and the end of a stdio server's input: what a shutdown has to know.
import { shared } from './shared.ts';

/** Something that holds unfinished operations. */
export interface OpenConnection {
  /** Ends whatever is in flight; the telemetry of the process is about to stop. */
  close(): void;
}

const connections = shared('connections', () => new Set<OpenConnection>());
const inputEndListeners = shared('input-end-listeners', () => new Set<() => void>());

/** Keeps a connection in view until it is closed; returns what forgets it. */
export function trackConnection(connection: OpenConnection): () => void {
  connections.add(connection);
  return () => connections.delete(connection);
}

/** Ends everything that is in flight in this process. */
export function closeAllConnections(): void {
  for (const connection of connections) connection.close();
}

/** Says that the input of a stdio server has ended: the process may be over soon. */
export function announceInputEnd(): void {
  for (const listener of inputEndListeners) listener();
}

/** Calls back whenever the input of a stdio server ends; returns what stops it. */
export function onInputEnd(listener: () => void): () => void {
  inputEndListeners.add(listener);
  return () => inputEndListeners.delete(listener);
}
