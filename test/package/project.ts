// New projects that install the packed tarball, as a stranger would.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = new URL('../../', import.meta.url).pathname;

/** A folder with packages installed. */
export class Project {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'toolspan-project-'));

  /** Installs packages from the registry, and tarballs. */
  install(...packages: readonly string[]): void {
    this.write('package.json', JSON.stringify({ private: true, type: 'module' }));
    this.run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages]);
  }

  write(file: string, content: string): void {
    writeFileSync(join(this.folder, file), content);
  }

  /** Copies a file of this repository. */
  copy(file: string): void {
    copyFileSync(join(ROOT, file), join(this.folder, file.split('/').at(-1) ?? file));
  }

  remove(path: string): void {
    rmSync(join(this.folder, path), { recursive: true });
  }

  /** Runs a command in the folder; gives what it printed on stdout. */
  run(command: string, args: readonly string[], env: Record<string, string> = {}): string {
    return runIn(this.folder, command, args, env);
  }

  /** Compiles these files as strictly as a consumer can. */
  compile(...files: readonly string[]): string {
    this.write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: {
          target: 'ES2023',
          module: 'NodeNext',
          strict: true,
          skipLibCheck: false,
          noEmit: true,
          types: ['node'],
          typeRoots: [join(ROOT, 'node_modules/@types')],
        },
        files,
      }),
    );
    return this.run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', '.']);
  }

  delete(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Packs this package; gives the path of the tarball. */
export function packed(folder: string): string {
  const printed = runIn(ROOT, 'npm', ['pack', '--silent', '--pack-destination', folder]);
  return join(folder, printed.trim().split('\n').at(-1) ?? '');
}

function runIn(folder: string, command: string, args: readonly string[], env: Record<string, string> = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
}
