// What `toolspan wrap` puts around a server: telemetry that starts late, and the door.
import { basename } from 'node:path';
import type { DoorSettings } from '../config/settings.ts';
import { complainOnce } from '../diagnostics.ts';
import { LateTelemetry } from '../node/late-telemetry.ts';
import type { Door } from '../observer/door.ts';
import { DEFAULT_MAX_OPERATION_MS } from '../observer/door-options.ts';
import { KnownNames } from '../observer/names.ts';
import { signalsFor } from '../telemetry/signals.ts';
import type { HttpProxy, HttpWrap } from './http-proxy.ts';
import { Mediation } from './mediation.ts';
import { IN_PROXY } from './observed-peers.ts';
import type { ServerEnd, ServerProcess } from './server-process.ts';
import type { Observers } from './observers.ts';
import { wrapStdio } from './stdio.ts';
import { ServedServer } from './served-server.ts';
import type { PolicyFinder } from './tool-policies.ts';
import { Unobserved } from './unobserved.ts';

// A client that closes a server by force waits two seconds for each step; the last delivery must fit in.
const STDIO_SHUTDOWN_MS = 800;

/**
 * Observes a server on stdio until it ends, and gives how.
 *
 * @param command what it is called where it does not say its name.
 * @param complaints what is wrong with the settings.
 * @param start gives the running server.
 */
export async function observeStdio(
  command: string,
  settings: DoorSettings,
  complaints: readonly string[],
  start: () => ServerProcess,
): Promise<ServerEnd> {
  complain(complaints);
  const served = await servedBy(settings, basename(command));
  const { propagate } = settings;
  let telemetry: LateTelemetry | undefined;
  try {
    return await wrapStdio(start(), propagate, () => {
      if (!settings.disabled) {
        telemetry = new LateTelemetry({ shutdownTimeoutMs: settings.shutdownTimeoutMs ?? STDIO_SHUTDOWN_MS });
      }
      return observersOf(telemetry, settings, served);
    });
  } finally {
    await telemetry?.shutdown();
  }
}

/** A proxy before an HTTP server, with what ends it. */
export async function observeHttp(
  place: Omit<HttpWrap, 'propagate'>,
  settings: DoorSettings,
  complaints: readonly string[],
): Promise<HttpProxy> {
  complain(complaints);
  const served = await servedBy(settings, place.url.host);
  const { propagate, shutdownTimeoutMs } = settings;
  const telemetry = settings.disabled ? undefined : new LateTelemetry({ shutdownTimeoutMs });
  // most servers are on stdio, whose start need not load HTTP
  const { wrapHttp } = await import('./http-proxy.ts');
  const proxy = await wrapHttp({ ...place, propagate }, observersOf(telemetry, settings, served));
  return {
    port: proxy.port,
    async close() {
      await proxy.close();
      await telemetry?.shutdown();
    },
  };
}

function complain(complaints: readonly string[]): void {
  for (const complaint of complaints) complainOnce(`setting:${complaint}`, `${complaint}.`);
}

// What is read and loaded only where it is asked for; zod comes with it.
async function servedBy({ configFile, tools }: DoorSettings, name: string): Promise<ServedServer> {
  const served = new ServedServer(name);
  const policyOf = configFile === undefined ? undefined : await policiesFrom(configFile, served);
  const own = tools ? (await import('./own-tools.ts')).ownTools(served) : undefined;
  if (policyOf !== undefined || own !== undefined) {
    served.mediation = new Mediation({ policyOf: policyOf ?? (() => undefined), tools: own });
  }
  return served;
}

async function policiesFrom(path: string, served: ServedServer): Promise<PolicyFinder> {
  const [{ readConfigFile }, { policiesOf }] = await Promise.all([
    import('../config/config-file.ts'),
    import('./tool-policies.ts'),
  ]);
  const { tools } = await readConfigFile(path);
  return policiesOf(() => served.name, tools);
}

// Without telemetry there is something to observe for only where something is decided: the providers of the API do nothing.
function observersOf(
  telemetry: LateTelemetry | undefined,
  settings: DoorSettings,
  served: ServedServer,
): Observers | undefined {
  const { mediation } = served;
  if (telemetry === undefined && mediation === undefined) return undefined;
  telemetry?.watch(false);
  const door: Door = {
    ...IN_PROXY,
    signals: signalsFor(telemetry?.tracerProvider, telemetry?.meterProvider),
    names: new KnownNames(),
    maxOperationMs: settings.maxOperationMs ?? DEFAULT_MAX_OPERATION_MS,
    get figures() {
      return served.figures;
    },
  };
  return { door, unobserved: new Unobserved(telemetry?.meterProvider), mediation };
}
