// A proxy before an HTTP server in the test process, and raw requests to both: what one answers, the other must.
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { DEFAULT_MAX_OPERATION_MS } from '../../src/observer/door-options.ts';
import { KnownNames } from '../../src/observer/names.ts';
import { wrapHttp, type HttpWrap } from '../../src/proxy/http-proxy.ts';
import type { Mediation } from '../../src/proxy/mediation.ts';
import { IN_PROXY } from '../../src/proxy/observed-peers.ts';
import { Unobserved } from '../../src/proxy/unobserved.ts';
import { Signals } from '../../src/telemetry/signals.ts';
import { closed, listening, portOf } from './http-server.ts';
import { eventually } from './poll.ts';
import { recorder, type Recorder } from './recorder.ts';

export interface Answer {
  readonly status: number;
  readonly statusText: string | undefined;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly trailers: readonly string[];
}

/** What is sent: everything that a client may say. */
export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly string[];
  readonly body?: Buffer | string;
}

/** Asks a port of this machine and reads everything. */
export function ask(port: number, { method = 'POST', path = '/mcp', headers = [], body }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const hasHost = headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        headers: (hasHost ? headers : ['Host', `127.0.0.1:${port}`, ...headers]) as never,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            statusText: response.statusMessage,
            headers: response.rawHeaders,
            body: Buffer.concat(chunks),
            trailers: response.rawTrailers,
          }),
        );
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

/** A JSON-RPC message as the headers and body of a POST. */
export function posted(message: unknown, ...headers: readonly string[]): Ask {
  const body = JSON.stringify(message);
  return {
    headers: [
      'Content-Type',
      'application/json',
      'Accept',
      'application/json, text/event-stream',
      'Content-Length',
      String(Buffer.byteLength(body)),
      ...headers,
    ],
    body,
  };
}

export interface Proxied {
  readonly port: number;
  readonly recorder: Recorder;
  readonly unobserved: Unobserved;
  close(): Promise<void>;
}

export type ProxyOptions = Partial<HttpWrap> & { readonly mediation?: Mediation };

/** A proxy before this address. */
export async function proxyBefore(url: string, { mediation, ...options }: ProxyOptions = {}): Promise<Proxied> {
  const recorded = recorder();
  const { tracerProvider, meterProvider } = recorded;
  const unobserved = new Unobserved(meterProvider);
  const door = {
    signals: new Signals({ tracerProvider, meterProvider }),
    names: new KnownNames(),
    ...IN_PROXY,
    maxOperationMs: DEFAULT_MAX_OPERATION_MS,
  };
  const wrap = { url: new URL(url), host: '127.0.0.1', port: 0, hosts: [], propagate: false, ...options };
  const proxy = await wrapHttp(wrap, { door, unobserved, mediation });
  return { port: proxy.port, recorder: recorded, unobserved, close: () => proxy.close() };
}

/** What the server behind does. */
export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

export const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };
export const PONG = '{"jsonrpc":"2.0","id":1,"result":{}}';

/** Runs a test with a server of its own behind a proxy. */
export async function behind(
  handle: Handle,
  use: (proxy: Proxied, port: number) => Promise<void>,
  options: ProxyOptions = {},
): Promise<void> {
  const server = createServer(handle);
  await listening(server);
  const proxy = await proxyBefore(`http://127.0.0.1:${portOf(server)}/mcp`, options);
  try {
    await use(proxy, portOf(server));
  } finally {
    await proxy.close();
    await closed(server);
  }
}

/** Settles when this many requests are under way. */
export const underWay = (proxy: Proxied, count: number) =>
  eventually(`${count} under way`, async () => {
    const points = await proxy.recorder.points('toolspan.server.active_requests');
    return points.some(({ value }) => value === count) || undefined;
  });

/** Name and outcome of each span so far. */
export const outcomes = ({ recorder: recorded }: Proxied): string[] =>
  recorded.spans().map(({ name, attributes }) => `${name} ${String(attributes['toolspan.outcome'])}`);
