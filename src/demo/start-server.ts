// The demo's server on a port, and what stands behind it: a weather service, and one that fails in every way services do.
import { once } from 'node:events';
import { connect } from 'node:net';
import { registerHealthCheck } from '../index.ts';
import { startFlakyUpstream } from './flaky-upstream.ts';
import { guarded } from './guarded.ts';
import { listen } from './listen.ts';
import { demoHandler } from './server.ts';
import { startWeather } from './weather.ts';

/** Options of `startDemoServer`. */
export interface DemoServerPlace {
  /** The port of the MCP server; 0 for any that is free. */
  readonly port: number;
  /** The address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** Host names that requests may name beside those of loopback. @default none */
  readonly alsoHosts?: readonly string[] | undefined;
  /** The port on loopback of the service that fails. @default any that is free */
  readonly servicePort?: number | undefined;
}

/** A demo server that runs. */
export interface DemoServer {
  /** Address of the MCP server. */
  readonly url: string;
  /** Base URL of the service that fails, as the server reaches it. */
  readonly serviceUrl: string;
  readonly close: () => Promise<void>;
}

// the reference values would make people wait for minutes to see anything
const QUICK = { initialDelayMs: 100, requestTimeoutMs: 1_000, resetAfterMs: 2_000 };

/**
 * Starts it. `GET /healthz` answers 200 while it runs.
 *
 * @throws {Error} where a port is taken.
 */
export async function startDemoServer(place: DemoServerPlace): Promise<DemoServer> {
  // what was opened is closed, last first, also where the port turns out to be taken
  const opened: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closeOne of opened.toReversed()) await closeOne();
  };
  try {
    const weather = await startWeather();
    opened.push(weather.close);
    const unregister = registerHealthCheck('weather', ({ signal }) => reach(weather.url, signal), { everyMs: 5_000 });
    opened.push(() => Promise.resolve(unregister()));
    const service = await startFlakyUpstream({ port: place.servicePort });
    opened.push(service.close);
    const resilience = { ...QUICK, allowedOrigins: [service.url] };
    const handler = demoHandler({ weatherUrl: weather.url, resilience });
    opened.push(handler.close);
    const answer = guarded(handler, place.alsoHosts);
    const mcp = await listen(
      (request, response) => {
        if (request.url === '/healthz') response.end('ok\n');
        else answer(request, response);
      },
      place.port,
      place.host,
    );
    opened.push(mcp.close);
    return { url: `${mcp.url}/mcp`, serviceUrl: service.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

// a connection, not a request: that would be a trace of its own every few seconds
async function reach(url: string, signal: AbortSignal): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect', { signal });
  } finally {
    socket.destroy();
  }
}
