// What an orchestrator asks over HTTP: does it live, is it ready, is it healthy. In the Web-standard form, which Hono,
// Fastify, Bun and others take, and for Node's own http and Express.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { monitor } from '../health/monitor.ts';
import { noteProbe, notReadyBecause } from '../health/readiness.ts';
import { checkOptions, functionRule, type OptionRule } from '../options.ts';

type Ready = () => boolean | Promise<boolean>;

/** Options of `probeHandler`. All have a default. */
export interface ProbeOptions {
  /**
   * Says when the application itself is ready: before that, `/readyz` answers 503, as it does where the answer is later
   * than a second.
   *
   * @default always
   */
  readonly ready?: Ready | undefined;
  /**
   * Where the probes are mounted, as in `/internal`, for a framework that leaves the whole path in the request; Express takes
   * its mount path off.
   *
   * @default none
   */
  readonly prefix?: string | undefined;
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

const READY_WITHIN_MS = 1_000;
const aPath: OptionRule = {
  allows: (value) => typeof value === 'string' && /^(\/[^/?#]+)*$/.test(value),
  expected: 'a path such as "/internal", without a slash at its end',
  outOfRange: (value) => typeof value === 'string',
};
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
  checkOptions<ProbeOptions>('probeHandler', options, { ready: functionRule, prefix: aPath });
  const { ready = () => true, prefix = '' } = options;
  monitor.need('probes');
  const answerTo = async (method: string, path: string): Promise<Answer | undefined> => {
    const probe = path.startsWith(`${prefix}/`) ? PROBES[path.slice(prefix.length + 1)] : undefined;
    if (probe === undefined) return undefined;
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: { error: 'use GET or HEAD' } };
    return probe(ready);
  };
  return {
    async fetch(request) {
      const answer = await answerTo(request.method, new URL(request.url).pathname);
      if (answer === undefined) return new Response(undefined, { status: 404 });
      const body = request.method === 'HEAD' ? undefined : JSON.stringify(answer.body);
      return new Response(body, { status: answer.status, headers: headersOf(answer) });
    },
    async node(request, response, next) {
      const path = (request.url ?? '/').split('?', 1)[0] as string;
      const method = request.method ?? 'GET';
      const answer = await answerTo(method, path);
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

const PROBES: Readonly<Record<string, (ready: Ready) => Answer | Promise<Answer>>> = Object.assign(
  Object.create(null) as object,
  {
    livez: () => ({ status: 200, body: { status: 'live' } }),
    async readyz(ready: Ready): Promise<Answer> {
      noteProbe();
      const causes = (await isReady(ready)) ? [] : ['starting'];
      causes.push(...notReadyBecause());
      return causes.length === 0
        ? { status: 200, body: { status: 'ready' } }
        : { status: 503, body: { status: 'not_ready', causes } };
    },
    async healthz(): Promise<Answer> {
      await monitor.sampled();
      const { status, reasons } = monitor.health();
      const age = monitor.sampleAgeMs;
      return {
        status: status === 'unhealthy' ? 503 : 200,
        body: { status, reasons, age_ms: age === undefined ? undefined : Math.round(age) },
      };
    },
  },
);

// What the application says about itself must not bring the probe down, nor keep it.
async function isReady(ready: Ready): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), READY_WITHIN_MS);
  });
  try {
    return await Promise.race([ready(), tooLate]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function headersOf({ status }: Answer): Record<string, string> {
  return status === 405 ? { ...HEADERS, allow: 'GET, HEAD' } : HEADERS;
}
