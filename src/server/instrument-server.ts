// The in-process door to a server: one call, and everything that the server is asked, and asks, is observed.
import { complainAboutFailure } from '../diagnostics.ts';
import { isObserved, observeConnect } from '../observer/connect.ts';
import { Connection, type Door } from '../observer/connection.ts';
import { DEFAULT_MAX_OPERATION_MS, DOOR_OPTION_RULES, type DoorOptions } from '../observer/door-options.ts';
import { Figures } from '../observer/figures.ts';
import { KnownNames } from '../observer/names.ts';
import { QuietConnection } from '../observer/quiet-connection.ts';
import { checkToolPolicies, ToolPolicies, type ToolPolicyMap } from '../observer/tool-policies.ts';
import { checkOptions, nonEmptyString, objectRule, objectWith, shown } from '../options.ts';
import { telemetryDisabled } from '../settings.ts';
import { announceServer, learnedNamesOf, nameServer } from '../state/servers.ts';
import { signalsFor } from '../telemetry/signals.ts';
import { ServerRegistry, serverInfoOf } from './registry.ts';

/** Options of `instrumentServer`. All have a default. */
export interface InstrumentServerOptions extends DoorOptions {
  /**
   * The name of the server in telemetry.
   *
   * @default the name that the server was constructed with
   */
  readonly serverName?: string | undefined;
  /**
   * Policies around whole tools: `*` for all, `@readOnlyHint` and the like for those annotated so, or by name; the narrower
   * one wins, part by part. They are kept by server name and tool, also where a server is made for each request.
   *
   * @default none
   */
  readonly tools?: ToolPolicyMap | undefined;
}

/**
 * Observes an MCP server: each request and notification, in both directions, becomes one span and one measurement.
 *
 * Works for `McpServer` and the low-level `Server` of SDK v1 (`@modelcontextprotocol/sdk`) and v2
 * (`@modelcontextprotocol/server`), over every transport. Call it before `connect`; tools may be registered before or
 * after. Calling it twice is harmless. What the server answers does not change.
 *
 * `TOOLSPAN_DISABLED=true` stops all telemetry; policies around tools stay.
 *
 * @returns the same server.
 * @throws {TypeError} for something that is not an MCP server, an unknown option or one of the wrong type.
 * @throws {RangeError} for an option out of its range.
 */
export function instrumentServer<S extends object>(server: S, options?: InstrumentServerOptions): S {
  checkOptions<InstrumentServerOptions>('instrumentServer', options, {
    ...DOOR_OPTION_RULES,
    serverName: nonEmptyString,
    tools: objectRule,
  });
  if (options?.tools !== undefined) checkToolPolicies('instrumentServer', options.tools);
  const protocol = protocolOf(server);
  if (isObserved(protocol)) return server;
  try {
    if (!telemetryDisabled()) {
      const door = doorOf(server, protocol, options);
      observeConnect(protocol, (wire) => new Connection(door, wire));
    } else if (options?.tools !== undefined) {
      const registry = registryOf(server, protocol, options);
      observeConnect(protocol, () => new QuietConnection(registry));
    }
  } catch (error) {
    complainAboutFailure('instrumenting a server', error);
  }
  return server;
}

// An McpServer holds the low-level server that speaks the protocol.
function protocolOf(server: object): object {
  const rule = objectWith('connect', 'setRequestHandler');
  const inner = (server as { server?: unknown } | null | undefined)?.server;
  const protocol = [inner, server].find((candidate) => rule.allows(candidate));
  if (protocol !== undefined) return protocol as object;
  throw new TypeError(`instrumentServer: expected an McpServer or Server of the MCP SDK, got ${shown(server)}`);
}

function doorOf(server: object, protocol: object, options: InstrumentServerOptions = {}): Door {
  const name = nameOf(protocol, options);
  announceServer({ name, version: serverInfoOf(protocol)?.version });
  nameServer(server, name);
  const registry = registryOf(server, protocol, options);
  return {
    signals: signalsFor(options.tracerProvider, options.meterProvider),
    names: new KnownNames((kind, target) => registry.has(kind, target), learnedNamesOf(name)),
    handlers: registry,
    figures: new Figures(server, name),
    maxOperationMs: options.maxOperationMs ?? DEFAULT_MAX_OPERATION_MS,
  };
}

function nameOf(protocol: object, { serverName }: InstrumentServerOptions): string {
  return serverName ?? serverInfoOf(protocol)?.name ?? 'mcp-server';
}

function registryOf(server: object, protocol: object, options: InstrumentServerOptions): ServerRegistry {
  const { tools } = options;
  return new ServerRegistry(
    server,
    protocol,
    tools === undefined ? undefined : new ToolPolicies(nameOf(protocol, options), tools),
  );
}
