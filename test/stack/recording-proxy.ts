// Stands between a server and the collector, passes everything on, and notes which spans were acknowledged with a 2xx.
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { readOtlp } from '../harness/otlp-protobuf.ts';
import { fromOtlp, type OtlpTraces, type RecordedSpan } from '../harness/span.ts';

export class RecordingProxy {
  readonly #server: Server;
  /** Spans by id, of every export that was answered 2xx. */
  readonly acknowledged = new Map<string, RecordedSpan>();

  private constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#server = createServer((incoming, answer) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const body = Buffer.concat(chunks);
        const { url = '/', method = 'POST', headers } = incoming;
        const spans = url === '/v1/traces' ? spansOf(body, headers['content-encoding'] === 'gzip') : [];
        const onward = request({ hostname, port, path: url, method, headers }, (reply) => {
          const { statusCode = 502 } = reply;
          // noted before the server can know of it
          if (statusCode < 300) for (const span of spans) this.acknowledged.set(span.spanId, span);
          answer.writeHead(statusCode, reply.headers);
          reply.pipe(answer);
        });
        // the collector is gone: so is this connection, as it would be without a proxy
        onward.on('error', () => incoming.socket.destroy());
        onward.end(body);
      });
    });
  }

  static async start(target: string): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function spansOf(body: Buffer, zipped: boolean): RecordedSpan[] {
  return fromOtlp(readOtlp('traces', zipped ? gunzipSync(body) : body) as OtlpTraces);
}
