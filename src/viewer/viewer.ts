// The viewer: one port that receives OTLP and serves the page and its API. For looking at one's own server while
// developing; a production has a collector and a store of its own.
import { networkInterfaces } from 'node:os';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { complainAboutFailure } from '../diagnostics.ts';
import { Guard, isLoopback, makeToken } from '../loopback/guard.ts';
import { openPort, type OpenPort } from '../loopback/listen.ts';
import { IDENTITY_HEADER } from '../loopback/port-holder.ts';
import { VERSION } from '../version.ts';
import { Api } from './api/router.ts';
import { PageFiles } from './page-files.ts';
import { Receiver } from './receiver/receiver.ts';
import type { Archive, Restored } from './store/archive.ts';
import { Store } from './store/store.ts';

/** Options of `startViewer`. */
export interface ViewerOptions {
  /** 0 for any that is free. */
  readonly port: number;
  /**
   * An address to listen on instead of loopback; then every page, the API and what comes from elsewhere needs the token.
   *
   * @default loopback, on 127.0.0.1 and ::1
   */
  readonly host?: string | undefined;
  /** Names that requests may use for this machine where it listens elsewhere. @default its addresses */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Whether the page asks for the token of the printed address; always where it listens elsewhere. @default true */
  readonly askForToken?: boolean | undefined;
  /** Origins of pages that may send telemetry here from a browser. @default none */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Most bytes that are held. @default 268_435_456 (256 MiB) */
  readonly maxBytes?: number | undefined;
  /** How long a record is held, in ms. @default 86_400_000 (a day) */
  readonly maxAgeMs?: number | undefined;
  /** A SQLite file that keeps what was received over a restart. @default none */
  readonly databaseFile?: string | undefined;
}

/** A running viewer. */
export interface Viewer {
  readonly port: number;
  /** The page, with the token that opens it. */
  readonly url: string;
  /** Where exporters send: the value of OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** The header that exporters on other machines need; nothing where it listens on loopback. */
  readonly exporterHeaders: string | undefined;
  /** Requests that the database file had. */
  readonly restored: number;
  /** Requests that it had and that could not be read. */
  readonly unreadable: number;
  close(): Promise<void>;
}

const MAINTAIN_EVERY_MS = 30_000;
const SECURITY_HEADERS = {
  'content-security-policy': [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self'`,
    `img-src 'self' data:`,
    `connect-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
const NEEDS_TOKEN = 'This page needs the token: open the address that toolspan printed, with ?token= in it.\n';

/**
 * Starts a viewer.
 *
 * @throws {Error} with the code EADDRINUSE where the port is taken.
 * @throws {ArchiveError} where the database file cannot be used.
 */
export async function startViewer(options: ViewerOptions): Promise<Viewer> {
  const page = await PageFiles.load();
  const store = new Store({ maxBytes: options.maxBytes, maxAgeMs: options.maxAgeMs });
  const archive = options.databaseFile === undefined ? undefined : await openArchive(options.databaseFile, store);
  const elsewhere = options.host !== undefined && !isLoopback(options.host);
  const token = elsewhere || options.askForToken !== false ? makeToken() : undefined;
  const hosts = elsewhere ? [...ownAddresses(), ...(options.allowedHosts ?? []), options.host ?? ''] : [];
  const startedMs = Date.now();
  let port = options.port;
  const endpoint = () => `http://${elsewhere ? addressOf(options.host ?? '') : 'localhost'}:${port}`;
  const api = new Api({
    store,
    status: () => {
      const { fill } = store;
      const { maxAgeMs } = store;
      return {
        version: VERSION,
        nowMs: store.now(),
        startedMs,
        endpoint: endpoint(),
        persistent: archive !== undefined,
        maxAgeMs,
        ...fill,
      };
    },
    pageCode: () => page.code,
    clear: () => {
      store.clear();
      archive?.clear();
    },
  });
  const receiver = new Receiver({
    take: (signal, body, leftOut) => {
      const accepted = store.add(signal, body, store.now(), leftOut);
      archive?.append(signal, body);
      return accepted;
    },
  });
  let had: Restored = { restored: 0, unreadable: 0 };
  let open: OpenPort | undefined;
  const front: Front = {
    api,
    receiver,
    page,
    corsOrigins: options.corsOrigins ?? [],
    guard: new Guard({ hosts, token, ownPagesOnly: true }),
  };
  try {
    open = await openPort((request, response) => serve(front, request, response), port, options.host);
    port = open.port;
    if (archive !== undefined) had = archive.restore();
  } catch (error) {
    await open?.close();
    api.close();
    archive?.close();
    throw error;
  }
  const maintenance = setInterval(() => store.maintain(), MAINTAIN_EVERY_MS).unref();
  const opened = open;
  return {
    port,
    url: `${endpoint()}/${token === undefined ? '' : `?token=${token}`}`,
    endpoint: endpoint(),
    exporterHeaders: elsewhere ? `authorization=Bearer ${token ?? ''}` : undefined,
    ...had,
    async close() {
      clearInterval(maintenance);
      api.close();
      await opened.close();
      archive?.close();
    },
  };
}

// loaded where it is asked for: Node before 24 says on stderr that its SQLite is experimental
async function openArchive(file: string, store: Store): Promise<Archive> {
  const { Archive: Opened } = await import('./store/archive.ts');
  return new Opened(file, store);
}

interface Front {
  readonly api: Api;
  readonly receiver: Receiver;
  readonly page: PageFiles;
  readonly corsOrigins: readonly string[];
  readonly guard: Guard;
}

function serve(front: Front, request: IncomingMessage, response: ServerResponse): void {
  answer(front, request, response).catch((error: unknown) => {
    complainAboutFailure('answering a request to the viewer', error);
    if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
    response.end();
  });
}

async function answer(front: Front, request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  const { guard } = front;
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const isOtlp = Receiver.serves(path);
  const refusal = guard.refusal(request, isOtlp ? front.corsOrigins : []);
  if (refusal !== undefined) return refuse(response, refusal.status, `${refusal.message}\n`);
  if (path === '/healthz') {
    response.setHeader(IDENTITY_HEADER, `viewer/${VERSION}`);
    response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
    return;
  }
  if (isOtlp) return receive(front, request, response, path);
  response.setHeader('cache-control', 'no-store');
  const exchange = guard.exchange(request);
  if (exchange !== undefined && request.method === 'GET') {
    response.writeHead(303, { location: exchange.location, 'set-cookie': exchange.setCookie }).end();
    return;
  }
  if (!guard.knows(request)) return refuse(response, 401, NEEDS_TOKEN);
  if (path.startsWith('/api/')) return front.api.handle(request, response, path, new URLSearchParams(query));
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'expected GET\n');
  return front.page.handle(request, response, path);
}

async function receive(
  { guard, receiver, corsOrigins }: Front,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const { origin } = request.headers;
  if (origin !== undefined && corsOrigins.includes(origin)) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('vary', 'origin');
    response.setHeader('cross-origin-resource-policy', 'cross-origin');
    if (request.method === 'OPTIONS') {
      response.setHeader('access-control-allow-methods', 'POST');
      response.setHeader('access-control-allow-headers', 'content-type, content-encoding, authorization');
      response.writeHead(204).end();
      return;
    }
  }
  // an exporter on this machine needs no setting; one on another is as much a stranger as a reader is
  const local = isLocal(request);
  if (!local && !guard.knows(request)) return refuse(response, 401, NEEDS_TOKEN);
  await receiver.handle(request, response, path);
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(message);
}

function isLocal({ socket }: IncomingMessage): boolean {
  return isLoopback((socket.remoteAddress ?? '').replace(/^::ffff:/, ''));
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}

function addressOf(host: string): string {
  const name = host === '0.0.0.0' || host === '::' ? (firstAddress() ?? 'localhost') : host;
  return name.includes(':') ? `[${name}]` : name;
}

function firstAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}
