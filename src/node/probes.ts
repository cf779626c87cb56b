// What an orchestrator asks over HTTP: does it live, is it ready, is it healthy. In the Web-standard form, which Hono,
// Fastify, Bun and others take, and for Node's own http and Express.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { monitor } from '../health/monitor.ts';
import { noteProbe, notReadyBecause } from '../health/readiness.ts';
import { checkOptions, type OptionRule } from '../options.ts';

/** Options of `probeHandler`. All have a default. */
export interface ProbeOptions {
  /**
   * Says when the application itself is ready: before that, `/readyz` answers 503.
   *
   * @default always
   */
  readonly ready?: (() => boolean) | undefined;
}

/** Answers `/healthz`, `/readyz` and `/livez`. */
export interface ProbeHandler {
  /** The Web-standard form; 404 for any other path. */
  fetch(request: Request): Promise<Response>;
  /** For Node's `http` and for Express; any other path goes to `next`, or is a 404 where there is none. */
  node(request: IncomingMessage, response: ServerResponse, next?: () => void): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

const aFunction: OptionRule = { allows: (value) => typeof value === 'function', expected: 'a function' };
const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/**
 * Makes the handler of the probes. Serve it on the port that serves the work: another one may answer while that is dead.
 *
 * - `/livez`: 200 as long as the event loop answers; never depends on anything else.
 * - `/readyz`: 200, or 503 while draining, before `ready()`, and while a critical check fails or a critical breaker is open.
 * - `/healthz`: 200 while healthy or degraded, 503 while unhealthy, with the reasons.
 *
 * @throws {TypeError} for a bad option.
 */
export function probeHandler(options: ProbeOptions = {}): ProbeHandler {
  checkOptions<ProbeOptions>('probeHandler', options, { ready: aFunction });
  const { ready = () => true } = options;
  monitor.need('probes');
  return {
    async fetch(request) {
      const answer = await answerTo(request.method, new URL(request.url).pathname, ready);
      if (answer === undefined) return new Response(undefined, { status: 404 });
      const body = request.method === 'HEAD' ? undefined : JSON.stringify(answer.body);
      return new Response(body, { status: answer.status, headers: headersOf(answer) });
    },
    async node(request, response, next) {
      const path = (request.url ?? '/').split('?', 1)[0] as string;
      const method = request.method ?? 'GET';
      const answer = await answerTo(method, path, ready);
      if (answer !== undefined) {
        response.writeHead(answer.status, headersOf(answer)).end(method === 'HEAD' ? '' : JSON.stringify(answer.body));
      } else if (next === undefined) {
        response.writeHead(404).end();
      } else {
        next();
      }
    },
  };
}

async function answerTo(method: string, path: string, ready: () => boolean): Promise<Answer | undefined> {
  // wherever the application has mounted it
  const probe = PROBES[path.slice(path.lastIndexOf('/') + 1)];
  if (probe === undefined) return undefined;
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: { error: 'use GET or HEAD' } };
  return probe(ready);
}

const PROBES: Readonly<Record<string, (ready: () => boolean) => Answer | Promise<Answer>>> = Object.assign(
  Object.create(null) as object,
  {
    livez: () => ({ status: 200, body: { status: 'live' } }),
    readyz(ready: () => boolean): Answer {
      noteProbe();
      const causes = [...(isReady(ready) ? [] : ['starting']), ...notReadyBecause()];
      return causes.length === 0
        ? { status: 200, body: { status: 'ready' } }
        : { status: 503, body: { status: 'not_ready', causes } };
    },
    async healthz(): Promise<Answer> {
      await monitor.sampled();
      const { status, reasons } = monitor.health();
      return { status: status === 'unhealthy' ? 503 : 200, body: { status, reasons, age_ms: monitor.sampleAgeMs } };
    },
  },
);

// What the application says about itself must not bring the probe down.
function isReady(ready: () => boolean): boolean {
  try {
    return ready();
  } catch {
    return false;
  }
}

function headersOf({ status }: Answer): Record<string, string> {
  return status === 405 ? { ...HEADERS, allow: 'GET, HEAD' } : HEADERS;
}
