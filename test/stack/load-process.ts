// The load of a test, in a process of its own.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Behaviour, Call, Called, Order } from './load.ts';

/** Settings under which everything is exported at once. */
export const PROMPT: Readonly<Record<string, string>> = {
  OTEL_METRIC_EXPORT_INTERVAL: '1000',
  OTEL_BSP_SCHEDULE_DELAY: '200',
  OTEL_BLRP_SCHEDULE_DELAY: '200',
};

export class Load {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts a load that calls itself by the name of a service. */
  static async start(service: string, endpoint: string, env: Readonly<Record<string, string>> = {}): Promise<Load> {
    const child = fork(new URL('load.ts', import.meta.url), [service], {
      env: { PATH: process.env['PATH'], ...PROMPT, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env },
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    });
    await once(child, 'message');
    return new Load(child);
  }

  async behave(behaviour: Partial<Behaviour>): Promise<void> {
    await this.#ask({ order: 'behave', behaviour });
  }

  call(call: Call): Promise<Called> {
    return this.#ask({ order: 'call', call });
  }

  /** Flushes and ends it. */
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
