// An OTLP/HTTP receiver in the test process: what a child process exports over a real socket.
import { createServer, type Server } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { closed, listening, whenRead } from './http-server.ts';
import { readOtlp } from './otlp-protobuf.ts';
import { fromOtlp, type KeyValue, type OtlpTraces, type RecordedSpan } from './span.ts';

export interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface Collector {
  readonly url: string;
  readonly received: readonly Received[];
  /** Every span that came. */
  spans(): RecordedSpan[];
  /** The bodies of one signal, in the shape of OTLP/JSON whichever way they came. */
  bodies<T>(signal: 'traces' | 'metrics' | 'logs'): T[];
  close(): Promise<void>;
}

/** Starts a collector. `status` and `delay` say how it answers. */
export async function startCollector(
  answer: (
    request: Received,
  ) => { status: number; headers?: Record<string, string>; body?: Uint8Array } | 'never' = () => ({
    status: 200,
  }),
): Promise<Collector> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    whenRead(request, (raw) => {
      const entry = {
        path: request.url ?? '',
        headers: request.headers,
        body: request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw,
      };
      received.push(entry);
      const reply = answer(entry);
      if (reply === 'never') return;
      const type = request.headers['content-type'] ?? 'application/json';
      response.writeHead(reply.status, { 'content-type': type, ...reply.headers });
      response.end(reply.body ?? (type === 'application/json' ? '{}' : ''));
    });
  });
  const url = await listening(server);
  const bodies = <T>(signal: 'traces' | 'metrics' | 'logs'): T[] =>
    received
      .filter(({ path }) => path === `/v1/${signal}`)
      .map(({ body, headers }) =>
        headers['content-type'] === 'application/json'
          ? (JSON.parse(body.toString('utf8')) as T)
          : (readOtlp(signal, body) as T),
      );
  return {
    url,
    received,
    spans: () => bodies<OtlpTraces>('traces').flatMap(fromOtlp),
    bodies,
    close: () => closed(server),
  };
}

/** Starts a collector, and closes it when it has been used. */
export async function withCollector(
  use: (collector: Collector) => Promise<void>,
  ...answer: Parameters<typeof startCollector>
): Promise<void> {
  const collector = await startCollector(...answer);
  try {
    await use(collector);
  } finally {
    await collector.close();
  }
}

interface OtlpMetrics {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: {
          readonly dataPoints: readonly {
            readonly attributes: readonly KeyValue[];
            readonly asInt?: string | number;
            readonly asDouble?: number;
          }[];
        };
      }[];
    }[];
  }[];
}

/** Every metric that came. */
export const metricsOf = (collector: Collector) =>
  collector
    .bodies<OtlpMetrics>('metrics')
    .flatMap(({ resourceMetrics }) =>
      resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics)),
    );
