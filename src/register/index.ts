// `node --import toolspan/register server.js`: observes the MCP servers and clients of a program that does not know of it.
import module_ from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { cacheCompiledCode } from '../compile-cache.ts';
import { readSettings } from '../config/settings.ts';
import { asError, complainOnce } from '../diagnostics.ts';
import { nodeNeeded } from '../node-version.ts';
import { LateTelemetry } from '../node/late-telemetry.ts';
import { setDefaultToolPolicies } from '../observer/tool-policies.ts';
import { serverInfoOf } from '../server/registry.ts';
import { ownToolsOf } from '../state/own-tools.ts';
import { defaultProviders } from '../telemetry/default-providers.ts';
import { loadTools, takesTools } from '../tools/register.ts';
import { observeHandler, takeHold, type Doors } from './doors.ts';
import { Report } from './report.ts';
import { watchModules } from './sdk-modules.ts';

// Started by NODE_OPTIONS these would be observed too, though the server is a child of theirs.
const LAUNCHERS = /[\\/](npm|npx)(-cli)?\.js$|[\\/](pnpm|pnpx|yarn|yarnpkg|corepack)(\.[cm]?js)?$/;

// How `--import` names this module.
const OURSELVES = /\btoolspan\/register$|[\\/]register[\\/]index\.[jt]s$/;

const { settings, complaints } = readSettings();
// policies are no telemetry: they stay where that is switched off
const isWanted = !settings.disabled || settings.configFile !== undefined;
if (isWanted && !LAUNCHERS.test(process.argv[1] ?? '')) await register();

async function register(): Promise<void> {
  if (typeof module_.registerHooks !== 'function') {
    complainOnce('register:node', `register ${nodeNeeded()}.`);
    return;
  }
  const report = new Report(isMainThread && process.execArgv.some((argument) => OURSELVES.test(argument)));
  const { maxOperationMs, shutdownTimeoutMs } = settings;
  const unusable = settings.configFile === undefined ? undefined : await readPolicies(settings.configFile);
  const addTools = settings.tools && !settings.disabled ? await loadTools() : undefined;
  let telemetry: LateTelemetry | undefined;
  // nothing is set up until an SDK is loaded: most programs that NODE_OPTIONS reaches are no servers
  const doors = (): Doors => {
    if (!settings.disabled) telemetry ??= new LateTelemetry({ shutdownTimeoutMs });
    const { tracerProvider, meterProvider } = telemetry ?? {};
    // also for what the program instruments by itself
    Object.assign(defaultProviders, { tracerProvider, meterProvider });
    const onFound = (kind: 'server' | 'client', found: object) => {
      telemetry?.watch(isMainThread);
      report.found(kind, nameOf(found));
      if (kind === 'server' && addTools !== undefined && ownToolsOf(found).size === 0) offerTools(found, addTools);
    };
    return { options: { tracerProvider, meterProvider, maxOperationMs }, onFound };
  };
  const watching = watchModules({
    onClass(name, made) {
      if (!takeHold(name, made, doors())) return;
      report.sdkLoaded();
      // a server that was meant to have policies must not go without them
      if (unusable !== undefined && name !== 'Client') refuse(unusable);
    },
    onHandler: (handler) => observeHandler(handler, doors().options),
    onHiddenSdk: (url) => report.sdkHidden(url),
  });
  if (!watching) return;
  cacheCompiledCode();
  for (const complaint of complaints) complainOnce(`setting:${complaint}`, `${complaint}.`);
}

// Before the program runs; gives why the file cannot be used. Whether that matters is known when the program turns out to be a
// server: NODE_OPTIONS reaches others too.
async function readPolicies(path: string): Promise<string | undefined> {
  try {
    const { readConfigFile } = await import('../config/config-file.ts');
    setDefaultToolPolicies((await readConfigFile(path)).tools);
    return undefined;
  } catch (error) {
    return asError(error).message;
  }
}

function refuse(why: string): never {
  process.stderr.write(`toolspan: ${why}\n`);
  process.exit(1);
}

function offerTools(server: object, add: (server: object) => void): void {
  if (takesTools(server)) add(server);
  else
    complainOnce(
      'register:tools',
      'TOOLSPAN_TOOLS adds tools to an McpServer; this is a low-level Server, whose tools are its own handler.',
    );
}

function nameOf(found: object): string | undefined {
  const { server, _clientInfo: client } = found as { server?: unknown; _clientInfo?: { name?: unknown } };
  const name = typeof server === 'object' && server !== null ? serverInfoOf(server)?.name : undefined;
  return name ?? serverInfoOf(found)?.name ?? (typeof client?.name === 'string' ? client.name : undefined);
}
