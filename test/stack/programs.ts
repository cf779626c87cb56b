// The programs of the stack: from their published images where a Docker engine runs, else built from source (native/).
// TOOLSPAN_STACK=native or docker decides it by hand.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Child } from '../harness/child.ts';
import { eventually } from '../harness/poll.ts';
import { ROOT } from './root.ts';

export type ProgramName = 'otelcol' | 'jaeger' | 'prometheus' | 'loki';

interface Program {
  readonly binary: string;
  /** The variable of .env that names the image. */
  readonly image: string;
}

const PROGRAMS: Readonly<Record<ProgramName, Program>> = {
  otelcol: { binary: 'otelcol-contrib', image: 'OTELCOL_IMAGE' },
  jaeger: { binary: 'jaeger', image: 'JAEGER_IMAGE' },
  prometheus: { binary: 'prometheus', image: 'PROMETHEUS_IMAGE' },
  loki: { binary: 'loki', image: 'LOKI_IMAGE' },
};

/** Where native builds are kept: outside the checkout, so that the next one need not build again. */
export const BINARIES: string =
  process.env['TOOLSPAN_STACK_BINARIES'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'toolspan/stack');

/** True where the programs run in containers. */
export const inContainers: boolean = runsInContainers();

function runsInContainers(): boolean {
  const chosen = process.env['TOOLSPAN_STACK'];
  if (chosen !== undefined) return chosen === 'docker';
  return spawnSync('docker', ['info', '--format', '{{.ID}}'], { timeout: 10_000 }).status === 0;
}

/** Whether Loki is among them: it is built only where TOOLSPAN_STACK_LOKI is set, since that takes ten minutes more. */
export const withLoki: boolean =
  inContainers || process.env['TOOLSPAN_STACK_LOKI'] !== undefined || existsSync(join(BINARIES, PROGRAMS.loki.binary));

export function imageOf(name: ProgramName): string {
  const settings = { ...parseEnv(readFileSync(`${ROOT}.env`, 'utf8')), ...process.env };
  return settings[PROGRAMS[name].image] ?? '';
}

/** How to start one program. */
export interface Start {
  readonly name: ProgramName;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folders that it reads or writes. */
  readonly folders: readonly string[];
  /** Answers 200 once it is ready. */
  readonly health: string;
}

let containers = 0;

/** A program that runs; it is ended by its handle. */
export class Running {
  readonly #container: string | undefined;
  readonly #child: Child;

  private constructor({ name, args, env = {}, folders }: Start) {
    if (inContainers) {
      this.#container = `toolspan-test-${process.pid}-${containers++}`;
      const docker = [
        'run',
        '--rm',
        '--network=host',
        `--name=${this.#container}`,
        `--user=${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
        ...folders.map((folder) => `--volume=${folder}:${folder}`),
        ...Object.entries(env).map(([key, value]) => `--env=${key}=${value}`),
      ];
      this.#child = new Child('docker', [...docker, imageOf(name), ...args], { env: dockerEnv() });
    } else {
      this.#container = undefined;
      this.#child = new Child(join(BINARIES, PROGRAMS[name].binary), args, { env: { ...env } });
    }
  }

  /** Starts it and waits until it is ready. */
  static async start(start: Start): Promise<Running> {
    const running = new Running(start);
    await eventually(
      `${start.name} is ready`,
      async () => {
        if (running.hasEnded()) throw new Error(`${start.name} ended at its start:\n${running.lastLines()}`);
        return (await answers(start.health)) ? true : undefined;
      },
      60_000,
      50,
    );
    return running;
  }

  hasEnded(): boolean {
    return this.#child.process.exitCode !== null || this.#child.process.signalCode !== null;
  }

  /** Ends it; what does not end by SIGTERM within ten seconds is killed. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.hasEnded()) return;
    this.#signal(signal);
    const timer = setTimeout(() => this.#signal('SIGKILL'), 10_000);
    if (!this.hasEnded()) await once(this.#child.process, 'exit');
    clearTimeout(timer);
  }

  /** Process id, for what is measured of it; of a container it is that of the docker client. */
  get pid(): number | undefined {
    return this.#child.process.pid;
  }

  lastLines(): string {
    return `${this.#child.stdout}\n${this.#child.stderr}`.trim().split('\n').slice(-15).join('\n');
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#container === undefined) this.#child.process.kill(signal);
    else spawnSync('docker', ['kill', `--signal=${signal}`, this.#container], { env: process.env });
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Runs one of the programs to its end; gives its exit code and what it said. */
export function runTool(
  name: ProgramName | 'promtool',
  args: readonly string[],
): { readonly status: number | null; readonly output: string } {
  const program = name === 'promtool' ? 'prometheus' : name;
  const entry = name === 'promtool' ? ['--entrypoint=/bin/promtool'] : [];
  const [command, all] = inContainers
    ? ['docker', ['run', '--rm', ...entry, `--volume=${ROOT}:${ROOT}:ro`, imageOf(program), ...args]]
    : [join(BINARIES, name === 'promtool' ? name : PROGRAMS[name].binary), args];
  const { status, stdout, stderr, error } = spawnSync(command, all, { encoding: 'utf8', cwd: ROOT });
  return { status, output: error === undefined ? stdout + stderr : String(error) };
}

function dockerEnv(): Record<string, string> {
  const names = ['DOCKER_HOST', 'DOCKER_CONFIG', 'DOCKER_CONTEXT'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
