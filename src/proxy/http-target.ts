// The server behind the port: requests go on to it with their method, address and headers.
import {
  Agent,
  STATUS_CODES,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { complainOnce } from '../diagnostics.ts';
import { headersToPass, type Replaced } from './http-headers.ts';

// Shorter than any server keeps an idle connection: one that closes just as it is used loses the request.
const IDLE_MS = 2_000;

const TOLD_WITHIN_MS = 5_000;

/** The server behind. */
export class Target {
  readonly url: URL;
  readonly #send: typeof httpRequest;
  readonly #agent: Agent;

  constructor(url: URL) {
    this.url = url;
    const secure = url.protocol === 'https:';
    this.#send = secure ? httpsRequest : httpRequest;
    this.#agent = new (secure ? HttpsAgent : Agent)({ keepAlive: true, timeout: IDLE_MS });
  }

  /** Begins a request with the method and address of another one. */
  ask(from: IncomingMessage, replaced: Replaced): ClientRequest {
    const { url } = this;
    const asked = this.#send({
      agent: this.#agent,
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      method: from.method,
      path: from.url,
      headers: headersToPass(from.rawHeaders, {
        host: url.host,
        // an encoded answer could not be read
        'accept-encoding': 'identity',
        expect: undefined,
        ...(from.headers['transfer-encoding'] === undefined ? undefined : { 'transfer-encoding': 'chunked' }),
        ...replaced,
      }) as never,
    });
    // nobody here has asked for another protocol
    asked.once('upgrade', (_answer, socket) => {
      socket.destroy();
      asked.emit('error', Object.assign(new Error('the server changes the protocol'), { code: 'HTTP_101' }));
    });
    return asked;
  }

  /** Posts a message of the proxy with the address and headers of another request. What comes of it is nobody's concern. */
  tell(from: IncomingMessage, message: string): void {
    const asked = this.ask(from, {
      'content-length': String(Buffer.byteLength(message)),
      'transfer-encoding': undefined,
    });
    asked.setTimeout(TOLD_WITHIN_MS, () => asked.destroy());
    asked.once('response', (answer) => answer.resume());
    asked.on('error', () => {});
    asked.end(message);
  }

  /** Answers in its place, since it cannot be reached. */
  refuseUnreached(response: ServerResponse, { code, message }: NodeJS.ErrnoException): void {
    refuse(response, 502, `toolspan wrap cannot reach ${this.url.origin}: ${code ?? message}`);
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Answers instead of the server, with a JSON-RPC error. */
export function refuse(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null });
  // named, or what was to be said before would be
  const name = STATUS_CODES[status];
  response.writeHead(status, name, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Ends an exchange that has failed here: it must take no other with it. */
export function giveUp(response: ServerResponse, error: unknown): void {
  complainOnce('passing on', `an HTTP exchange cannot be passed on, and is ended: ${String(error)}.`);
  if (response.headersSent) response.destroy();
  else refuse(response, 502, 'toolspan wrap cannot pass this on');
}
