// `toolspan wrap`, put together: telemetry that starts late, the door, and how the process ends.
import { constants } from 'node:os';
import type { DoorConfig } from '../config/config-file.ts';
import { readSettings, type DoorSettings } from '../config/settings.ts';
import { complainOnce } from '../diagnostics.ts';
import { LateTelemetry } from '../node/late-telemetry.ts';
import type { Door } from '../observer/door.ts';
import { DEFAULT_MAX_OPERATION_MS } from '../observer/door-options.ts';
import { KnownNames } from '../observer/names.ts';
import { signalsFor } from '../telemetry/signals.ts';
import { wrapHttp, type HttpProxy } from './http-proxy.ts';
import { Mediation, type LocalTools } from './mediation.ts';
import { IN_PROXY } from './observed-peers.ts';
import type { ServerEnd } from './server-process.ts';
import type { Observers } from './observers.ts';
import { wrapStdio } from './stdio.ts';
import { policiesOf, type PolicyMaker } from './tool-policies.ts';
import { Unobserved } from './unobserved.ts';

export { ConfigError } from '../config/config-error.ts';
export { StartError } from './server-process.ts';

/** What other parts of toolspan do at the proxy. */
export interface Extras {
  readonly makePolicy?: PolicyMaker | undefined;
  readonly tools?: LocalTools | undefined;
}

// A client that closes a server by force waits two seconds for each step; the last delivery must fit in.
const STDIO_SHUTDOWN_MS = 800;

/** Where to stand before an HTTP server. */
export interface HttpPlace {
  readonly url: URL;
  readonly host: string;
  readonly port: number;
  readonly hosts: readonly string[];
}

/**
 * Wraps a server on stdio and gives how it ended, once everything is delivered.
 *
 * @param environment what the server gets; the settings of this process are its own.
 * @throws {StartError} where it cannot be started.
 * @throws {ConfigError} where the file of policies cannot be used.
 */
export async function runStdio(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  extras: Extras = {},
): Promise<ServerEnd> {
  const settings = settingsInForce();
  const mediation = await mediationFor(settings, command, extras);
  const { propagate } = settings;
  let telemetry: LateTelemetry | undefined;
  try {
    return await wrapStdio({ command, args, environment, propagate }, () => {
      if (!settings.disabled) {
        telemetry = new LateTelemetry({ shutdownTimeoutMs: settings.shutdownTimeoutMs ?? STDIO_SHUTDOWN_MS });
      }
      return observersOf(telemetry, settings, mediation);
    });
  } finally {
    await telemetry?.shutdown();
  }
}

/**
 * A proxy before an HTTP server, with what ends it. Rejects where the port cannot be opened.
 *
 * @throws {ConfigError} where the file of policies cannot be used.
 */
export async function runHttp(place: HttpPlace, extras: Extras = {}): Promise<HttpProxy> {
  const settings = settingsInForce();
  const mediation = await mediationFor(settings, place.url.host, extras);
  const { propagate, shutdownTimeoutMs } = settings;
  const telemetry = settings.disabled
    ? undefined
    : new LateTelemetry(shutdownTimeoutMs === undefined ? {} : { shutdownTimeoutMs });
  const proxy = await wrapHttp({ ...place, propagate }, observersOf(telemetry, settings, mediation));
  return {
    port: proxy.port,
    async close() {
      await proxy.close();
      await telemetry?.shutdown();
    },
  };
}

/** Ends this process as the server did: with its exit code, or by the signal that ended it. */
export function endAs({ code, signal }: ServerEnd): void {
  if (signal === null) {
    process.exit(code ?? 1);
  }
  const number = constants.signals[signal];
  // Node ignores SIGPIPE and takes SIGUSR1 for its debugger: what a shell says of such an end has to do
  setTimeout(() => process.exit(128 + number), signal === 'SIGPIPE' || signal === 'SIGUSR1' ? 0 : 500);
  if (signal !== 'SIGUSR1') process.kill(process.pid, signal);
}

function settingsInForce(): DoorSettings {
  const { settings, complaints } = readSettings();
  for (const complaint of complaints) complainOnce(`setting:${complaint}`, `${complaint}.`);
  return settings;
}

// The file is read only where there is one: zod is loaded with it.
async function mediationFor(
  { configFile, tools: wantsTools }: DoorSettings,
  server: string,
  { makePolicy, tools }: Extras,
): Promise<Mediation | undefined> {
  let config: DoorConfig | undefined;
  if (configFile !== undefined) config = await (await import('../config/config-file.ts')).readConfigFile(configFile);
  if (config !== undefined && makePolicy === undefined) complainAboutMissing('policies');
  if (wantsTools && tools === undefined) complainAboutMissing('tools');
  const policyOf =
    config === undefined || makePolicy === undefined ? () => undefined : policiesOf(server, config, makePolicy);
  const offered = wantsTools ? tools : undefined;
  const needed = offered !== undefined || (config !== undefined && makePolicy !== undefined);
  return needed ? new Mediation({ policyOf, tools: offered }) : undefined;
}

function complainAboutMissing(part: string): void {
  complainOnce(`missing:${part}`, `this version of toolspan has no ${part} for wrap yet; messages pass without them.`);
}

// Without telemetry there is something to observe for only where something is decided: the providers of the API do nothing.
function observersOf(
  telemetry: LateTelemetry | undefined,
  settings: DoorSettings,
  mediation: Mediation | undefined,
): Observers | undefined {
  if (telemetry === undefined && mediation === undefined) return undefined;
  telemetry?.watch(false);
  const door: Door = {
    signals: signalsFor(telemetry?.tracerProvider, telemetry?.meterProvider),
    names: new KnownNames(() => undefined, { tool: new Set(), prompt: new Set() }),
    ...IN_PROXY,
    maxOperationMs: settings.maxOperationMs ?? DEFAULT_MAX_OPERATION_MS,
  };
  return { door, unobserved: new Unobserved(telemetry?.meterProvider), mediation };
}
