// `toolspan wrap --url`: a port that stands before an MCP server on Streamable HTTP, or the older HTTP+SSE. Method, address,
// status, headers and bodies pass; every message in them is observed.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Guard } from '../loopback/guard.ts';
import { statusOf } from './http-answer.ts';
import { passBody } from './http-body.ts';
import { Callers } from './http-callers.ts';
import { Exchange } from './http-exchange.ts';
import { headersToPass } from './http-headers.ts';
import { Conversations } from './http-sessions.ts';
import { giveUp, refuse, Target } from './http-target.ts';
import type { Observers } from './observers.ts';

/** What is wrapped, and where. */
export interface HttpWrap {
  /** The address of the server, for example `http://localhost:3000/mcp`. */
  readonly url: URL;
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Host names that clients may use beside those of loopback. */
  readonly hosts: readonly string[];
  readonly propagate: boolean;
}

/** A port that is open. */
export interface HttpProxy {
  readonly port: number;
  /** Closes the port and ends what is in flight. */
  close(): Promise<void>;
}

/** Opens the port. Rejects where it cannot be opened. */
export async function wrapHttp(wrap: HttpWrap, observers: Observers | undefined): Promise<HttpProxy> {
  const target = new Target(wrap.url);
  const guard = new Guard({ hosts: wrap.hosts });
  const conversations = observers === undefined ? undefined : new Conversations(observers);
  const callers = new Callers();
  const server: Server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (request, response) => {
    const refusal = guard.refusal(request);
    if (refusal !== undefined) {
      refuse(response, refusal.status, refusal.message);
      return;
    }
    if (request.url?.startsWith('/') !== true) {
      refuse(response, 400, 'expected a path');
      return;
    }
    try {
      if (observers === undefined || conversations === undefined) passUnseen(target, request, response);
      else
        new Exchange(
          { target, conversations, callers, propagate: wrap.propagate, ...observers },
          request,
          response,
        ).run();
    } catch (error) {
      giveUp(response, error);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wrap.port, wrap.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      conversations?.endAll();
      server.closeAllConnections();
      target.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function passUnseen(target: Target, request: IncomingMessage, response: ServerResponse): void {
  const upstream = target.ask(request, {});
  let isAnswered = false;
  upstream.once('response', (answer) => {
    isAnswered = true;
    try {
      response.sendDate = false;
      response.writeHead(statusOf(answer), answer.statusMessage, headersToPass(answer.rawHeaders));
      response.flushHeaders();
    } catch (error) {
      upstream.destroy();
      giveUp(response, error);
      return;
    }
    answer.pipe(response);
    answer.once('close', () => {
      if (!answer.complete) response.destroy();
    });
  });
  upstream.on('error', (error: NodeJS.ErrnoException) => {
    // an answer says itself how it ends
    if (!isAnswered) target.refuseUnreached(response, error);
  });
  response.once('close', () => upstream.destroy());
  passBody(request, upstream, undefined);
}
