// Answers requests under /api/: finds the route, reads its parameters, and says plainly what is wrong with a bad one.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { JAEGER_ROUTES, NO_TRACES } from './jaeger.ts';
import { LiveUpdates } from './live.ts';
import { openApi } from './openapi.ts';
import { BadRequest, Given } from './parameters.ts';
import { ROUTES, type Route, type Sources } from './routes.ts';
import { sharedTrace, type PageCode } from './share.ts';

/** What the API needs besides what it reads. */
export interface ApiOptions extends Sources {
  /** The code of the page, for the file of a shared trace. */
  readonly pageCode: () => PageCode;
  /** Forgets everything. */
  readonly clear: () => void;
}

const ALL_ROUTES = [...ROUTES, ...JAEGER_ROUTES];
const SHARE = /^\/api\/traces\/([0-9a-fA-F]{32})\/share$/;

interface Matcher {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

const MATCHERS: readonly Matcher[] = ALL_ROUTES.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`),
  names: [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
}));

export class Api {
  readonly #options: ApiOptions;
  readonly #live: LiveUpdates;
  readonly #document = openApi(ALL_ROUTES);

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#live = new LiveUpdates(options.store);
  }

  handle(request: IncomingMessage, response: ServerResponse, path: string, query: URLSearchParams): void {
    const { method = '' } = request;
    if (path === '/api/data' && method === 'DELETE') {
      this.#options.clear();
      response.writeHead(204).end();
      return;
    }
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', path === '/api/data' ? 'DELETE' : 'GET, HEAD');
      sendJson(response, 405, errorOf(405, `expected GET, got ${method}`));
    } else if (path === '/api/events') this.#live.attach(response);
    else if (path === '/api/openapi.json') sendJson(response, 200, this.#document);
    else if (SHARE.test(path)) this.#share(response, path);
    else this.#answer(response, path, query);
  }

  close(): void {
    this.#live.close();
  }

  #answer(response: ServerResponse, path: string, query: URLSearchParams): void {
    try {
      for (const { route, pattern, names } of MATCHERS) {
        const match = pattern.exec(path);
        if (match === null) continue;
        const values = Object.fromEntries(names.map((name, index) => [name, decoded(match[index + 1] ?? '')]));
        const answer = route.answer(this.#options, new Given(query, values));
        if (answer !== undefined) sendJson(response, 200, answer);
        else if (path.startsWith('/api/v3/')) sendJson(response, 404, NO_TRACES);
        else sendJson(response, 404, errorOf(404, 'there is no such thing, or it is no longer held'));
        return;
      }
      sendJson(response, 404, errorOf(404, `no such path; /api/openapi.json lists those there are`));
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      sendJson(response, 400, errorOf(400, error.message));
    }
  }

  #share(response: ServerResponse, path: string): void {
    const traceId = (SHARE.exec(path)?.[1] ?? '').toLowerCase();
    const trace = this.#options.store.spans.traces.get(traceId);
    if (trace === undefined) {
      sendJson(response, 404, errorOf(404, 'there is no such trace, or it is no longer held'));
      return;
    }
    const file = sharedTrace(this.#options.store, trace, this.#options.pageCode());
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-disposition': `attachment; filename="trace-${traceId}.html"`,
      'content-length': Buffer.byteLength(file),
    });
    response.end(file);
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new BadRequest('expected a path in percent-encoding');
  }
}

function errorOf(httpCode: number, message: string): object {
  return { error: { httpCode, message } };
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}
