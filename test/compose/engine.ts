// Before the tests of the compose file: a Docker engine and the images that it names. Where an engine runs already, the
// images are pulled; else one is started and the images are made from native builds: all but Grafana.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import type { TestProject } from 'vitest/node';
import { BINARIES, withLoki } from '../stack/programs.ts';
import { ROOT } from '../stack/root.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Whether Grafana's image is to be had. */
    readonly grafana: boolean;
    /** Whether Loki's image is there. */
    readonly loki: boolean;
    /** The variables by which the docker client finds the engine. */
    readonly docker: Record<string, string>;
  }
}

const NATIVE = `${ROOT}test/stack/native/`;
const ENGINE = join(dirname(BINARIES), 'engine');

export function setup(project: TestProject): (() => void) | undefined {
  const running = spawnSync('docker', ['info', '--format', '{{.ID}}']).status === 0;
  if (running && canPull()) {
    project.provide('grafana', true);
    project.provide('loki', true);
    project.provide('docker', {});
    return undefined;
  }
  if (!running) Object.assign(process.env, startEngine());
  run('bash', [`${NATIVE}build.sh`, BINARIES, 'otelcol', 'jaeger', 'prometheus']);
  run('bash', [`${NATIVE}images.sh`, BINARIES, process.execPath]);
  const { DOCKER_HOST = '', DOCKER_CONFIG = '' } = process.env;
  project.provide('grafana', false);
  project.provide('loki', withLoki);
  project.provide('docker', running ? {} : { DOCKER_HOST, DOCKER_CONFIG });
  return running ? undefined : () => run('bash', [`${NATIVE}engine.sh`, 'stop', ENGINE]);
}

/** Whether all published images are there, or can be pulled. */
function canPull(): boolean {
  const settings = parseEnv(readFileSync(`${ROOT}.env`, 'utf8'));
  const images = Object.entries(settings).flatMap(([name, image]) => (name.endsWith('_IMAGE') ? [image ?? ''] : []));
  return images.every(
    (image) =>
      spawnSync('docker', ['image', 'inspect', image]).status === 0 ||
      spawnSync('docker', ['pull', '--quiet', image], { timeout: 300_000 }).status === 0,
  );
}

function startEngine(): Record<string, string> {
  const exports = run('bash', [`${NATIVE}engine.sh`, 'start', ENGINE], 'pipe');
  return Object.fromEntries(
    Array.from(exports.matchAll(/(DOCKER_\w+)=(\S+)/g), ([, name = '', value = '']) => [name, value]),
  );
}

function run(command: string, args: readonly string[], stdout: 'inherit' | 'pipe' = 'inherit'): string {
  const {
    status,
    error,
    stdout: printed,
  } = spawnSync(command, args, {
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
  });
  if (status === 0) return printed ?? '';
  throw new Error(
    `"${command} ${args.join(' ')}" failed (${error?.message ?? `exit code ${status}`}); the tests of the compose file need a ` +
      'Docker engine, or root on Debian 12 and Go',
  );
}
