// Stands where the collector would, while `toolspan check` tries a server, and notes what that sends by itself.
import { openPort, type OpenPort } from '../loopback/listen.ts';

const SIGNALS = ['traces', 'metrics', 'logs'] as const;

/** A collector of nothing but the names of signals. */
export class ExportProbe {
  /** The environment of a server that exports to here. */
  readonly environment: NodeJS.ProcessEnv;
  readonly #port: OpenPort;
  readonly #seen: ReadonlySet<string>;

  private constructor(port: OpenPort, seen: ReadonlySet<string>, environment: NodeJS.ProcessEnv) {
    this.#port = port;
    this.#seen = seen;
    this.environment = { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port.port}` };
    for (const signal of SIGNALS) delete this.environment[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`];
  }

  /** @param environment of the server, without this. */
  static async open(environment: NodeJS.ProcessEnv): Promise<ExportProbe> {
    const seen = new Set<string>();
    const port = await openPort((request, response) => {
      const signal = SIGNALS.find((name) => request.url === `/v1/${name}`);
      let bytes = 0;
      request.on('data', (chunk: Buffer) => void (bytes += chunk.length));
      request.once('end', () => {
        if (signal !== undefined && bytes > 0) seen.add(signal);
        // of OTLP, an answer that everything was taken is an empty message
        response.writeHead(signal === undefined ? 404 : 200, {
          'content-type': request.headers['content-type'] ?? 'application/x-protobuf',
        });
        response.end(request.headers['content-type']?.includes('json') === true ? '{}' : '');
      });
    }, 0);
    return new ExportProbe(port, seen, environment);
  }

  /** Which of traces, metrics and logs have come. */
  get signals(): readonly string[] {
    return SIGNALS.filter((name) => this.#seen.has(name));
  }

  close(): Promise<void> {
    return this.#port.close();
  }
}
