// Where exporters named `console` write: stderr, one line of OTLP JSON an export, since stdout belongs to the protocol.
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base';

/** Writes what would be sent to stderr. */
export class StderrTransport implements IExporterTransport {
  send(data: Uint8Array): Promise<ExportResponse> {
    process.stderr.write(`${Buffer.from(data).toString('utf8')}\n`);
    return Promise.resolve({ status: 'success' });
  }

  shutdown(): void {
    // stderr is not ours to close
  }
}
