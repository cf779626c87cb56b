// The demo's server alone, as a container runs it: no agents, no screen; telemetry goes where the OTEL_* variables say.
import { configureLogging } from '../index.ts';
import { startTelemetry } from '../node/index.ts';
import { aborted } from './aborted.ts';
import { guarded } from './guarded.ts';
import { listen } from './listen.ts';
import { logLevel } from './log-level.ts';
import { demoHandler } from './server.ts';
import { startWeather } from './weather.ts';

/** Options of `serveDemo`. */
export interface ServeOptions {
  /** The port of the MCP server; 0 for any that is free. */
  readonly port: number;
  /** The address to listen on. */
  readonly host: string;
  /** Host names that requests may name beside those of loopback. */
  readonly alsoHosts: readonly string[];
  /** Ends the server. */
  readonly signal: AbortSignal;
  /** Told the address once requests are taken. */
  readonly onListening: (url: string) => void;
}

/** Serves until the signal. `GET /healthz` answers 200 while it does. */
export async function serveDemo({ port, host, alsoHosts, signal, onListening }: ServeOptions): Promise<void> {
  configureLogging({ level: logLevel() });
  // what was opened is closed, last first, also where the port turns out to be taken
  const opened: (() => Promise<unknown>)[] = [];
  try {
    const telemetry = await startTelemetry({ serviceName: 'toolspan-demo', handleSignals: false });
    opened.push(() => telemetry.shutdown());
    const weather = await startWeather();
    opened.push(weather.close);
    const handler = demoHandler({ weatherUrl: weather.url });
    opened.push(handler.close);
    const answer = guarded(handler, alsoHosts);
    const mcp = await listen(
      (request, response) => {
        if (request.url === '/healthz') response.end('ok\n');
        else answer(request, response);
      },
      port,
      host,
    );
    opened.push(mcp.close);
    onListening(`${mcp.url}/mcp`);
    await aborted(signal);
  } finally {
    for (const close of opened.toReversed()) await close();
  }
}
