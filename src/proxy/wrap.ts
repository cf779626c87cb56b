// `toolspan wrap`: starts a server on stdio before all else, since its client waits for it; what observes it is loaded meanwhile.
import { constants } from 'node:os';
import { readSettings } from '../config/settings.ts';
import type { HttpProxy, HttpWrap } from './http-proxy.ts';
import { ServerProcess, type ServerEnd } from './server-process.ts';

export { ConfigError } from '../config/config-error.ts';
export { StartError } from './server-process.ts';

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
): Promise<ServerEnd> {
  const { settings, complaints } = readSettings();
  const start = (): ServerProcess => new ServerProcess(command, args, environment);
  // a server that was meant to have policies must not run without them
  const early = settings.configFile === undefined ? start() : undefined;
  const release = early?.hold();
  const { observeStdio } = await import('./observed-server.ts');
  return observeStdio(command, settings, complaints, () => {
    release?.();
    return early ?? start();
  });
}

/**
 * A proxy before an HTTP server, with what ends it. Rejects where the port cannot be opened.
 *
 * @throws {ConfigError} where the file of policies cannot be used.
 */
export async function runHttp(place: Omit<HttpWrap, 'propagate'>): Promise<HttpProxy> {
  const { settings, complaints } = readSettings();
  const { observeHttp } = await import('./observed-server.ts');
  return observeHttp(place, settings, complaints);
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
