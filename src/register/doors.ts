// The doors that open by themselves: whatever server, client or HTTP handler the classes of an SDK make is instrumented when it
// connects, exactly as the application would have done it by hand.
import { instrumentClient } from '../client/instrument-client.ts';
import { complainAboutFailure } from '../diagnostics.ts';
import { isObserved } from '../observer/connect.ts';
import type { DoorOptions } from '../observer/door-options.ts';
import { instrumentHandler } from '../server/instrument-handler.ts';
import { instrumentServer } from '../server/instrument-server.ts';
import { protocolOf } from '../state/servers.ts';
import type { Class } from './sdk-modules.ts';

/** What is done to everything that appears. */
export interface Doors {
  readonly options: DoorOptions;
  /** Called with each server and client before it connects for the first time. */
  readonly onFound: (kind: 'server' | 'client', found: object) => void;
}

type Method = (this: object, ...args: unknown[]) => unknown;

// Methods of an McpServer that run before its low-level server may be connected behind its back.
const REGISTERING = ['registerTool', 'tool', 'registerPrompt', 'prompt', 'registerResource', 'resource'];

// What a class must have to be one of the SDK's.
const METHODS: Readonly<Record<string, readonly string[]>> = {
  McpServer: ['connect', 'registerTool'],
  Server: ['connect', 'setRequestHandler', 'getClientCapabilities'],
  Client: ['connect', 'setRequestHandler', 'callTool'],
};

const taken = new WeakSet<object>();
const known = new WeakSet<object>();
const owners = new WeakMap<object, object>();

/**
 * Takes hold of a class of one copy of an SDK.
 *
 * @returns false for a class that only has the name of one.
 */
export function takeHold(name: string, defined: Class, doors: Doors): boolean {
  const methods = METHODS[name];
  const prototype = defined.prototype as Record<string, unknown>;
  if (methods === undefined || !methods.every((method) => typeof prototype[method] === 'function')) return false;
  if (!takes(defined)) return true;
  if (name === 'McpServer') {
    for (const method of REGISTERING) before(defined, method, (server) => rememberOwner(server));
    before(defined, 'connect', (server) => found('server', server, protocolOf(server), doors));
  } else if (name === 'Server') {
    again(defined, 'connect', (server) => found('server', owners.get(server) ?? server, server, doors));
  } else {
    again(defined, 'connect', (client) => found('client', client, client, doors));
  }
  return true;
}

/** Observes what `createMcpHandler` has made. */
export function observeHandler(handler: unknown, { tracerProvider, meterProvider }: DoorOptions): void {
  safely(() => instrumentHandler(handler as object, { tracerProvider, meterProvider }));
}

function takes(made: Class): boolean {
  if (taken.has(made)) return false;
  taken.add(made);
  return true;
}

function found(kind: 'server' | 'client', what: object, protocol: object, { options, onFound }: Doors): void {
  if (known.has(protocol)) return;
  known.add(protocol);
  onFound(kind, what);
  // by hand
  if (isObserved(protocol)) return;
  // nobody has asked for other answers than those of the bare server
  if (kind === 'server') instrumentServer(what, { ...options, errors: 'passthrough' });
  else instrumentClient(what, options);
}

function rememberOwner(server: object): void {
  const inner = protocolOf(server);
  if (inner !== server) owners.set(inner, server);
}

function before(made: Class, name: string, look: (made: object) => void): void {
  replace(made, name, (method) => {
    return function (this: object, ...args) {
      safely(() => look(this));
      return method.apply(this, args);
    };
  });
}

// An instrumented object has a `connect` of its own, which comes back here.
function again(made: Class, name: string, look: (made: object) => void): void {
  replace(made, name, (method) => {
    return function (this: object, ...args) {
      const isInstrumented = Object.hasOwn(this, name);
      safely(() => look(this));
      if (isInstrumented) return method.apply(this, args);
      const own = Object.hasOwn(this, name) ? (this as Record<string, unknown>)[name] : method;
      return (own as Method).apply(this, args);
    };
  });
}

function replace(made: Class, name: string, replacing: (method: Method) => Method): void {
  const prototype = made.prototype as Record<string, unknown>;
  const method = prototype[name];
  if (typeof method !== 'function') return;
  const value = replacing(method as Method);
  Object.defineProperty(prototype, name, { configurable: true, writable: true, enumerable: false, value });
}

function safely(look: () => unknown): void {
  try {
    look();
  } catch (error) {
    complainAboutFailure('observing what the MCP SDK made', error);
  }
}
