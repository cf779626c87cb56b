// Installs the Python peers into .cache/peers and builds the Go ones there; quick where that was done before.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { GO, PYTHON, python } from './programs.ts';

export function setup(): void {
  mkdirSync(new URL('bin/', GO), { recursive: true });
  run('go', ['build', '-o', new URL('bin/', GO).pathname, './...'], new URL('go/', import.meta.url));
  const wanted = readFileSync(new URL('python/requirements.txt', import.meta.url), 'utf8');
  const stamp = new URL('installed.txt', PYTHON);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  run('python3', ['-m', 'venv', '--clear', PYTHON.pathname]);
  run(
    python,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', 'requirements.txt'],
    here('python/'),
  );
  writeFileSync(stamp, wanted);
}

const here = (folder: string) => new URL(folder, import.meta.url);

function run(command: string, args: readonly string[], cwd: URL = here('.')): void {
  const { status, error } = spawnSync(command, args, { cwd: cwd.pathname, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    throw new Error(
      `"${command} ${args.join(' ')}" failed (${error?.message ?? `exit code ${status}`}); the peer tests need Python 3 and Go`,
    );
  }
}
