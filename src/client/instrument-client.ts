// The in-process door to a client: what it asks and is asked is observed, and the servers it calls join its trace.
import { complainAboutFailure } from '../diagnostics.ts';
import { isObserved, observeConnect } from '../observer/connect.ts';
import { Connection } from '../observer/connection.ts';
import { DEFAULT_MAX_OPERATION_MS, DOOR_OPTION_RULES, type DoorOptions } from '../observer/door-options.ts';
import { Failures } from '../observer/failures.ts';
import { RequestHandlers } from '../observer/handlers.ts';
import { KnownNames } from '../observer/names.ts';
import { checkOptions, objectWith, shown } from '../options.ts';
import { telemetryDisabled } from '../settings.ts';
import { signalsFor } from '../telemetry/signals.ts';

/** Options of `instrumentClient`. All have a default. */
export type InstrumentClientOptions = DoorOptions;

/**
 * Observes an MCP client: each request and notification, in both directions, becomes one span and one measurement, and
 * carries the trace context in `_meta` (SEP-414), so that client and server share one trace.
 *
 * Works for the `Client` of SDK v1 (`@modelcontextprotocol/sdk`) and v2 (`@modelcontextprotocol/client`), over every
 * transport. Call it before `connect`. Calling it twice is harmless. `TOOLSPAN_DISABLED=true` makes it do nothing.
 *
 * @returns the same client.
 * @throws {TypeError} for something that is not an MCP client, an unknown option or one of the wrong type.
 * @throws {RangeError} for an option out of its range.
 */
export function instrumentClient<C extends object>(client: C, options: InstrumentClientOptions = {}): C {
  checkOptions<InstrumentClientOptions>('instrumentClient', options, DOOR_OPTION_RULES);
  if (!objectWith('connect', 'callTool').allows(client)) {
    throw new TypeError(`instrumentClient: expected a Client of the MCP SDK, got ${shown(client)}`);
  }
  if (telemetryDisabled() || isObserved(client)) return client;
  try {
    const door = {
      signals: signalsFor(options.tracerProvider, options.meterProvider),
      names: new KnownNames(() => undefined, { tool: new Set(), prompt: new Set() }),
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
