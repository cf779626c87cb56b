// The demo's agents alone, as a container runs them: they call a server elsewhere until they are stopped.
import { SpanKind } from '@opentelemetry/api';
import { startTelemetry } from '../node/index.ts';
import { aborted } from './aborted.ts';
import { startAgent } from './agents.ts';
import { startInvestigator } from './investigator.ts';
import { listen } from './listen.ts';
import type { ReadableSpan } from './live-traces.ts';

const UNHEALTHY_AFTER_MS = 20_000;
const UNANSWERED = new Set<unknown>(['aborted', 'expired']);

/** Options of `callDemo`. */
export interface CallOptions {
  /** Address of the MCP server. */
  readonly url: string;
  /** Base URL of the service that they have the server call, as the server reaches it. */
  readonly serviceUrl: string;
  /** How many agents call it at the same time. */
  readonly agents: number;
  /** Port on loopback that answers 200 as long as calls are answered, and 503 when none was for 20 s. */
  readonly healthPort: number | undefined;
  /** Ends the agents. */
  readonly signal: AbortSignal;
}

/**
 * Runs agents until the signal.
 *
 * @throws {Error} where the server does not answer at the start.
 */
export async function callDemo({ url, serviceUrl, agents, healthPort, signal }: CallOptions): Promise<void> {
  const answers = new Answers();
  const opened: (() => Promise<unknown>)[] = [];
  try {
    const telemetry = await startTelemetry({
      serviceName: 'toolspan-agents',
      spanProcessors: [answers],
      handleSignals: false,
    });
    opened.push(() => telemetry.shutdown());
    if (healthPort !== undefined) {
      const health = await listen((_request, response) => {
        response.writeHead(answers.sinceLastMs() < UNHEALTHY_AFTER_MS ? 200 : 503).end();
      }, healthPort);
      opened.push(health.close);
    }
    const running = await Promise.all(
      Array.from({ length: agents }, (_, index) => startAgent(url, index % 2 === 0, serviceUrl)),
    );
    opened.push(() => Promise.all(running.map((agent) => agent.stop())));
    // one more, which asks the server why its call has failed
    const investigator = await startInvestigator(url, () => {});
    opened.push(() => investigator.stop());
    await aborted(signal);
  } finally {
    for (const close of opened.toReversed()) await close();
  }
}

/** Notes when the server answered last, by the spans of the agents. */
class Answers {
  #last = Number.NEGATIVE_INFINITY;

  onStart(): void {}

  onEnd({ kind, attributes }: ReadableSpan): void {
    const outcome = attributes['toolspan.outcome'];
    if (kind === SpanKind.CLIENT && outcome !== undefined && !UNANSWERED.has(outcome)) this.#last = performance.now();
  }

  sinceLastMs(): number {
    return performance.now() - this.#last;
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
