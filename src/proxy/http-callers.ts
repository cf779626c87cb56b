// Whom the server behind the port has let in: the proxy's own tools tell about it, and are for nobody else. What a caller shows
// is its address and every header that may be a credential, an unknown one included. Kept as digests, never recorded.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const MAX_CALLERS = 10_000;
const SESSION = 'mcp-session-id';

/** Headers that differ between the requests of one caller, or say nothing of who it is. */
const NO_CREDENTIALS = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'baggage',
  'connection',
  'content-length',
  'content-type',
  'date',
  'expect',
  'keep-alive',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'traceparent',
  'tracestate',
  'transfer-encoding',
  'x-correlation-id',
  'x-request-id',
]);

/** The callers whom the server has let in, the longest unused first. */
export class Callers {
  readonly #letIn = new Set<string>();

  /** The server has answered a request of this caller with a result, and may have begun a session with it. */
  letIn(request: IncomingMessage, session: string | undefined): void {
    this.#keep(callerOf(request, undefined));
    if (session !== undefined) this.#keep(callerOf(request, session));
  }

  /** The server has turned this caller away, or the session is over. */
  forget(request: IncomingMessage): void {
    this.#letIn.delete(callerOf(request, undefined));
  }

  has(request: IncomingMessage): boolean {
    return this.#letIn.has(callerOf(request, undefined));
  }

  #keep(caller: string): void {
    this.#letIn.delete(caller);
    this.#letIn.add(caller);
    const [oldest] = this.#letIn;
    if (this.#letIn.size > MAX_CALLERS && oldest !== undefined) this.#letIn.delete(oldest);
  }
}

// A session that has just begun is shown by the next request only.
function callerOf({ url = '', rawHeaders }: IncomingMessage, session: string | undefined): string {
  const shown: [string, string][] = session === undefined ? [] : [[SESSION, session]];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    if (isNoCredential(name) || (session !== undefined && name === SESSION)) continue;
    shown.push([name, rawHeaders[index + 1] as string]);
  }
  const text = JSON.stringify([url, shown.toSorted(([one], [other]) => (one < other ? -1 : Number(one > other)))]);
  return createHash('sha256').update(text).digest('base64');
}

// arguments of a call, which a server may want as headers too
function isNoCredential(name: string): boolean {
  return NO_CREDENTIALS.has(name) || name.startsWith('mcp-param-');
}
