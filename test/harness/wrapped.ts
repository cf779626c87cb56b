// `toolspan wrap` run as a client would run it: bytes in, bytes out, its end and its spans.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './poll.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;

export interface WrappedOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdio?: StdioOptions;
}

/** The variables that keep telemetry inside the process. */
export const SILENT: Readonly<Record<string, string>> = {
  OTEL_TRACES_EXPORTER: 'none',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
};

/** A last delivery that is not in a hurry: tests run on machines that are busy. */
export const PATIENT: Readonly<Record<string, string>> = { TOOLSPAN_SHUTDOWN_TIMEOUT_MS: '10000' };

/** A running `toolspan wrap`. */
export class Wrapped {
  readonly process: ChildProcess;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  stderr = '';

  constructor(args: readonly string[], { env = SILENT, cwd, stdio = 'pipe' }: WrappedOptions = {}) {
    this.process = spawn(process.execPath, [MAIN, 'wrap', ...args], {
      stdio,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...PATIENT, ...env },
      ...(cwd !== undefined && { cwd }),
    });
    this.process.stdout?.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
    });
    this.process.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString('utf8')));
    this.process.stdin?.on('error', () => {});
  }

  get stdout(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get stdoutBytes(): number {
    return this.#size;
  }

  /** Writes bytes, waiting where they are not taken at once. */
  async write(bytes: Buffer | string): Promise<void> {
    const { stdin } = this.process;
    if (stdin === null || stdin.write(bytes)) return;
    await once(stdin, 'drain');
  }

  send(...messages: readonly unknown[]): void {
    for (const message of messages) this.process.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  /** Waits until this many bytes have come. */
  async bytes(count: number): Promise<Buffer> {
    await eventually(
      `${count} bytes (${this.#size} so far; stderr: ${this.stderr})`,
      () => this.#size >= count || undefined,
    );
    return this.stdout;
  }

  /** Waits for a text on stdout. */
  async says(text: string): Promise<void> {
    // not all of it, which may be much
    const tail = () => Buffer.concat(this.#chunks.slice(-20));
    await eventually(`"${text}" on stdout (stderr: ${this.stderr})`, () => tail().includes(text) || undefined);
  }

  /** Waits for a text on stderr, which is the server's too. */
  async complains(text: string): Promise<void> {
    await eventually(`"${text}" on stderr`, () => this.stderr.includes(text) || undefined);
  }

  /** Waits for the end. */
  async ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'close');
    return { code: this.process.exitCode, signal: this.process.signalCode };
  }

  /** Closes stdin and waits for the end. */
  async close(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.process.stdin?.end();
    return this.ended();
  }
}
