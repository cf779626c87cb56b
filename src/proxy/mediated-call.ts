// One call under a policy: made when the policy lets it through, and answered by the server, or by the proxy where the policy
// refuses it or its time is over.
import { blamesCaller, isUrlElicitation } from '../protocol/outcome.ts';
import { isRecord } from '../protocol/message.ts';
import type { Verdict } from './mediation.ts';

/** What a call does to its surroundings. */
export interface CallEnds {
  /** Sends the request on. */
  readonly make: () => void;
  /** Tells the server that nobody waits any more. */
  readonly withdraw: () => void;
  /** Answers instead of the server, with a result. */
  readonly answer: (result: object) => void;
  /** Answers instead of the server, with what went wrong. */
  readonly fail: (error: unknown) => void;
}

/** A call that a policy decides about. */
export class MediatedCall {
  readonly #ends: CallEnds;
  readonly #withdrawal = new AbortController();
  #settle: PromiseWithResolvers<unknown> | undefined;
  /** Passes on what the server has answered, once it has. */
  #pass: (() => void) | undefined;
  #isOver = false;

  constructor(ends: CallEnds) {
    this.#ends = ends;
  }

  /** Whether it has been sent on to the server. */
  get isMade(): boolean {
    return this.#settle !== undefined;
  }

  /** Whether the server has answered it. */
  get isAnswered(): boolean {
    return this.#pass !== undefined;
  }

  /** Whether the server may still answer it, and somebody waits for that. */
  get isOpen(): boolean {
    return !this.#isOver && !this.isAnswered && !this.#withdrawal.signal.aborted;
  }

  /**
   * Lets the policy decide. Never rejects.
   *
   * @param session the MCP session, where there is one.
   */
  async run({ policy, input }: Extract<Verdict, { by: 'policy' }>, session: string | undefined): Promise<void> {
    const { answer, fail } = this.#ends;
    const run = policy.run(({ signal }) => this.#make(signal), { signal: this.#withdrawal.signal, session, input });
    const [value, error] = await run.then(
      (result) => [result, undefined] as const,
      (reason: unknown) => [undefined, { reason }] as const,
    );
    this.#isOver = true;
    if (this.#pass !== undefined) this.#pass();
    else if (this.#withdrawal.signal.aborted) return;
    else if (error !== undefined) fail(error.reason);
    else if (isRecord(value)) answer(value);
  }

  /**
   * The server has answered with this message. By what it says, a caller's mistake and a tool error are no failures.
   *
   * @param pass passes the answer on, when the policy has taken note of it.
   */
  answeredWith(message: unknown, pass: () => void): void {
    if (!this.isOpen) return;
    this.#pass = pass;
    const { result, error } = isRecord(message) ? message : {};
    const code = isRecord(error) ? error['code'] : undefined;
    const isNoFailure =
      error === undefined || isUrlElicitation(error) || (typeof code === 'number' && blamesCaller(code));
    if (isNoFailure) this.#settle?.resolve(result);
    else this.#settle?.reject(new Error(`the server answered with the error ${String(code)}`));
  }

  /**
   * The server has failed without a message.
   *
   * @param pass given where the client has been told of it by other means.
   */
  failedWith(error: Error, pass?: () => void): void {
    if (!this.isOpen) return;
    this.#pass = pass;
    this.#settle?.reject(error);
  }

  /** The client has withdrawn it. */
  withdraw(): void {
    this.#withdrawal.abort();
  }

  #make(signal: AbortSignal): Promise<unknown> {
    const settle = Promise.withResolvers<unknown>();
    this.#settle = settle;
    signal.addEventListener('abort', () => {
      // the client's own withdrawal reaches the server as it was sent
      if (this.isOpen) this.#ends.withdraw();
      settle.reject(signal.reason instanceof Error ? signal.reason : new Error('withdrawn'));
    });
    this.#ends.make();
    return settle.promise;
  }
}
