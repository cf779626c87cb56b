// The in-process door to a server: one call, and everything that the server is asked, and asks, is observed.
import { complainAboutFailure, complainOnce } from '../diagnostics.ts';
import type { Classifier } from '../errors/classify.ts';
import type { ErrorMode } from '../errors/error-result.ts';
import { CLIENT_LOGS, type ClientLogs } from '../logging/client-log.ts';
import { thresholdRule } from '../logging/configure.ts';
import { DoorLog, type Capture } from '../logging/door-log.ts';
import { logPolicies } from '../logging/policy-log.ts';
import { IDENTITIES, type Identity } from '../logging/identity.ts';
import type { LogThreshold } from '../logging/levels.ts';
import type { LogEmitterProvider } from '../logging/otel-sink.ts';
import { BareConnection } from '../observer/bare-connection.ts';
import { isObserved, observeConnect } from '../observer/connect.ts';
import { Connection } from '../observer/connection.ts';
import type { Door } from '../observer/door.ts';
import { doorsDisabled } from '../observer/disabled.ts';
import { DEFAULT_MAX_OPERATION_MS, DOOR_OPTION_RULES, type DoorOptions } from '../observer/door-options.ts';
import { Failures } from '../observer/failures.ts';
import { Figures } from '../observer/figures.ts';
import { KnownNames } from '../observer/names.ts';
import { ToolPolicies, toolPoliciesInForce } from '../observer/tool-policies.ts';
import { checkToolPolicies, type ToolPolicyMap } from '../observer/tool-policy-options.ts';
import {
  boolean,
  checkOptions,
  nonEmptyString,
  objectRule,
  objectWith,
  oneOf,
  shown,
  type OptionRule,
  type OptionRules,
} from '../options.ts';
import { ownToolsOf } from '../state/own-tools.ts';
import { announceServer, learnedNamesOf, nameServer } from '../state/servers.ts';
import { signalsFor } from '../telemetry/signals.ts';
import { offersLogs, registeredTools, ServerRegistry, serverInfoOf } from './registry.ts';

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
  /**
   * What a failed call tells the client.
   *
   * - `typed`: its code, what to do, and the trace id. A plain exception keeps the text that the MCP SDK would send.
   * - `strict`: the text of what is not a `ToolError` never reaches the client: it gets a fixed text, the code and the trace
   *   id. For servers that are open to others.
   * - `passthrough`: what the MCP SDK would send, to the byte.
   *
   * @default 'typed'
   */
  readonly errors?: ErrorMode | undefined;
  /** Recognises errors that toolspan does not know; asked in turn. @default none */
  readonly classify?: readonly Classifier[] | undefined;
  /** Whether the error details of a schema's issues show the values that came. @default false */
  readonly receivedValues?: boolean | undefined;
  /**
   * From which level on records of this server are kept.
   *
   * @default the level of the process: see `configureLogging`
   */
  readonly logLevel?: LogThreshold | undefined;
  /** Of which tools the arguments are captured, on spans and in logs, redacted: none, all, or those named. @default false */
  readonly captureArguments?: Capture | undefined;
  /** Of which tools the results are captured, on spans and in logs, redacted: none, all, or those named. @default false */
  readonly captureResults?: Capture | undefined;
  /** How log records show who calls, where the transport has verified that. @default 'dropped' */
  readonly identity?: Identity | undefined;
  /** What a client that asks for log messages is sent. @default 'events'; 'off' where `errors` is 'passthrough' */
  readonly clientLogs?: ClientLogs | undefined;
  /**
   * Where log records go.
   *
   * @default the global logger provider, also one that is registered later
   */
  readonly loggerProvider?: LogEmitterProvider | undefined;
}

const captureRule: OptionRule = {
  allows: (value) =>
    typeof value === 'boolean' || (Array.isArray(value) && value.every((name) => typeof name === 'string')),
  expected: 'true, false or a list of tool names',
};

const RULES: OptionRules<InstrumentServerOptions> = {
  ...DOOR_OPTION_RULES,
  serverName: nonEmptyString,
  tools: objectRule,
  errors: oneOf('typed', 'strict', 'passthrough'),
  classify: {
    allows: (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'function'),
    expected: 'a list of functions',
  },
  receivedValues: boolean,
  logLevel: thresholdRule,
  captureArguments: captureRule,
  captureResults: captureRule,
  identity: oneOf(...IDENTITIES),
  clientLogs: oneOf(...CLIENT_LOGS),
  loggerProvider: objectWith('getLogger'),
};

/**
 * Observes an MCP server: each request and notification, in both directions, becomes one span and one measurement, each
 * tool call its log records, and each failed call an answer that an agent can act on.
 *
 * Works for `McpServer` and the low-level `Server` of SDK v1 (`@modelcontextprotocol/sdk`) and v2
 * (`@modelcontextprotocol/server`), over every transport. Call it before `connect`; tools may be registered before or
 * after. Calling it twice is harmless; the options of the first call stay. What the server answers to a call that succeeds
 * does not change.
 *
 * `TOOLSPAN_DISABLED=true` stops all telemetry; policies around tools stay, and what failed calls answer as `errors` says.
 *
 * @returns the same server.
 * @throws {TypeError} for something that is not an MCP server, an unknown option or one of the wrong type.
 * @throws {RangeError} for an option out of its range.
 */
export function instrumentServer<S extends object>(server: S, options: InstrumentServerOptions = {}): S {
  checkOptions<InstrumentServerOptions>('instrumentServer', options, RULES);
  const { tools } = options;
  const protocol = protocolOf(server);
  if (tools !== undefined) checkToolPolicies('instrumentServer', tools, registeredTools(server));
  if (isObserved(protocol)) {
    complainAboutSecondCall(Object.keys(options));
    return server;
  }
  const { errors: mode = 'typed', classify: classifiers, receivedValues } = options;
  const failures = new Failures({ mode, classifiers, receivedValues });
  try {
    if (!doorsDisabled()) {
      const door = doorOf(server, protocol, failures, options);
      observeConnect(protocol, (wire) => new Connection(door, wire));
    } else if (mode !== 'passthrough' || toolPoliciesInForce(tools) !== undefined) {
      const registry = registryOf(server, protocol, options);
      observeConnect(protocol, () => new BareConnection(failures, registry));
    }
  } catch (error) {
    complainAboutFailure('instrumenting a server', error);
  }
  return server;
}

function complainAboutSecondCall(given: readonly string[]): void {
  if (given.length === 0) return;
  complainOnce(
    'instrumented-twice',
    `instrumentServer: this server is observed already, so ${given.join(', ')} of the second call are not used; call it once, with all options.`,
  );
}

const speaksProtocol = objectWith('connect', 'setRequestHandler');
const asksServers = objectWith('callTool');

// An McpServer holds the low-level server that speaks the protocol.
function protocolOf(server: object): object {
  // a client speaks the same protocol, from the other side
  if (asksServers.allows(server)) {
    throw new TypeError(
      'instrumentServer: expected an McpServer or Server of the MCP SDK, got a client; use instrumentClient',
    );
  }
  const inner = (server as { server?: unknown } | null | undefined)?.server;
  if (speaksProtocol.allows(inner)) return inner as object;
  if (speaksProtocol.allows(server)) return server;
  throw new TypeError(`instrumentServer: expected an McpServer or Server of the MCP SDK, got ${shown(server)}`);
}

function doorOf(server: object, protocol: object, failures: Failures, options: InstrumentServerOptions): Door {
  const name = nameOf(protocol, options);
  announceServer({ name, version: serverInfoOf(protocol)?.version });
  nameServer(server, name);
  const registry = registryOf(server, protocol, options);
  logPolicies();
  return {
    signals: signalsFor(options.tracerProvider, options.meterProvider),
    names: new KnownNames((kind, target) => registry.has(kind, target), learnedNamesOf(name)),
    handlers: registry,
    figures: new Figures(server, name),
    maxOperationMs: options.maxOperationMs ?? DEFAULT_MAX_OPERATION_MS,
    failures,
    log: new DoorLog({
      ...options,
      server: name,
      level: options.logLevel,
      // who wants the bare server's answers wants no messages beside them
      clientLogs: options.clientLogs ?? (options.errors === 'passthrough' ? 'off' : 'events'),
      offersLogs: () => offersLogs(protocol),
    }),
  };
}

function nameOf(protocol: object, { serverName }: InstrumentServerOptions): string {
  return serverName ?? serverInfoOf(protocol)?.name ?? 'mcp-server';
}

function registryOf(server: object, protocol: object, options: InstrumentServerOptions): ServerRegistry {
  const tools = toolPoliciesInForce(options.tools);
  return new ServerRegistry(
    server,
    protocol,
    tools === undefined ? undefined : new ToolPolicies(nameOf(protocol, options), tools, ownToolsOf(server)),
  );
}
