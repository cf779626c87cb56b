// The guard of every port that toolspan opens: which address a request names, which page sent it, and whether it
// knows the token. A page from anywhere can reach loopback; CVE-2025-49596 and CVE-2025-66414 are what follows.
// It must not know what is served behind it.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { boolean, checkOptions, nonEmptyString, type OptionRule } from '../options.ts';

/** Options of a `Guard`. */
export interface GuardOptions {
  /**
   * Host names and addresses that requests may name beside those of loopback, without a port.
   *
   * @default none
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * The secret that `knows` asks for.
   *
   * @default none: everybody knows it
   */
  readonly token?: string | undefined;
  /**
   * Whether only pages of this very port may change something; else those of every port of an admitted host may.
   *
   * @default false
   */
  readonly ownPagesOnly?: boolean | undefined;
}

/** Why a request is turned away. */
export interface Refusal {
  readonly status: 400 | 403;
  /** One sentence for whoever sent it. */
  readonly message: string;
}

/** What turns a token in an address into a cookie: redirect there, with this header. */
export interface Exchange {
  readonly location: string;
  readonly setCookie: string;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const BEARER = /^Bearer +(\S+)$/i;

const hostList: OptionRule = {
  allows: (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry !== ''),
  expected: 'a list of host names',
};

/** A secret for the printed address: 128 random bits. */
export function makeToken(): string {
  return randomBytes(16).toString('base64url');
}

/** True for a name or address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(bracketed(host.toLowerCase()));
}

/** Decides who may come in. */
export class Guard {
  readonly #hosts: ReadonlySet<string>;
  readonly #token: string | undefined;
  readonly #cookie: string;
  readonly #ownPagesOnly: boolean;

  /** @throws {TypeError} an option of the wrong type. */
  constructor(options: GuardOptions = {}) {
    checkOptions<GuardOptions>('Guard', options, {
      hosts: hostList,
      token: nonEmptyString,
      ownPagesOnly: boolean,
    });
    this.#ownPagesOnly = options.ownPagesOnly ?? false;
    this.#hosts = new Set((options.hosts ?? []).map((host) => bracketed(host.toLowerCase())));
    this.#token = options.token;
    // who reads the cookie from a browser's store does not learn the token
    this.#cookie = createHmac('sha256', options.token ?? '')
      .update('cookie')
      .digest('base64url');
  }

  /**
   * Says why a request may not come in at all: it names another host, a page of a foreign origin sent it, or, with
   * `ownPagesOnly`, it would change something and comes from a page of another origin, even one of this machine.
   *
   * @param alsoOrigins origins whose pages may send here.
   */
  refusal(request: IncomingMessage, alsoOrigins: readonly string[] = []): Refusal | undefined {
    const { host = [], origin = [] } = request.headersDistinct;
    if (host.length !== 1 || !HOST.test(host[0] ?? '')) {
      return { status: 400, message: `expected one Host header, got ${host.length === 1 ? 'a bad one' : host.length}` };
    }
    if (!this.#admits(hostnameOf(host[0] ?? ''))) {
      return { status: 403, message: 'this port answers to loopback names only (localhost, 127.0.0.1, [::1])' };
    }
    if (origin.length > 1) return { status: 403, message: 'expected at most one Origin header' };
    if (origin[0] !== undefined && !alsoOrigins.includes(origin[0])) {
      if (!this.#admitsOrigin(origin[0])) {
        return { status: 403, message: 'pages of other origins may not use this port' };
      }
      // what answers another port of this machine may be anybody's page, as in a development server
      if (this.#ownPagesOnly && !READING.has(request.method ?? '') && !isOrigin(origin[0], host[0] ?? '')) {
        return { status: 403, message: 'pages of other origins may not send anything to this port' };
      }
    }
    // a script or picture of a foreign page sends no Origin, but current browsers send this
    if (origin[0] === undefined && isForeignSubresource(request)) {
      return { status: 403, message: 'pages of other sites may not use this port' };
    }
    return undefined;
  }

  /** True where the request shows the token, in its cookie or as `Authorization: Bearer`; or where there is none. */
  knows(request: IncomingMessage): boolean {
    if (this.#token === undefined) return true;
    const bearer = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return equal(bearer, this.#token);
    const cookies = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
    return cookies.some((pair) => equal(pair, `${cookieName(request)}=${this.#cookie}`));
  }

  /** For an address that carries the right `?token=`: the same address without it, and the cookie instead. */
  exchange(request: IncomingMessage): Exchange | undefined {
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const params = new URLSearchParams(query);
    const token = params.get('token');
    if (this.#token === undefined || token === null || !equal(token, this.#token)) return undefined;
    params.delete('token');
    return {
      // a second slash at the start would name another host
      location: `/${path.replace(/^[/\\]+/, '')}${params.size === 0 ? '' : `?${params.toString()}`}`,
      // Lax, since a link from a chat or an editor is a navigation from another site
      setCookie: `${cookieName(request)}=${this.#cookie}; Path=/; HttpOnly; SameSite=Lax`,
    };
  }

  #admits(hostname: string): boolean {
    return LOOPBACK.test(hostname) || this.#hosts.has(hostname);
  }

  #admitsOrigin(origin: string): boolean {
    const match = /^https?:\/\/(.+)$/.exec(origin);
    return match?.[1] !== undefined && HOST.test(match[1]) && this.#admits(hostnameOf(match[1]));
  }
}

function isForeignSubresource({ headers }: IncomingMessage): boolean {
  return headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate';
}

function isOrigin(origin: string, host: string): boolean {
  return origin.toLowerCase().replace(/^https?:\/\//, '') === host.toLowerCase();
}

// a browser sends a cookie to every port of a host, and several may be ours
function cookieName({ socket }: IncomingMessage): string {
  return `toolspan_${socket.localPort}`;
}

function hostnameOf(host: string): string {
  return host.replace(/:\d{1,5}$/, '').toLowerCase();
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

// the digests have one length whatever was sent, so that nothing is learnt from the time it takes
function equal(given: string, expected: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'toolspan').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
