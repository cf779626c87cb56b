// The in-process door to a client: what it asks and is asked is observed, and the servers it calls join its trace.
import { complainAboutFailure } from '../diagnostics.ts';
import { logPolicies } from '../logging/policy-log.ts';
import { isObserved, observeConnect } from '../observer/connect.ts';
import { Connection } from '../observer/connection.ts';
import { doorsDisabled } from '../observer/disabled.ts';
import { DEFAULT_MAX_OPERATION_MS, DOOR_OPTION_RULES, type DoorOptions } from '../observer/door-options.ts';
import { Failures } from '../observer/failures.ts';
import { RequestHandlers } from '../observer/handlers.ts';
import { KnownNames } from '../observer/names.ts';
import { checkToolPolicies, type ToolPolicyMap } from '../observer/tool-policy-options.ts';
import { checkOptions, objectRule, objectWith, shown, type OptionRules } from '../options.ts';
import { signalsFor } from '../telemetry/signals.ts';
import { guardToolCalls } from './tool-calls.ts';

/** Options of `instrumentClient`. All have a default. */
export interface InstrumentClientOptions extends DoorOptions {
  /**
   * Policies around the tools that are called, as `instrumentServer` takes them: `*` for all, `@readOnlyHint` and the like for
   * those that the server has annotated so, or by name. What a server says of a tool is known once `listTools` has asked; until
   * then tools that are not named here share the policies of `*`, and are not retried.
   *
   * @default none
   */
  readonly tools?: ToolPolicyMap | undefined;
}

const RULES: OptionRules<InstrumentClientOptions> = { ...DOOR_OPTION_RULES, tools: objectRule };

/**
 * Observes an MCP client: each request and notification, in both directions, becomes one span and one measurement, and
 * carries the trace context in `_meta` (SEP-414), so that client and server share one trace.
 *
 * Works for the `Client` of SDK v1 (`@modelcontextprotocol/sdk`) and v2 (`@modelcontextprotocol/client`), over every
 * transport. Call it before `connect`. Calling it twice is harmless. `TOOLSPAN_DISABLED=true` stops all telemetry; policies
 * around tools stay.
 *
 * @returns the same client.
 * @throws {TypeError} for something that is not an MCP client, an unknown option or one of the wrong type.
 * @throws {RangeError} for an option out of its range.
 */
export function instrumentClient<C extends object>(client: C, options: InstrumentClientOptions = {}): C {
  checkOptions<InstrumentClientOptions>('instrumentClient', options, RULES);
  const { tools } = options;
  if (tools !== undefined) checkToolPolicies('instrumentClient', tools);
  if (!objectWith('connect', 'callTool').allows(client)) {
    throw new TypeError(`instrumentClient: expected a Client of the MCP SDK, got ${shown(client)}`);
  }
  try {
    if (tools !== undefined) guardToolCalls(client, tools);
    if (doorsDisabled() || isObserved(client)) return client;
    if (tools !== undefined) logPolicies();
    const door = {
      signals: signalsFor(options.tracerProvider, options.meterProvider),
      names: new KnownNames(),
      handlers: new RequestHandlers(client),
      failures: new Failures({ mode: 'passthrough' }),
      figures: undefined,
      maxOperationMs: options.maxOperationMs ?? DEFAULT_MAX_OPERATION_MS,
    };
    observeConnect(client, (wire) => new Connection(door, wire));
  } catch (error) {
    complainAboutFailure('instrumenting a client', error);
  }
  return client;
}
