// The open connections of this process, and the end of a stdio server's input: what a shutdown has to know.
import { shared } from './shared.ts';

/** Something that holds unfinished operations. */
export interface OpenConnection {
  /** Ends what has been in flight for too long; true where something still is. */
  expire(): boolean;
  /** Ends whatever is in flight; the telemetry of the process is about to stop. */
  stop(): void;
}

/** Connections that have something in flight. */
export const busyConnections: Set<OpenConnection> = shared('busy-connections', () => new Set<OpenConnection>());

// Weakly, since a transport may be dropped without ever being closed.
const sessions = shared('sessions', () => new Set<WeakRef<OpenConnection>>());
const dropped = new FinalizationRegistry<WeakRef<OpenConnection>>((connection) => sessions.delete(connection));
const inputEndListeners = shared('input-end-listeners', () => new Set<() => void>());

/** Keeps a connection that has a session in view until it is closed; returns what forgets it. */
export function trackSession(connection: OpenConnection): () => void {
  const reference = new WeakRef(connection);
  sessions.add(reference);
  dropped.register(connection, reference, reference);
  return () => {
    sessions.delete(reference);
    dropped.unregister(reference);
  };
}

/** Ends everything that is in flight in this process. */
export function closeAllConnections(): void {
  for (const connection of busyConnections) connection.stop();
  for (const connection of sessions) connection.deref()?.stop();
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
