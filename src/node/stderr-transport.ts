// Where exporters named `console` write: stderr, one line of OTLP JSON an export, since stdout belongs to the protocol.
import { writeStderr } from '../diagnostics.ts';
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base';

/** Writes what would be sent to stderr. */
export class StderrTransport implements IExporterTransport {
  send(data: Uint8Array): Promise<ExportResponse> {
    writeStderr(Buffer.from(data).toString('utf8'));
    return Promise.resolve({ status: 'success' });
  }

  shutdown(): void {
    // stderr is not ours to close
  }
}
