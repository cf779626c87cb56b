// Mediation over stdio: lines of a client and a server pass through here, and some are held, answered or added to.
import { context, type Context } from '@opentelemetry/api';
import { isNotification, isResponse, type MessageId, type RequestMessage } from '../protocol/message.ts';
import { MediatedCall } from './mediated-call.ts';
import { answerTo, failureResult, onlyRequest, type Caller, type Mediation, type Verdict } from './mediation.ts';

/** Where the lines go. */
export interface Ends {
  readonly toServer: (line: Buffer) => void;
  /** An answer of the proxy itself; it is to be observed too. */
  readonly answer: (message: object) => void;
  readonly toClient: (line: Buffer) => void;
}

const MAX_ABANDONED = 1_000;
// whoever runs this process
const CALLER: Caller = { remote: false, session: undefined };

/** Holds what is decided about. */
export class StdioMediator {
  readonly #mediation: Mediation;
  readonly #ends: Ends;
  readonly #calls = new Map<MessageId, MediatedCall>();
  /** Calls that are answered here, and withdrawn or not. */
  readonly #local = new Map<MessageId, { withdrawn: boolean }>();
  /** The methods of requests whose answer is read. */
  readonly #reading = new Map<MessageId, string>();
  /** Calls that were answered here: what the server says of them later is for nobody. */
  readonly #abandoned = new Set<MessageId>();
  /** How many requests are held: not sent on, and not answered. */
  #held = 0;
  #whenNothingIsHeld: (() => void) | undefined;

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
    const verdict = this.#mediation.verdictOn(request);
    if (verdict.by === 'server') {
      if (this.#mediation.readsAnswerTo(request)) this.#reading.set(request.id, request.method);
      return line;
    }
    const kept = Buffer.from(line);
    context.with(inside[0] ?? context.active(), () => this.#decide(request, verdict, kept));
    return undefined;
  }

  /** What goes on to the client for a line of the server; nothing where it is held or too late. */
  fromServer(line: Buffer, messages: readonly unknown[]): Buffer | undefined {
    const [message] = messages;
    if (messages.length !== 1 || !isResponse(message)) return line;
    if (this.#abandoned.delete(message.id)) return undefined;
    const method = this.#reading.get(message.id);
    if (method !== undefined) {
      this.#reading.delete(message.id);
      this.#mediation.learn(method, message);
      return this.#mediation.changedAnswer(method, line, message);
    }
    const call = this.#calls.get(message.id);
    if (call === undefined) return line;
    const kept = Buffer.from(line);
    call.answeredWith(message, () => this.#ends.toClient(kept));
    return undefined;
  }

  /** Calls back once, when all that is held by then has been sent on or answered; at once where nothing is. */
  whenNothingIsHeld(then: () => void): void {
    if (this.#held === 0) then();
    else this.#whenNothingIsHeld = then;
  }

  #letGo(): void {
    this.#held--;
    if (this.#held > 0) return;
    const then = this.#whenNothingIsHeld;
    this.#whenNothingIsHeld = undefined;
    then?.();
  }

  #decide(request: RequestMessage, verdict: Exclude<Verdict, { by: 'server' }>, line: Buffer): void {
    if (verdict.by === 'proxy') void this.#answerLocally(request, verdict.answer);
    else void this.#callUnder(request, verdict, line);
  }

  async #answerLocally(request: RequestMessage, answer: (caller: Caller) => Promise<object>): Promise<void> {
    const call = { withdrawn: false };
    this.#local.set(request.id, call);
    this.#held++;
    const result = await answer(CALLER).catch(failureResult);
    this.#local.delete(request.id);
    if (!call.withdrawn) this.#ends.answer(answerTo(request, result));
    this.#letGo();
  }

  async #callUnder(request: RequestMessage, verdict: Parameters<MediatedCall['run']>[0], line: Buffer): Promise<void> {
    const { id } = request;
    const { toServer } = this.#ends;
    const answer = (result: object): void => this.#ends.answer(answerTo(request, result));
    const call = new MediatedCall({
      make: () => {
        toServer(line);
        this.#letGo();
      },
      withdraw: () => {
        this.#abandon(id);
        const params = { requestId: id, reason: 'toolspan: the time of this call is over' };
        toServer(Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params })}\n`));
      },
      answer,
      fail: (error) => answer(failureResult(error)),
    });
    this.#calls.set(id, call);
    this.#held++;
    await call.run(verdict, undefined);
    this.#calls.delete(id);
    if (!call.isMade) this.#letGo();
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
    if (local !== undefined) local.withdrawn = true;
    call?.withdraw();
    return local !== undefined || call?.isMade === false;
  }
}
