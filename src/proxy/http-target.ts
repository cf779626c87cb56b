// The server behind the port: requests go on to it with their method, address and headers.
import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { headersToPass, type Replaced } from './http-headers.ts';

// Shorter than any server keeps an idle connection: one that closes just as it is used loses the request.
const IDLE_MS = 2_000;

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
    return this.#send({
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
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Answers instead of the server, with a JSON-RPC error. */
export function refuse(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null });
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
