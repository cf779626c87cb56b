// Mediation over stdio: lines of a client and a server pass through here, and some are held, answered or added to.
import { context, type Context } from '@opentelemetry/api';
import { withdrawnBy } from '../protocol/cancellation.ts';
import {
  isRequest,
  isResponse,
  type MessageId,
  type RequestMessage,
  type ResponseMessage,
} from '../protocol/message.ts';
import { MediatedCall } from './mediated-call.ts';
import { elementsAt, isArrayAt, objectAt, spaceEnd } from './json-bytes.ts';
import { answerTo, failureResult, type Caller, type Mediation, type Verdict } from './mediation.ts';

/** Where the lines go. */
export interface Ends {
  readonly toServer: (line: Buffer) => void;
  /** An answer of the proxy itself; it is to be observed too. Its id is to be written like this. */
  readonly answer: (message: object, idText: string) => void;
  readonly toClient: (line: Buffer) => void;
}

const LINE_FEED = Buffer.from('\n');
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
   * What goes on to the server for a line of the client; nothing where it is held. Of a batch each message is decided about by
   * itself.
   *
   * @param inside the context of each message.
   */
  fromClient(line: Buffer, messages: readonly unknown[], inside: readonly Context[]): Buffer | undefined {
    return throughEach(line, messages, (bytes, message, index) => {
      if (!isRequest(message)) return this.#isHeldBack(message) ? undefined : bytes;
      const verdict = this.#mediation.verdictOn(message);
      if (verdict.by === 'server') {
        if (this.#mediation.readsAnswerTo(message)) this.#reading.set(message.id, message.method);
        return bytes;
      }
      const kept = Buffer.from(bytes);
      context.with(inside[index] ?? context.active(), () => this.#decide(message, verdict, kept));
      return undefined;
    });
  }

  /** What goes on to the client for a line of the server; nothing where it is held or too late. */
  fromServer(line: Buffer, messages: readonly unknown[]): Buffer | undefined {
    return throughEach(line, messages, (bytes, message) =>
      isResponse(message) ? this.#answered(bytes, message) : bytes,
    );
  }

  #answered(bytes: Buffer, message: ResponseMessage): Buffer | undefined {
    if (this.#abandoned.delete(message.id)) return undefined;
    const method = this.#reading.get(message.id);
    if (method !== undefined) {
      this.#reading.delete(message.id);
      this.#mediation.learn(method, message);
      return this.#mediation.changedAnswer(method, bytes, message);
    }
    const call = this.#calls.get(message.id);
    // a second answer to one id is to somebody else's call
    if (call === undefined || call.isAnswered) return bytes;
    const kept = Buffer.from(bytes);
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
    if (verdict.by === 'proxy') void this.#answerLocally(request, verdict.answer, line);
    else void this.#callUnder(request, verdict, line);
  }

  async #answerLocally(
    request: RequestMessage,
    answer: (caller: Caller) => Promise<object>,
    line: Buffer,
  ): Promise<void> {
    const call = { withdrawn: false };
    this.#local.set(request.id, call);
    this.#held++;
    const result = await answer(CALLER).catch(failureResult);
    this.#local.delete(request.id);
    if (!call.withdrawn) this.#answer(request, result, line);
    this.#letGo();
  }

  async #callUnder(request: RequestMessage, verdict: Parameters<MediatedCall['run']>[0], line: Buffer): Promise<void> {
    const { id } = request;
    const { toServer } = this.#ends;
    const answer = (result: object): void => this.#answer(request, result, line);
    const call = new MediatedCall({
      make: () => {
        toServer(line);
        this.#letGo();
      },
      withdraw: () => {
        this.#abandon(id);
        const reason = 'toolspan: the time of this call is over';
        const params = `{"requestId":${idTextOf(request, line)},"reason":"${reason}"}`;
        toServer(Buffer.from(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}\n`));
      },
      answer,
      fail: (error) => answer(failureResult(error)),
    });
    // whoever uses an id again gives up what it stood for: its slots must not wait for an answer that is the other's
    this.#calls.get(id)?.withdraw();
    this.#calls.set(id, call);
    this.#held++;
    await call.run(verdict, undefined);
    if (this.#calls.get(id) === call) this.#calls.delete(id);
    if (!call.isMade) this.#letGo();
  }

  #answer(request: RequestMessage, result: object, line: Buffer): void {
    this.#ends.answer(answerTo(request, result), idTextOf(request, line));
  }

  #abandon(id: MessageId): void {
    this.#abandoned.add(id);
    const [oldest] = this.#abandoned;
    if (this.#abandoned.size > MAX_ABANDONED && oldest !== undefined) this.#abandoned.delete(oldest);
  }

  // A withdrawal of what the server has never seen is not for it.
  #isHeldBack(message: unknown): boolean {
    const id = withdrawnBy(message);
    if (id === undefined) return false;
    const local = this.#local.get(id);
    const call = this.#calls.get(id);
    if (local !== undefined) local.withdrawn = true;
    call?.withdraw();
    return local !== undefined || call?.isMade === false;
  }
}

// A number may have more digits than can be held here: it goes back as it came.
function idTextOf({ id }: RequestMessage, line: Buffer): string {
  if (typeof id === 'string' || Number.isSafeInteger(id)) return JSON.stringify(id);
  const range = objectAt(line, spaceEnd(line, 0)).last('id');
  return range === undefined ? 'null' : line.toString('utf8', range.from, range.to);
}

/** What goes on for a line, where for each message in it other bytes, the same, or none may go on. */
function throughEach(
  line: Buffer,
  messages: readonly unknown[],
  decide: (bytes: Buffer, message: unknown, index: number) => Buffer | undefined,
): Buffer | undefined {
  const at = spaceEnd(line, 0);
  if (!isArrayAt(line, at)) return messages.length === 0 ? line : decide(line, messages[0], 0);
  const passed: Buffer[] = [];
  let isChanged = false;
  for (const [index, { from, to }] of elementsAt(line, at).entries()) {
    const bytes = Buffer.concat([line.subarray(from, to), LINE_FEED]);
    const decided = decide(bytes, messages[index], index);
    isChanged ||= decided !== bytes;
    if (decided !== undefined) passed.push(decided);
  }
  if (!isChanged) return line;
  return passed.length === 0
    ? undefined
    : Buffer.from(
        `[${passed
          .map((bytes) => bytes.toString('utf8'))
          .join(',')
          .replaceAll('\n', '')}]\n`,
      );
}
