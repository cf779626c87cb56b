// An operation of a connection with its signals: what the running call of a handler is.
import { context, isSpanContextValid, type Context } from '@opentelemetry/api';
import type { RunningCall } from '../context.ts';
import type { RequestReader } from '../logging/client-log.ts';
import type { DoorLog } from '../logging/door-log.ts';
import { userOf } from '../logging/identity.ts';
import type { CallUser } from '../logging/log-record.ts';
import type { MessageId, RequestMessage } from '../protocol/message.ts';
import { withMeta } from '../protocol/meta.ts';
import { Operation, type Direction } from '../protocol/operation.ts';
import type { Plain } from '../redaction/redactor.ts';
import type { Series } from '../stats/series.ts';
import type { OperationKind } from '../telemetry/kind.ts';
import type { OperationSpan } from '../telemetry/operation-span.ts';
import { metaFor } from '../telemetry/propagation.ts';
import type { Failures, Settled } from './failures.ts';
import type { Wire } from './wire.ts';

/** What the operations of one connection have in common. */
export interface Origin {
  readonly wire: Wire;
  readonly log: DoorLog | undefined;
  readonly failures: Failures;
}

/** An operation under way on a connection. */
export class LiveOperation extends Operation implements RunningCall {
  kind: OperationKind;
  span: OperationSpan | undefined;
  /** The series that counts it as in flight. */
  countedIn: Series | undefined;
  /** The protocol revision it was sent under, where known. */
  readonly version: string | undefined;
  /** The context it was begun in. */
  readonly askedIn: Context = context.active();
  readonly #origin: Origin;
  /** Whether the transport has taken it. */
  handedOver = false;
  /** What was handed over, while it is still being delivered. */
  answer: (Settled & { readonly at: number }) | undefined;
  /** When the one who asked withdrew it, where its span waits for an answer that comes all the same. */
  withdrawnAt: number | undefined;
  /** The client as a reader of what it logs. */
  clientLog: RequestReader | undefined;
  /** What is known of its content, where somebody reads that. */
  facts: Record<string, Plain> | undefined;
  #authInfo: unknown;
  #user: { readonly is: CallUser | undefined } | undefined;
  #left = false;
  #onLeft: (() => void) | undefined;
  /** Stops waiting for the caller's withdrawal, where that comes by a signal. */
  stopWatching: (() => void) | undefined;

  constructor(
    origin: Origin,
    direction: Direction,
    method: string,
    target: string | undefined,
    id: MessageId | undefined,
    startedAt: number,
    kind: OperationKind,
    version: string | undefined,
  ) {
    super(direction, method, target, id, startedAt);
    this.#origin = origin;
    this.kind = kind;
    this.version = version;
  }

  get requestId(): string | undefined {
    return this.id === undefined ? undefined : String(this.id);
  }

  get sessionId(): string | undefined {
    return this.#origin.wire.sessionId();
  }

  get user(): CallUser | undefined {
    // worked out once: a hash takes its time
    this.#user ??= { is: userOf(this.#authInfo, this.log?.identity ?? 'dropped') };
    return this.#user.is;
  }

  get log(): DoorLog | undefined {
    return this.#origin.log;
  }

  get failures(): Failures {
    return this.#origin.failures;
  }

  /** The trace it is part of; undefined where it is part of none. */
  get traceId(): string | undefined {
    const spanContext = this.span?.span.spanContext();
    return spanContext === undefined || !isSpanContextValid(spanContext) ? undefined : spanContext.traceId;
  }

  /** Keeps who called, as the transport has verified it. */
  identify(authInfo: unknown): void {
    this.#authInfo = authInfo;
  }

  override noteLeft(returned?: unknown): void {
    super.noteLeft(returned);
    this.#left = true;
    this.#onLeft?.();
  }

  /** Calls back when its handler is done: at once where that is so by now. */
  whenLeft(done: () => void): void {
    if (this.#left) done();
    else this.#onLeft = done;
  }
}

/** What is sent for an operation: its receiver joins our trace by what stands in `_meta`. The caller's object is left as it is. */
export function withTraceContext(operation: LiveOperation, message: unknown): unknown {
  const added = operation.span === undefined ? undefined : metaFor(operation.span.context);
  return added === undefined ? message : withMeta(message as RequestMessage, added);
}

/** Whether an answer is still waited for. */
export function isUnanswered({ answer, withdrawnAt }: LiveOperation): boolean {
  return answer === undefined && withdrawnAt === undefined;
}
