// What the doors of one process share, even two copies of this package: open connections, the server's name, flush requests.

/** Something that holds unfinished operations. */
export interface OpenConnection {
  /** Ends whatever is in flight; the telemetry of the process is about to stop. */
  close(): void;
}

/** How a server introduces itself. */
export interface ServerInfo {
  readonly name: string;
  readonly version: string | undefined;
}

/** Names that a server has answered for. */
export interface LearnedNames {
  readonly tool: Set<string>;
  readonly prompt: Set<string>;
}

interface ProcessState {
  readonly learnedNames: Map<string, LearnedNames>;
  readonly connections: Set<OpenConnection>;
  readonly serverListeners: Set<(info: ServerInfo) => void>;
  readonly inputEndListeners: Set<() => void>;
  firstServer: ServerInfo | undefined;
}

const KEY = Symbol.for('toolspan.state.v1');
const MAX_SERVERS = 100;
const holder = globalThis as { [KEY]?: ProcessState };
const state: ProcessState = (holder[KEY] ??= {
  learnedNames: new Map(),
  connections: new Set(),
  serverListeners: new Set(),
  inputEndListeners: new Set(),
  firstServer: undefined,
});

/** Keeps a connection in view until it is closed; returns what forgets it. */
export function trackConnection(connection: OpenConnection): () => void {
  state.connections.add(connection);
  return () => state.connections.delete(connection);
}

/** Ends everything that is in flight in this process. */
export function closeAllConnections(): void {
  for (const connection of state.connections) connection.close();
}

/** Says that a server of this name lives here; the first one names the process. */
export function announceServer(info: ServerInfo): void {
  if (state.firstServer !== undefined) return;
  state.firstServer = info;
  for (const listener of state.serverListeners) listener(info);
  state.serverListeners.clear();
}

/** Calls back with the first server of this process: at once where there is one, else when it appears. */
export function whenServerKnown(listener: (info: ServerInfo) => void): void {
  if (state.firstServer === undefined) state.serverListeners.add(listener);
  else listener(state.firstServer);
}

/** Says that the input of a stdio server has ended: the process may be over soon. */
export function announceInputEnd(): void {
  for (const listener of state.inputEndListeners) listener();
}

/** Calls back whenever the input of a stdio server ends; returns what stops it. */
export function onInputEnd(listener: () => void): () => void {
  state.inputEndListeners.add(listener);
  return () => state.inputEndListeners.delete(listener);
}

/** The names learned of a server; they outlive its instances, since some hosts make a server for each request. */
export function learnedNamesOf(server: string): LearnedNames {
  let names = state.learnedNames.get(server);
  if (names === undefined) {
    names = { tool: new Set(), prompt: new Set() };
    if (state.learnedNames.size < MAX_SERVERS) state.learnedNames.set(server, names);
  }
  return names;
}
