// GET for URLs that somebody else chose (server-side request forgery): the target is checked after its name is resolved and
// after each redirect, the connection goes to the very address that was checked, and the answer is bounded in size.
import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { context, propagation, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { ToolError } from '../errors/tool-error.ts';
import { isPublicAddress } from './public-address.ts';

/** What bounds a request. */
export interface GuardOptions {
  readonly signal: AbortSignal;
  /** Origins that may be called though they are not public, such as `http://127.0.0.1:8080`. @default none */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** The longest body, in bytes. @default 1_000_000 */
  readonly maxBytes?: number | undefined;
  /** How many redirects are followed. @default 5 */
  readonly maxRedirects?: number | undefined;
  /** How names become addresses. @default the resolver of the system */
  readonly resolve?: ((name: string, signal: AbortSignal) => Promise<readonly string[]>) | undefined;
}

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Gets what is at a URL.
 *
 * @throws {ToolError} VALIDATION_ERROR for what is no URL of http or https, PERMISSION_DENIED for a target that is not public,
 *   UNAVAILABLE where it cannot be reached.
 */
export async function guardedGet(url: string, options: GuardOptions): Promise<Answer> {
  const { maxRedirects = 5 } = options;
  let target = checkedUrl(url);
  for (let redirects = 0; ; redirects++) {
    const address = await addressOf(target, options);
    const answer = await get(target, address, options);
    const location = answer.headers['location'];
    if (!REDIRECTS.has(answer.status) || typeof location !== 'string') return answer;
    if (redirects >= maxRedirects)
      throw new ToolError('UNAVAILABLE', `More than ${maxRedirects} redirects`, { retryable: false });
    target = checkedUrl(location, target);
  }
}

function checkedUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ToolError('VALIDATION_ERROR', 'The URL must be one of http or https', { details: { field: 'url' } });
  }
  if (url.username !== '' || url.password !== '') {
    throw new ToolError('VALIDATION_ERROR', 'The URL must not hold credentials', { details: { field: 'url' } });
  }
  return url;
}

async function addressOf(target: URL, options: GuardOptions): Promise<string> {
  // URL has made one form of all spellings of an address by now
  const name = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = isIP(name) === 0 ? await resolved(name, options) : [name];
  const allowed = options.allowedOrigins?.includes(target.origin) === true;
  if (!allowed && !addresses.every(isPublicAddress)) {
    throw new ToolError('PERMISSION_DENIED', 'The URL leads to an address that is not public');
  }
  const [address] = addresses;
  if (address === undefined) throw new ToolError('UNAVAILABLE', 'The host of the URL has no address');
  return address;
}

async function resolved(name: string, { resolve = systemResolver, signal }: GuardOptions): Promise<readonly string[]> {
  try {
    return await resolve(name, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new ToolError('UNAVAILABLE', 'The host of the URL cannot be found', { cause: error });
  }
}

// The resolver of the system cannot be stopped, only not waited for.
function systemResolver(name: string, signal: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    resolveName(name, { all: true }, (error: Error | null, addresses: LookupAddress[]) => {
      if (error === null) resolve(addresses.map(({ address }) => address));
      else reject(error);
    });
  });
}

function get(target: URL, address: string, options: GuardOptions): Promise<Answer> {
  const span = trace.getTracer('toolspan-demo').startSpan('GET', {
    kind: SpanKind.CLIENT,
    attributes: {
      'http.request.method': 'GET',
      'server.address': target.hostname,
      'url.full': `${target.origin}${target.pathname}`,
    },
  });
  const headers: Record<string, string> = { host: target.host, 'accept-encoding': 'identity' };
  propagation.inject(trace.setSpan(context.active(), span), headers);
  const secure = target.protocol === 'https:';
  const send: RequestOptions & { servername?: string } = {
    host: address,
    port: target.port === '' ? (secure ? 443 : 80) : target.port,
    path: `${target.pathname}${target.search}`,
    headers,
    signal: options.signal,
    // a connection of its own: none that was made for another name at another time
    agent: false,
    ...(secure && isIP(target.hostname) === 0 && { servername: target.hostname }),
  };
  return sent(secure ? requestHttps : requestHttp, send, options).then(
    (answer) => ended(span, answer),
    (error: unknown) => failed(span, error, options.signal),
  );
}

function sent(
  request: typeof requestHttp,
  send: RequestOptions,
  { maxBytes = 1_000_000 }: GuardOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(send, (response) => {
      readBody(response, maxBytes).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        (error: Error) => {
          asked.destroy();
          reject(error);
        },
      );
    });
    asked.once('error', reject);
    asked.end();
  });
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<string> {
  const tooLong = () => new ToolError('VALIDATION_ERROR', `The answer is longer than ${maxBytes} bytes`);
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLong();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) throw tooLong();
  }
  return Buffer.concat(chunks).toString('utf8');
}

function ended(span: Span, answer: Answer): Answer {
  span.setAttribute('http.response.status_code', answer.status);
  if (answer.status >= 400) {
    span.setAttribute('error.type', String(answer.status));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
  return answer;
}

function failed(span: Span, error: unknown, signal: AbortSignal): never {
  const code = (error as { code?: unknown } | null)?.code;
  span.setAttribute('error.type', typeof code === 'string' ? code : 'error');
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
  if (signal.aborted) throw signal.reason;
  if (error instanceof ToolError) throw error;
  throw new ToolError('UNAVAILABLE', 'The service cannot be reached', { cause: error });
}
