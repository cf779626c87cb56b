// The demo's server alone, as a container runs it: no agents, no screen; telemetry goes where the OTEL_* variables say.
import { configureLogging } from '../index.ts';
import { startTelemetry } from '../node/index.ts';
import { aborted } from './aborted.ts';
import { logLevel } from './log-level.ts';
import { startDemoServer, type DemoServer, type DemoServerPlace } from './start-server.ts';

/** Options of `serveDemo`. */
export interface ServeOptions extends DemoServerPlace {
  /** Ends the server. */
  readonly signal: AbortSignal;
  /** Told the addresses once requests are taken. */
  readonly onListening: (server: DemoServer) => void;
}

/** Serves until the signal. */
export async function serveDemo({ signal, onListening, ...place }: ServeOptions): Promise<void> {
  configureLogging({ level: logLevel() });
  const serviceName = process.env['OTEL_SERVICE_NAME'] ?? 'toolspan-demo';
  const telemetry = await startTelemetry({ serviceName, handleSignals: false });
  try {
    const server = await startDemoServer(place);
    try {
      onListening(server);
      await aborted(signal);
    } finally {
      await server.close();
    }
  } finally {
    await telemetry.shutdown();
  }
}
