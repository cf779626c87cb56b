// One conversation that passes through the proxy: messages are read from bytes, and the observer is told of each as if it sat
// in the server. Nothing here changes or delays a byte; it only says what may be added to a request.
import { context, trace, type Context } from '@opentelemetry/api';
import { Connection } from '../observer/connection.ts';
import type { Door } from '../observer/door.ts';
import { Failures } from '../observer/failures.ts';
import { STDIO, type Wire } from '../observer/wire.ts';
import { withdrawnBy } from '../protocol/cancellation.ts';
import { isNotification, isRecord, isRequest, isResponse, type MessageId } from '../protocol/message.ts';
import type { Ending } from '../protocol/outcome.ts';
import { announceServer } from '../state/servers.ts';
import { traceContextFor } from '../telemetry/propagation.ts';
import { ATTR_HTTP_RESPONSE_STATUS_CODE } from '../telemetry/semconv.ts';
import { edited, elementsAt, isArrayAt, isObjectAt, spaceEnd, type Edit } from './json-bytes.ts';
import { traceMetaEdits } from './trace-meta.ts';
import type { Unobserved } from './unobserved.ts';

const NOBODY = {};
const NOTHING = (): void => {};

/** The pipe to a server on stdio. The observer sends nothing of its own. */
export const STDIO_WIRE: Wire = {
  network: STDIO,
  sessionId: () => undefined,
  sendUnseen: NOTHING,
};

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
/** How many operations of one connection may be open; a request beyond them passes unobserved. */
export const MAX_OPEN: number = 10_000;

/** The messages in these bytes: one, those of a batch, or undefined where it is no JSON-RPC. */
export function messagesIn(bytes: Buffer): readonly unknown[] | undefined {
  const at = spaceEnd(bytes, 0);
  if (at === bytes.length) return [];
  if (!isObjectAt(bytes, at) && !isArrayAt(bytes, at)) return undefined;
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8', at));
    if (!Array.isArray(parsed)) return isMessage(parsed) ? [parsed] : undefined;
    // beside what is none, a server still serves the others
    return parsed.length === 0 || parsed.some(isMessage) ? (parsed as unknown[]) : undefined;
  } catch {
    return undefined;
  }
}

function isMessage(message: unknown): boolean {
  return isRequest(message) || isNotification(message) || isResponse(message) || isErrorWithoutId(message);
}

function isErrorWithoutId(message: unknown): boolean {
  return isRecord(message) && (message['id'] === null || message['id'] === undefined) && isRecord(message['error']);
}

/** A conversation of one client with one server. */
export class ObservedPeers {
  readonly #connection: Connection;
  /** The context of each request that is under way, by its id. */
  readonly #underWay = new Map<MessageId, Context>();

  readonly #unobserved: Unobserved | undefined;

  /** @param unobserved counts what passes unobserved because too much is open. */
  constructor(door: Door, wire: Wire, unobserved?: Unobserved) {
    this.#unobserved = unobserved;
    this.#connection = new Connection(door, wire);
  }

  /** How many requests of the client are under way. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** The client has sent this. Gives the context that the server's work on it belongs to. */
  fromClient(message: unknown, extra?: unknown): Context {
    let inside = context.active();
    if (this.#isTooMany(message)) return inside;
    this.#connection.receive(message, extra, () => (inside = context.active()), NOBODY);
    if (isRequest(message) && this.#underWay.size < MAX_OPEN) this.#underWay.set(message.id, inside);
    else {
      const withdrawn = withdrawnBy(message);
      if (withdrawn !== undefined) this.#underWay.delete(withdrawn);
    }
    return inside;
  }

  /**
   * The server has sent this. Gives the context that the client's work on it belongs to.
   *
   * @param asking the requests that it may belong to; all that are under way where that cannot be told.
   */
  fromServer(message: unknown, asking: Iterable<MessageId> = this.#underWay.keys()): Context {
    if (isResponse(message)) {
      this.#underWay.delete(message.id);
      introduce(message.result);
    }
    let inside = context.active();
    if (this.#isTooMany(message)) return inside;
    const send = (): void => void (inside = context.active());
    // what a server asks belongs to the call it works on: where two may be meant, none is
    const around = isResponse(message) ? undefined : this.#only(asking);
    if (around === undefined) this.#connection.send(message, undefined, send, NOBODY);
    else context.with(around, () => this.#connection.send(message, undefined, send, NOBODY));
    return inside;
  }

  /** Ends a request of the client that no answer will end. */
  end(id: MessageId, ending: Ending, httpStatus?: number): void {
    const inside = this.#underWay.get(id);
    this.#underWay.delete(id);
    if (httpStatus !== undefined && inside !== undefined) {
      trace.getSpan(inside)?.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, httpStatus);
    }
    this.#connection.endRequest(id, ending);
  }

  /** Ends everything: the conversation is over. */
  close(): void {
    this.#underWay.clear();
    this.#connection.close();
  }

  // Its answer will be nobody's, so that it passes too.
  #isTooMany(message: unknown): boolean {
    if (this.#connection.inFlight < MAX_OPEN || !isRequest(message)) return false;
    this.#unobserved?.count('too_many');
    return true;
  }

  #only(asking: Iterable<MessageId>): Context | undefined {
    let only: Context | undefined;
    for (const id of asking) {
      const inside = this.#underWay.get(id);
      if (inside === undefined) continue;
      if (only !== undefined) return undefined;
      only = inside;
    }
    return only;
  }
}

/** The bytes with the trace context of each request in its `_meta`; the same bytes where nothing is to be added. */
export function annotated(bytes: Buffer, messages: readonly unknown[], contexts: readonly Context[]): Buffer {
  const at = spaceEnd(bytes, 0);
  const places = isArrayAt(bytes, at) ? elementsAt(bytes, at).map(({ from }) => from) : [at];
  const edits: Edit[] = [];
  for (const [index, message] of messages.entries()) {
    const [place, inside] = [places[index], contexts[index]];
    if (place === undefined || inside === undefined || !isRequest(message)) continue;
    // baggage passes as the sender wrote it
    const added = traceContextFor(inside);
    if (added !== undefined) edits.push(...traceMetaEdits(bytes, place, added));
  }
  return edits.length === 0 ? bytes : edited(bytes, edits);
}

const LATE_ANSWERS_MS = 5_000;

/** What the observer has in the proxy: no handlers of the application to look into, and no answers to change. */
export const IN_PROXY: Pick<Door, 'handlers' | 'failures' | 'figures' | 'lateAnswersMs'> = {
  lateAnswersMs: LATE_ANSWERS_MS,
  handlers: { arm: NOTHING },
  failures: new Failures({ mode: 'passthrough' }),
  figures: undefined,
};

// The service is named after the server that answers.
function introduce(result: unknown): void {
  if (!isRecord(result)) return;
  const meta = result['_meta'];
  const info = result['serverInfo'] ?? (isRecord(meta) ? meta[SERVER_INFO] : undefined);
  if (!isRecord(info) || typeof info['name'] !== 'string') return;
  const version = info['version'];
  announceServer({ name: info['name'], version: typeof version === 'string' ? version : undefined });
}
