// The load of a test, in a process of its own.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { PROMPT } from './demo-server.ts';
import type { Order, Slipped } from './load.ts';

export class Load {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts a load that calls itself by the name of a service, and makes no calls yet. */
  static async start(service: string, endpoint: string, env: Readonly<Record<string, string>> = {}): Promise<Load> {
    const child = fork(new URL('load.ts', import.meta.url), [service], {
      env: { PATH: process.env['PATH'], ...PROMPT, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env },
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    });
    await once(child, 'message');
    return new Load(child);
  }

  async callsPerSecond(callsPerSecond: number): Promise<void> {
    await this.#ask({ order: 'rate', callsPerSecond });
  }

  /** Has it let a secret slip into a span, a log record and a metric. */
  careless(secret: string): Promise<Slipped> {
    return this.#ask({ order: 'careless', secret });
  }

  /** Ends its session, flushes and ends it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.send({ order: 'stop' } satisfies Order);
    await ended;
  }

  async #ask<T>(order: Order): Promise<T> {
    const answered = once(this.#child, 'message');
    this.#child.send(order);
    const [answer] = (await answered) as [T];
    return answer;
  }
}
