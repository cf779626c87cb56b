// Before the tests of the stack: the published images where there is a Docker engine, else native builds; quick where that
// was done before.
import { spawnSync } from 'node:child_process';
import { BINARIES, imageOf, inContainers, withLoki, type ProgramName } from './programs.ts';

const NEEDED: readonly ProgramName[] = ['otelcol', 'jaeger', 'prometheus', ...(withLoki ? (['loki'] as const) : [])];

export function setup(): void {
  if (!inContainers) run('bash', [new URL('native/build.sh', import.meta.url).pathname, BINARIES, ...NEEDED]);
  else for (const name of NEEDED) pull(imageOf(name));
}

function pull(image: string): void {
  if (spawnSync('docker', ['image', 'inspect', image]).status !== 0) run('docker', ['pull', '--quiet', image]);
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status === 0) return;
  throw new Error(
    `"${command} ${args.join(' ')}" failed (${error?.message ?? `exit code ${status}`}); ` +
      'the tests of the stack need a Docker engine that reaches a registry, or Go 1.26.7 and the Go module proxy',
  );
}
