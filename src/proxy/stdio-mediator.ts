// Mediation over stdio: lines of a client and a server pass through here, and some are held, answered or added to.
import { context, type Context } from '@opentelemetry/api';
import { isNotification, isResponse, type MessageId, type RequestMessage } from '../protocol/message.ts';
import { MediatedCall } from './mediated-call.ts';
import { failureResult, onlyRequest, type Mediation, type Verdict } from './mediation.ts';

/** Where the lines go. */
export interface Ends {
  readonly toServer: (line: Buffer) => void;
  /** An answer of the proxy itself; it is to be observed too. */
  readonly answer: (message: object) => void;
  readonly toClient: (line: Buffer) => void;
}

const MAX_ABANDONED = 1_000;

/** Holds what is decided about. */
export class StdioMediator {
  readonly #mediation: Mediation;
  readonly #ends: Ends;
  readonly #calls = new Map<MessageId, MediatedCall>();
  readonly #local = new Map<MessageId, AbortController>();
  readonly #changing = new Map<MessageId, string>();
  /** Calls that were answered here: what the server says of them later is for nobody. */
  readonly #abandoned = new Set<MessageId>();

  constructor(mediation: Mediation, ends: Ends) {
    this.#mediation = mediation;
    this.#ends = ends;
  }

  /**
   * What goes on to the server for a line of the client; nothing where it is held.
   *
   * @param inside the context of each message.
   */
  fromClient(line: Buffer, messages: readonly unknown[], inside: readonly Context[]): Buffer | undefined {
    const request = onlyRequest(messages);
    if (request === undefined) return this.#isHeldBack(messages) ? undefined : line;
    if (this.#mediation.changesAnswerTo(request)) this.#changing.set(request.id, request.method);
    const verdict = this.#mediation.verdictOn(request);
    if (verdict.by === 'server') return line;
    const kept = Buffer.from(line);
    context.with(inside[0] ?? context.active(), () => this.#decide(request, verdict, kept));
    return undefined;
  }

  /** What goes on to the client for a line of the server; nothing where it is held or too late. */
  fromServer(line: Buffer, messages: readonly unknown[]): Buffer | undefined {
    const [message] = messages;
    if (messages.length !== 1 || !isResponse(message)) return line;
    if (this.#abandoned.delete(message.id)) return undefined;
    const method = this.#changing.get(message.id);
    this.#changing.delete(message.id);
    if (method !== undefined) return this.#mediation.changedAnswer(method, line, message);
    const call = this.#calls.get(message.id);
    if (call === undefined) return line;
    const kept = Buffer.from(line);
    call.answeredWith(message, () => this.#ends.toClient(kept));
    return undefined;
  }

  #decide(request: RequestMessage, verdict: Exclude<Verdict, { by: 'server' }>, line: Buffer): void {
    if (verdict.by === 'proxy') void this.#answerLocally(request, verdict.answer);
    else void this.#callUnder(request, verdict.policy, line);
  }

  async #answerLocally({ id }: RequestMessage, answer: (signal: AbortSignal) => Promise<object>): Promise<void> {
    const abort = new AbortController();
    this.#local.set(id, abort);
    const result = await answer(abort.signal).catch(failureResult);
    this.#local.delete(id);
    if (!abort.signal.aborted) this.#ends.answer({ jsonrpc: '2.0', id, result });
  }

  async #callUnder({ id }: RequestMessage, policy: Parameters<MediatedCall['run']>[0], line: Buffer): Promise<void> {
    const { toServer, answer } = this.#ends;
    const call = new MediatedCall({
      make: () => toServer(line),
      withdraw: () => {
        this.#abandon(id);
        const params = { requestId: id, reason: 'toolspan: the time of this call is over' };
        toServer(Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params })}\n`));
      },
      answer: (result) => answer({ jsonrpc: '2.0', id, result }),
      fail: (error) => answer({ jsonrpc: '2.0', id, result: failureResult(error) }),
    });
    this.#calls.set(id, call);
    await call.run(policy);
    this.#calls.delete(id);
  }

  #abandon(id: MessageId): void {
    this.#abandoned.add(id);
    const [oldest] = this.#abandoned;
    if (this.#abandoned.size > MAX_ABANDONED && oldest !== undefined) this.#abandoned.delete(oldest);
  }

  // A withdrawal of what the server has never seen is not for it.
  #isHeldBack(messages: readonly unknown[]): boolean {
    const [message] = messages;
    if (messages.length !== 1 || !isNotification(message) || message.method !== 'notifications/cancelled') return false;
    const id = message.params?.['requestId'] as MessageId;
    const local = this.#local.get(id);
    const call = this.#calls.get(id);
    local?.abort();
    call?.withdraw();
    return local !== undefined || call?.isMade === false;
  }
}
