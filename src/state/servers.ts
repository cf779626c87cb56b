// The servers of this process by name: who lives here, and the names each has answered for. They outlive the instances of
// a server, since some hosts make one for each request.
import { shared } from './shared.ts';

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

interface Servers {
  first: ServerInfo | undefined;
  readonly listeners: Set<(info: ServerInfo) => void>;
  readonly learnedNames: Map<string, LearnedNames>;
}

/** What is known of one server object. */
export interface KnownServer {
  /** Its name in telemetry; undefined for one that is not observed. */
  name: string | undefined;
  /** The tools on it that are ours. */
  readonly ownTools: Set<string>;
}

const DEFAULT_NAME = 'mcp-server';
// A property and no weak map: a host may make a server for each request, and a map of as many is slow to fill and to collect.
const KNOWN = Symbol.for('toolspan.server.v1');
type Marked = object & { readonly [KNOWN]?: KnownServer };

const MAX_SERVERS = 100;
const servers = shared<Servers>('servers', () => ({ first: undefined, listeners: new Set(), learnedNames: new Map() }));

/** Says that a server of this name lives here; the first one names the process. */
export function announceServer(info: ServerInfo): void {
  if (servers.first !== undefined) return;
  servers.first = info;
  for (const listener of servers.listeners) listener(info);
  servers.listeners.clear();
}

/** What is known of a server: one object for as long as the server lives. */
export function knownServer(server: object): KnownServer {
  const protocol: Marked = protocolOf(server);
  const there = protocol[KNOWN];
  if (there !== undefined) return there;
  const known: KnownServer = { name: undefined, ownTools: new Set() };
  Object.defineProperty(protocol, KNOWN, { value: known });
  return known;
}

/** Remembers the name that a server has in telemetry. */
export function nameServer(server: object, name: string): void {
  knownServer(server).name = name;
}

/** The name of a server in telemetry: the one it was instrumented with, else the one it was made with. */
export function serverNameOf(server: object): string {
  const protocol: Marked = protocolOf(server);
  const { _serverInfo: info } = protocol as { _serverInfo?: { name?: unknown } };
  const own = typeof info?.name === 'string' ? info.name : DEFAULT_NAME;
  return protocol[KNOWN]?.name ?? own;
}

/** Whether a server is observed, so that there are figures of it. */
export function isInstrumented(server: object): boolean {
  return (protocolOf(server) as Marked)[KNOWN]?.name !== undefined;
}

/** The low-level server that speaks the protocol: an `McpServer` holds one, another is it. */
export function protocolOf(server: object): object {
  const { server: inner } = server as { server?: unknown };
  return typeof inner === 'object' && inner !== null ? inner : server;
}

/** Calls back with the first server of this process: at once where there is one, else when it appears. */
export function whenServerKnown(listener: (info: ServerInfo) => void): void {
  if (servers.first === undefined) servers.listeners.add(listener);
  else listener(servers.first);
}

/** The names learned of a server. */
export function learnedNamesOf(server: string): LearnedNames {
  let names = servers.learnedNames.get(server);
  if (names === undefined) {
    names = { tool: new Set(), prompt: new Set() };
    if (servers.learnedNames.size < MAX_SERVERS) servers.learnedNames.set(server, names);
  }
  return names;
}
