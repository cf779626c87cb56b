// One HTTP request and its answer, observed on their way.
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { context, type Context } from '@opentelemetry/api';
import { recordRefusal, refusalEnding } from '../observer/refusal.ts';
import { asError } from '../diagnostics.ts';
import { isToolError } from '../errors/tool-error.ts';
import {
  isRecord,
  isRequest,
  isResponse,
  type MessageId,
  type RequestMessage,
  type ResponseMessage,
} from '../protocol/message.ts';
import { withdrawnBy } from '../protocol/cancellation.ts';
import { envelopeVersion, metaOf } from '../protocol/meta.ts';
import type { Ending } from '../protocol/outcome.ts';
import { traceContextFor } from '../telemetry/propagation.ts';
import { idsAsked, passAnswer } from './http-answer.ts';
import { holdBody, passBody, type BodyReader, type Contain } from './http-body.ts';
import type { Callers } from './http-callers.ts';
import type { Replaced } from './http-headers.ts';
import type { Conversation, Conversations } from './http-sessions.ts';
import { giveUp, refuse, type Target } from './http-target.ts';
import { MediatedCall } from './mediated-call.ts';
import { answerTo, failureResult, onlyRequest, type Mediation, type Verdict } from './mediation.ts';
import { annotated, messagesIn } from './observed-peers.ts';
import type { Observers } from './observers.ts';

/** What an exchange goes through. */
export interface Surroundings extends Observers {
  readonly target: Target;
  readonly conversations: Conversations;
  readonly callers: Callers;
  readonly propagate: boolean;
}

interface Seen {
  readonly messages: readonly unknown[];
  readonly passed: Buffer;
  readonly headers: Replaced;
  /** The context of the first message. */
  readonly inside: Context | undefined;
}

/** One request and its answer. */
export class Exchange {
  readonly #around: Surroundings;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #conversation: Conversation;
  readonly #startedAt: number;
  #asked: readonly MessageId[] = [];
  #isOver = false;
  #resumable = false;
  #unreadable = false;
  /** Whether the client calls its body JSON. */
  #saysJson = false;
  /** Whether this is the event stream that the conversation lives by. */
  #ownsConversation = false;
  #upstream: ClientRequest | undefined;
  /** The call that a policy decides about. */
  #call: MediatedCall | undefined;
  /** Whether the proxy has stopped waiting for the server, and will answer itself. */
  #givenUp = false;
  #learn: ((message: ResponseMessage) => void) | undefined;
  #rewrite: ((message: unknown, json: Buffer) => Buffer) | undefined;
  #isAnswered = false;
  #answerType = '';
  /** Whether the client may have an event by half: nothing can follow it then. */
  #isAmidEvent = false;

  // what fails in one exchange is no other's matter
  readonly #contained: Contain =
    (work) =>
    (...args) => {
      try {
        work(...args);
      } catch (error) {
        const failure = asError(error);
        this.#givenUp = true;
        this.#call?.failedWith(failure, () => {});
        this.#upstream?.destroy();
        this.#over({ outcome: 'aborted', errorType: failure.name });
        giveUp(this.#response, error);
      }
    };

  constructor(around: Surroundings, request: IncomingMessage, response: ServerResponse) {
    this.#around = around;
    this.#request = request;
    this.#response = response;
    this.#startedAt = around.door.signals.clock.now();
    const session = request.headers['mcp-session-id'];
    const { conversations } = around;
    this.#conversation =
      typeof session === 'string'
        ? conversations.ofSession(session)
        : (conversations.ofEndpoint(request.url ?? '/') ?? conversations.begin());
  }

  run(): void {
    this.#response.once('close', () => {
      if (this.#response.writableFinished) return;
      // the client is gone: nobody wants the answer
      this.#call?.withdraw();
      this.#upstream?.destroy();
      this.#over({ outcome: 'aborted' });
    });
    const { method, headers } = this.#request;
    this.#saysJson = headers['content-type']?.toLowerCase().includes('json') === true;
    const { propagate, mediation } = this.#around;
    // a server may read JSON whatever it is called
    const carriesMessages = method === 'POST' && (this.#saysJson || mediation !== undefined);
    const ask = (): ClientRequest => this.#ask({});
    if (!carriesMessages) passBody(this.#request, ask(), undefined);
    else if (propagate || mediation !== undefined)
      holdBody(
        this.#request,
        ask,
        this.#bodyReader((bytes) => this.#decide(Buffer.from(bytes))),
      );
    else
      passBody(
        this.#request,
        ask(),
        this.#bodyReader((bytes) => void this.#see(bytes)),
      );
  }

  // -- what the client sends

  #bodyReader(read: (bytes: Buffer) => void): BodyReader {
    return {
      contained: this.#contained,
      read,
      tooLong: () => this.#around.unobserved.count('too_long'),
    };
  }

  #decide(bytes: Buffer): void {
    const { messages, passed, headers, inside } = this.#see(bytes);
    for (const message of messages) this.#withdraw(message);
    // what is not changed keeps its framing
    const framing = passed === bytes ? {} : { 'content-length': String(passed.length), 'transfer-encoding': undefined };
    const send = (): void => void this.#ask({ ...framing, ...headers }).end(passed);
    const request = onlyRequest(messages);
    const { mediation } = this.#around;
    if (mediation !== undefined && messages.length > 1 && messages.some((message) => isDecided(mediation, message))) {
      this.#refused(400, undefined);
      this.#over({ outcome: 'aborted' });
      refuse(
        this.#response,
        400,
        'toolspan wrap decides about these calls one by one: send each in a request of its own',
      );
      return;
    }
    if (request === undefined || mediation === undefined) {
      send();
      return;
    }
    const verdict = mediation.verdictOn(request);
    const { method } = request;
    if (mediation.readsAnswerTo(request)) this.#learn = (message) => mediation.learn(method, message);
    if (mediation.changesAnswerTo(request)) {
      this.#rewrite = (message, json) => mediation.changedAnswer(method, json, message);
    }
    // our own tools are for those alone whom the server has let in: others hear what it has to say
    const isForServer = verdict.by === 'server' || (verdict.by === 'proxy' && !this.#around.callers.has(this.#request));
    if (isForServer) send();
    else context.with(inside ?? context.active(), () => this.#mediate(request, verdict, send));
  }

  #mediate(request: RequestMessage, verdict: Exclude<Verdict, { by: 'server' }>, send: () => void): void {
    const answer = (result: object): void => this.#answer(answerTo(request, result));
    const { session } = this.#conversation;
    if (verdict.by === 'proxy') {
      void verdict.answer({ remote: true, session }).catch(failureResult).then(answer);
      return;
    }
    const call = new MediatedCall({
      make: send,
      withdraw: () => {
        this.#givenUp = true;
        this.#sayWithdrawn(request);
        this.#upstream?.destroy();
      },
      answer,
      // where the server could not be reached it is said as ever
      fail: (error) => (isToolError(error) ? answer(failureResult(error)) : this.#sayUnreachable(error as Error)),
    });
    this.#call = call;
    void this.#run(call, request.id, verdict);
  }

  async #run(call: MediatedCall, id: MessageId, verdict: Parameters<MediatedCall['run']>[0]): Promise<void> {
    const { calls, session } = this.#conversation;
    calls.set(id, call);
    await call.run(verdict, session);
    if (calls.get(id) === call) calls.delete(id);
    if (!call.isMade) this.#endUnmade();
  }

  // In a session the end of an exchange is no withdrawal: that is a message. Later versions have no sessions.
  #sayWithdrawn({ id, params }: RequestMessage): void {
    if (this.#request.headers['mcp-session-id'] === undefined || envelopeVersion(metaOf(params)) !== undefined) return;
    const cancelled = { requestId: id, reason: 'toolspan: the time of this call is over' };
    this.#around.target.tell(
      this.#request,
      JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: cancelled }),
    );
  }

  // Withdrawn before the server has seen it: an answer without a message.
  #endUnmade(): void {
    const response = this.#response;
    if (response.destroyed || response.headersSent) return;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end();
  }

  #withdraw(message: unknown): void {
    const id = withdrawnBy(message);
    if (id !== undefined) this.#conversation.calls.get(id)?.withdraw();
  }

  // In place of the server, or after the beginning of what it has sent.
  #answer(message: object): void {
    const response = this.#response;
    this.#conversation.peers.fromServer(message);
    this.#over({ outcome: 'aborted' });
    const text = JSON.stringify(message);
    if (response.destroyed) return;
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
      response.end(text);
    } else if (this.#answerType.startsWith('text/event-stream') && !this.#isAmidEvent) {
      response.end(`event: message\ndata: ${text}\n\n`);
    } else {
      response.destroy();
    }
  }

  #see(bytes: Buffer): Seen {
    const messages = messagesIn(bytes);
    if (messages === undefined) {
      this.#unreadable = this.#saysJson;
      return { messages: [], passed: bytes, headers: {}, inside: undefined };
    }
    this.#asked = idsAsked(messages);
    const extra = { requestInfo: { headers: this.#request.headers } };
    const contexts = messages.map((message) => this.#conversation.peers.fromClient(message, extra));
    const [inside] = contexts;
    if (!this.#around.propagate) return { messages, passed: bytes, headers: {}, inside };
    return {
      messages,
      passed: annotated(bytes, messages, contexts),
      headers: traceHeaders(messages, contexts),
      inside,
    };
  }

  // -- what the server answers

  #ask(replaced: Replaced): ClientRequest {
    const upstream = this.#around.target.ask(this.#request, replaced);
    this.#upstream = upstream;
    const answered = this.#contained((answer: IncomingMessage) => this.#answered(answer));
    upstream.once('response', answered);
    upstream.on('error', (error: NodeJS.ErrnoException) => this.#unreachable(error));
    return upstream;
  }

  #answered(answer: IncomingMessage): void {
    this.#isAnswered = true;
    const { conversations } = this.#around;
    const conversation = this.#conversation;
    const status = answer.statusCode ?? 502;
    this.#answerType = (answer.headers['content-type'] ?? '').toLowerCase();
    if (status >= 500) this.#call?.failedWith(new Error(`HTTP ${status}`), () => {});
    const session = answer.headers['mcp-session-id'];
    if (typeof session === 'string') conversations.becomesSession(conversation, session);
    passAnswer(
      answer,
      this.#response,
      {
        unobserved: this.#around.unobserved,
        propagate: this.#around.propagate,
        rewrite: this.#rewrite,
        whole: this.#call !== undefined,
        isGivenUp: () => this.#givenUp,
        contained: this.#contained,
        onMessage: (message) => {
          // what it says has gone to the client by then
          if (isResponse(message) && this.#asked.includes(message.id)) {
            if (status < 300 && isRecord(message.result) && message.result['isError'] !== true)
              this.#noteLetIn(session);
            this.#learn?.(message);
            this.#call?.answeredWith(message, () => {});
          }
          return conversation.peers.fromServer(message, this.#asked.length === 0 ? undefined : this.#asked);
        },
        onEndpoint: (address) => {
          this.#ownsConversation = true;
          conversations.hasEndpoint(conversation, pathOf(address, this.#around.target.url));
        },
        onLongEvent: () => (this.#isAmidEvent = true),
        onResumable: () => (this.#resumable = true),
      },
      (complete, error) => {
        if (this.#givenUp) return;
        if (status >= 400) this.#refused(status, error);
        if (complete) this.#call?.answeredWith({}, () => {});
        else this.#call?.failedWith(new Error('the answer of the server broke off'), () => {});
        // accepted: the answer comes by an event stream
        if (status === 202) this.#resumable = true;
        this.#over({ outcome: 'aborted', ...(complete ? undefined : { errorType: 'ECONNRESET' }) });
        const ended = this.#request.method === 'DELETE' && status < 300;
        if (ended || status === 401 || status === 403 || status === 404) this.#around.callers.forget(this.#request);
        if (ended || (status === 404 && conversation.session !== undefined)) conversations.end(conversation);
      },
    );
  }

  // Digests are made only where they serve.
  #noteLetIn(session: string | string[] | undefined): void {
    const { callers, mediation } = this.#around;
    if (mediation?.hasTools === true) callers.letIn(this.#request, typeof session === 'string' ? session : undefined);
  }

  #refused(status: number, error: unknown): void {
    const ending = refusalEnding(status, error);
    for (const id of this.#asked) this.#conversation.peers.end(id, ending, status);
    if (this.#unreadable) this.#recordUnread(ending, status);
  }

  #unreachable(error: NodeJS.ErrnoException): void {
    const call = this.#call;
    // a call whose time is over has been ended here, and an answer says itself how it ends
    if (this.#isAnswered || this.#isOver || call?.isOpen === false) return;
    if (call === undefined) this.#sayUnreachable(error);
    else call.failedWith(error);
  }

  #sayUnreachable(error: NodeJS.ErrnoException): void {
    const ending: Ending = { outcome: 'aborted', errorType: error.code ?? error.name };
    if (this.#unreadable) this.#recordUnread(ending, undefined);
    this.#over(ending);
    if (this.#response.headersSent) this.#response.destroy();
    else this.#around.target.refuseUnreached(this.#response, error);
  }

  #recordUnread(ending: Ending, status: number | undefined): void {
    const { signals } = this.#around.door;
    const { headers } = this.#request;
    const header = (name: string): string | undefined => {
      const value = headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    const [startedAt, endedAt] = [this.#startedAt, signals.clock.now()];
    recordRefusal(signals, { startedAt, endedAt, method: header('mcp-method'), header, ending, status });
  }

  // What was asked here and is open still: a session may answer it by another exchange, if events can be asked for again.
  #over(ending: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { lasts, peers } = this.#conversation;
    // what only lasts as long as this exchange ends as its connection does
    if (!this.#resumable && (lasts || ending.errorType !== undefined)) {
      for (const id of this.#asked) peers.end(id, ending);
    }
    if (this.#ownsConversation || !lasts) this.#around.conversations.end(this.#conversation);
  }
}

function isDecided(mediation: Mediation, message: unknown): boolean {
  return isRequest(message) && mediation.verdictOn(message).by !== 'server';
}

function traceHeaders(messages: readonly unknown[], [inside]: readonly Context[]): Replaced {
  // one header cannot stand for several requests
  const added = messages.length === 1 && inside !== undefined ? traceContextFor(inside) : undefined;
  return added ?? {};
}

function pathOf(address: string, base: URL): string {
  try {
    const { pathname, search } = new URL(address, base);
    return `${pathname}${search}`;
  } catch {
    return address;
  }
}
