// The guard of every port we open: a page from anywhere can reach loopback, so a request must name a host that we answer to and
// come from no foreign page (DNS rebinding: CVE-2025-49596, CVE-2025-66414). It must not know what is served behind it.
import type { IncomingMessage } from 'node:http';

/** Options of a `Guard`. */
export interface GuardOptions {
  /** Host names that requests may name beside those of loopback, without a port. @default none */
  readonly hosts?: readonly string[] | undefined;
}

/** Why a request is turned away. */
export interface Refusal {
  readonly status: 400 | 403;
  /** One sentence for whoever sent it. */
  readonly message: string;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;

/** True for a name or address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(bracketed(host.toLowerCase()));
}

/** Decides who may come in. */
export class Guard {
  readonly #hosts: ReadonlySet<string>;

  constructor({ hosts = [] }: GuardOptions = {}) {
    this.#hosts = new Set(hosts.map((host) => bracketed(host.toLowerCase())));
  }

  /** Says why a request may not come in: it names another host, or a page of another origin sent it. */
  refusal(request: IncomingMessage): Refusal | undefined {
    const { host = [], origin = [] } = request.headersDistinct;
    if (host.length !== 1 || !HOST.test(host[0] ?? '')) {
      return { status: 400, message: `expected one Host header, got ${host.length === 1 ? 'a bad one' : host.length}` };
    }
    if (!this.#admits(host[0] ?? '')) {
      return { status: 403, message: 'this port answers to loopback names only (localhost, 127.0.0.1, [::1])' };
    }
    if (origin.length > 1) return { status: 403, message: 'expected at most one Origin header' };
    if (origin[0] !== undefined && !this.#admitsOrigin(origin[0])) {
      return { status: 403, message: 'pages of other origins may not use this port' };
    }
    return undefined;
  }

  #admits(host: string): boolean {
    const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
    return LOOPBACK.test(name) || this.#hosts.has(name);
  }

  #admitsOrigin(origin: string): boolean {
    const host = /^https?:\/\/(.+)$/.exec(origin)?.[1];
    return host !== undefined && HOST.test(host) && this.#admits(host);
  }
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
