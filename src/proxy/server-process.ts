// The wrapped server as a process: started in a group of its own, so that a server behind npx or uvx, a grandchild, is reached
// too. Its life is its own; only when its client is gone does somebody see that it ends.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { launchOf } from './command.ts';
import { watchOver } from './watchdog.ts';

/** How the server ended: one of the two is there. */
export interface ServerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command that could not be started. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** What a shell would exit with: 127 for no such command, 126 for one that cannot be run. */
  readonly exitCode: number;

  constructor(command: string, cause: NodeJS.ErrnoException) {
    super(`cannot start "${command}": ${cause.code === 'ENOENT' ? 'there is no such command' : cause.message}`, {
      cause,
    });
    this.exitCode = cause.code === 'ENOENT' ? 127 : 126;
  }
}

// A client of the SDK waits 2 s after it closed stdin, and 2 s more after SIGTERM: all must be over by then.
const TERMINATE_AFTER_MS = 1_500;
const KILL_AFTER_MS = 1_000;
const LOOK_EVERY_MS = 50;
// How long nothing may come from a dead server whose pipe a child of its own holds, until that is all there will be.
const DRAIN_MS = 1_000;
// How long what the server has started may take to end after it.
const GROUP_MS = 500;

/** A running server. */
export class ServerProcess {
  readonly stdin: Writable;
  readonly stdout: Socket;
  /** What it writes to stderr, where that is not ours. */
  readonly stderr: Readable | null;
  /** Settles when it has ended and everything that it wrote has been read. Rejects with a `StartError`. */
  readonly ended: Promise<ServerEnd>;
  readonly #child: ChildProcess;
  #ending: NodeJS.Timeout | undefined;
  #exited = false;
  #over = false;

  /**
   * @param stderr `pipe` for whoever reads it; else it is that of this process.
   * @throws {StartError} for what can be no command.
   */
  constructor(
    command: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
    stderr: 'inherit' | 'pipe' = 'inherit',
  ) {
    const launch = launchOf(command, args, process.platform);
    this.#child = started(command, () =>
      spawn(launch.command, launch.args, {
        stdio: ['pipe', 'pipe', stderr],
        env: environment,
        detached: process.platform !== 'win32',
        windowsVerbatimArguments: launch.verbatim,
        windowsHide: true,
      }),
    );
    this.stdin = this.#child.stdin as Writable;
    this.stdout = this.#child.stdout as Socket;
    this.stderr = this.#child.stderr;
    const { pid } = this.#child;
    const stopWatching = pid === undefined ? () => {} : watchOver(pid);
    this.ended = this.#watch(command).finally(stopWatching);
  }

  /** Whether the server itself has ended, with something of what it wrote still to be read, maybe. */
  get hasExited(): boolean {
    return this.#exited;
  }

  /**
   * Keeps what it writes until the answer is called, even where it has ended by then: Node would let that flow to nobody. That it
   * could not be started waits, too.
   */
  hold(): () => void {
    const wait = (): void => {};
    this.stdout.on('readable', wait);
    this.ended.catch(() => {});
    return () => void this.stdout.off('readable', wait);
  }

  /** Passes a signal on to the server and whatever it has started. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#over) return;
    if (process.platform === 'win32') {
      spawnSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
      return;
    }
    try {
      process.kill(-pid, signal);
    } catch {
      // it has just ended
    }
  }

  /**
   * Sees that the server ends, its client being gone or done: it has closed stdin. What keeps it from ending has time first.
   *
   * @param isBusy whether somebody still waits for an answer.
   */
  endSoon(isBusy: () => boolean): void {
    if (this.#ending !== undefined) return;
    let idleMs = 0;
    let asked = false;
    this.#ending = setInterval(() => {
      if (!asked && isBusy()) return;
      idleMs += LOOK_EVERY_MS;
      if (!asked && idleMs >= TERMINATE_AFTER_MS) {
        asked = true;
        this.signal('SIGTERM');
      } else if (idleMs >= TERMINATE_AFTER_MS + KILL_AFTER_MS) {
        this.signal('SIGKILL');
      }
    }, LOOK_EVERY_MS);
  }

  /** Ends it at once where a signal did not; for a client that has closed stdin and sent one. */
  killSoon(): void {
    setTimeout(() => this.signal('SIGKILL'), KILL_AFTER_MS).unref();
  }

  #watch(command: string): Promise<ServerEnd> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      let draining: NodeJS.Timeout | undefined;
      child.once('error', (error: NodeJS.ErrnoException) => {
        // an error after the start is a signal that could not be sent
        if (child.pid === undefined) reject(new StartError(command, error));
      });
      child.once('exit', () => {
        this.#exited = true;
        draining = this.#drain();
      });
      child.once('close', (code, signal) => {
        clearInterval(this.#ending);
        clearInterval(draining);
        const over = (): void => {
          this.#over = true;
          resolve({ code, signal });
        };
        void this.#endGroup().finally(over);
      });
    });
  }

  // Time counts only while what comes is read, and nothing comes: a slow client still gets all of it.
  #drain(): NodeJS.Timeout {
    const { stdout } = this;
    let [idleMs, read] = [0, stdout.bytesRead];
    const draining = setInterval(() => {
      const isIdle = !stdout.isPaused() && stdout.readableLength === 0 && stdout.bytesRead === read;
      idleMs = isIdle ? idleMs + LOOK_EVERY_MS : 0;
      read = stdout.bytesRead;
      if (idleMs < DRAIN_MS) return;
      clearInterval(draining);
      void this.#endGroup().finally(() => {
        stdout.destroy();
        this.stderr?.destroy();
      });
    }, LOOK_EVERY_MS);
    return draining;
  }

  // What the server has started goes with it.
  async #endGroup(): Promise<void> {
    for (let waitedMs = 0; this.#groupIsAlive(); waitedMs += LOOK_EVERY_MS) {
      if (waitedMs === 0) this.signal('SIGTERM');
      if (waitedMs >= GROUP_MS) {
        this.signal('SIGKILL');
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  #groupIsAlive(): boolean {
    const { pid } = this.#child;
    if (pid === undefined || process.platform === 'win32') return false;
    try {
      return process.kill(-pid, 0);
    } catch {
      return false;
    }
  }
}

// What can be no command at all, as an empty one, is refused before a process is made.
function started(command: string, start: () => ChildProcess): ChildProcess {
  try {
    return start();
  } catch (error) {
    throw new StartError(command, error as NodeJS.ErrnoException);
  }
}
