// A forked process that answers one question at a time.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export class Forked {
  readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  /** Starts a file of this folder; settles with its first message. */
  static async start<T>(
    file: string,
    args: readonly string[] = [],
    env: Record<string, string> = {},
    stdio: 'inherit' | 'pipe' | 'silent' = 'inherit',
  ): Promise<[Forked, T]> {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
      env: { ...process.env, ...env },
      execArgv: ['--expose-gc'],
      stdio:
        stdio === 'pipe'
          ? ['pipe', 'pipe', 'inherit', 'ipc']
          : ['ignore', 'ignore', stdio === 'silent' ? 'ignore' : 'inherit', 'ipc'],
    });
    const [first] = (await once(child, 'message')) as [T];
    return [new Forked(child), first];
  }

  async ask<T>(question: object): Promise<T> {
    this.child.send(question);
    const [answer] = (await once(this.child, 'message')) as [T];
    return answer;
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}
