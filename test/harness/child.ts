// A program run as a user would run it: real process, real pipes, real signals.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './poll.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running program. */
export class Child {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(command: string, args: readonly string[], options: { env?: Record<string, string>; cwd?: string } = {}) {
    this.process = spawn(command, args, {
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...options.env },
      ...(options.cwd !== undefined && { cwd: options.cwd }),
    });
    this.process.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString('utf8')));
    this.process.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString('utf8')));
    // a child that is gone already has nothing left to be told
    this.process.stdin?.on('error', () => {});
  }

  write(...messages: readonly unknown[]): void {
    for (const message of messages) this.process.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  /** Waits until this many lines are on stdout. */
  async lines(count: number): Promise<void> {
    await eventually(
      `${count} lines on stdout (stderr: ${this.stderr})`,
      () => this.stdout.split('\n').length > count || undefined,
    );
  }

  /** Closes stdin and waits for the end. */
  async end(): Promise<Ended> {
    this.process.stdin?.end();
    return this.ended();
  }

  async kill(signal: NodeJS.Signals): Promise<Ended> {
    this.process.kill(signal);
    return this.ended();
  }

  async ended(): Promise<Ended> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'close');
    return { code: this.process.exitCode, signal: this.process.signalCode, stdout: this.stdout, stderr: this.stderr };
  }
}

/** Runs one of the programs in test/fixtures. */
export function runFixture(name: string, args: readonly string[] = [], env: Record<string, string> = {}): Child {
  return new Child(process.execPath, [new URL(`../fixtures/${name}`, import.meta.url).pathname, ...args], { env });
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits until a process is there no more. */
export async function gone(pid: number): Promise<void> {
  await eventually(`process ${pid} is gone`, () => (isAlive(pid) ? undefined : true));
}
