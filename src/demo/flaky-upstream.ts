// A service that fails in every way services do: slow, 500, 429 with Retry-After, a reset connection, no answer at all, and
// good and bad times in turns. Which fault comes when follows a seed.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, type Listening } from './listen.ts';
import { seeded } from './seeded.ts';

/** What can be wrong with an answer; each is a path of the service, too. */
export const FAULTS = ['slow', 'error', 'limited', 'reset', 'hang'] as const;
/** What can be wrong with an answer. */
export type Fault = (typeof FAULTS)[number];

/** Options of `startFlakyUpstream`. All have a default. */
export interface FlakyUpstreamOptions {
  /** Which faults come when. @default 1 */
  readonly seed?: number | undefined;
  /** The share of requests to `/flaky` that go wrong. @default 0.4 */
  readonly faultRatio?: number | undefined;
  /** How long each good and each bad time of `/flapping` lasts, in ms. @default 5_000 */
  readonly flapMs?: number | undefined;
  /** How long `slow` takes at most, in ms. @default 800 */
  readonly slowMs?: number | undefined;
  /** The port on loopback. @default any that is free */
  readonly port?: number | undefined;
}

/** The faults of `/flaky` in their order; undefined where nothing is wrong. Endless. */
export function* faultsOf(seed: number, faultRatio: number): Generator<Fault | undefined, never> {
  const random = seeded(seed);
  for (;;) {
    const wrong = random() < faultRatio;
    const which = FAULTS[Math.floor(random() * FAULTS.length)];
    yield wrong ? which : undefined;
  }
}

/**
 * Starts the service on loopback. Paths: `/ok`, `/flaky`, `/flapping`, and one for each fault.
 *
 * @param options see there.
 */
export function startFlakyUpstream(options: FlakyUpstreamOptions = {}): Promise<Listening> {
  const { seed = 1, faultRatio = 0.4, flapMs = 5_000, slowMs = 800, port = 0 } = options;
  const faults = faultsOf(seed, faultRatio);
  const random = seeded(seed);
  const startedAt = performance.now();
  const faultFor = (path: string): Fault | 'unknown' | undefined => {
    if (path === '/ok') return undefined;
    if (path === '/flaky') return faults.next().value;
    if (path === '/flapping')
      return Math.floor((performance.now() - startedAt) / flapMs) % 2 === 1 ? 'error' : undefined;
    return FAULTS.find((fault) => path === `/${fault}`) ?? 'unknown';
  };
  return listen((request, response) => {
    const fault = faultFor(new URL(request.url ?? '/', 'http://localhost').pathname);
    if (fault === 'slow') setTimeout(() => answer(request, response, undefined), random() * slowMs).unref();
    else answer(request, response, fault);
  }, port);
}

function answer(request: IncomingMessage, response: ServerResponse, fault: Fault | 'unknown' | undefined): void {
  switch (fault) {
    case 'error':
      response.writeHead(500).end('The service has failed.');
      break;
    case 'limited':
      response.writeHead(429, { 'retry-after': '1' }).end('Too many requests.');
      break;
    case 'reset':
      request.socket.resetAndDestroy();
      break;
    case 'hang':
      break;
    case 'unknown':
      response.writeHead(404).end('There is nothing here.');
      break;
    default:
      response.writeHead(200, { 'content-type': 'text/plain' }).end('The service is well.');
  }
}
