// The conversations over one HTTP port: one for each MCP session, one for each event stream of the older HTTP+SSE, and one for
// each exchange that belongs to neither. Two clients may well count from the same id.
import { HTTP, type Wire } from '../observer/wire.ts';
import type { MessageId } from '../protocol/message.ts';
import type { Network } from '../telemetry/kind.ts';
import type { MediatedCall } from './mediated-call.ts';
import { ObservedPeers } from './observed-peers.ts';
import type { Observers } from './observers.ts';

const MAX_SESSIONS = 10_000;

/** A conversation, and the session it belongs to by now. */
export class Conversation implements Wire {
  readonly network: Network = HTTP;
  readonly peers: ObservedPeers;
  /** The MCP session id. */
  session: string | undefined;
  /** The calls under way that policies decide about: they are withdrawn by a message of their own. */
  readonly calls: Map<MessageId, MediatedCall> = new Map();
  /** Whether it goes on after the exchange it began with. */
  lasts = false;

  constructor({ door, unobserved }: Observers, session: string | undefined) {
    this.session = session;
    this.lasts = session !== undefined;
    this.peers = new ObservedPeers(door, this, unobserved);
  }

  sessionId(): string | undefined {
    return this.session;
  }

  // the observer sends nothing of its own
  sendUnseen(): void {}
}

/** The conversations that last longer than one exchange, the longest unused first. */
export class Conversations {
  readonly #observers: Observers;
  readonly #byKey = new Map<string, Conversation>();

  constructor(observers: Observers) {
    this.#observers = observers;
  }

  /** The conversation of a session: one that began before this proxy may be new to it. */
  ofSession(id: string): Conversation {
    const key = `session ${id}`;
    const conversation = this.#byKey.get(key) ?? new Conversation(this.#observers, id);
    this.#keep(key, conversation);
    return conversation;
  }

  /** The conversation that an event stream has named this address for. */
  ofEndpoint(path: string): Conversation | undefined {
    return this.#byKey.get(`endpoint ${path}`);
  }

  /** A conversation of one exchange, unless it turns out to be more. */
  begin(): Conversation {
    return new Conversation(this.#observers, undefined);
  }

  /** An answer has made it a session. */
  becomesSession(conversation: Conversation, id: string): void {
    if (conversation.session !== undefined) return;
    conversation.session = id;
    conversation.lasts = true;
    this.#keep(`session ${id}`, conversation);
  }

  /** Its event stream has named the address that its messages are posted to; they end with the stream. */
  hasEndpoint(conversation: Conversation, path: string): void {
    conversation.lasts = true;
    this.#keep(`endpoint ${path}`, conversation);
  }

  /** Ends a conversation and forgets it. */
  end(conversation: Conversation): void {
    if (conversation.lasts) {
      for (const [key, kept] of this.#byKey) if (kept === conversation) this.#byKey.delete(key);
    }
    conversation.peers.close();
  }

  /** Ends all. */
  endAll(): void {
    for (const conversation of new Set(this.#byKey.values())) conversation.peers.close();
    this.#byKey.clear();
  }

  #keep(key: string, conversation: Conversation): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, conversation);
    if (this.#byKey.size <= MAX_SESSIONS) return;
    const [oldest] = this.#byKey.values();
    if (oldest !== undefined) this.end(oldest);
  }
}
