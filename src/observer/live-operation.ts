// An operation of a connection with its signals: what the running call of a handler is.
import { context, type Context } from '@opentelemetry/api';
import type { RunningCall } from '../context.ts';
import type { MessageId, RequestMessage } from '../protocol/message.ts';
import { withMeta } from '../protocol/meta.ts';
import { Operation, type Direction } from '../protocol/operation.ts';
import type { Ending } from '../protocol/outcome.ts';
import type { OperationKind } from '../telemetry/kind.ts';
import type { OperationSpan } from '../telemetry/operation-span.ts';
import { metaFor } from '../telemetry/propagation.ts';

/** An operation under way on a connection. */
export class LiveOperation extends Operation implements RunningCall {
  kind: OperationKind;
  span: OperationSpan | undefined;
  /** The protocol revision it was sent under, where known. */
  readonly version: string | undefined;
  /** The context it was begun in. */
  readonly askedIn: Context = context.active();
  /** What was answered, while the answer is still being delivered. */
  answer: { readonly ending: Ending; readonly at: number } | undefined;
  #left = false;
  #onLeft: (() => void) | undefined;
  /** Stops waiting for the caller's withdrawal, where that comes by a signal. */
  stopWatching: (() => void) | undefined;

  constructor(
    direction: Direction,
    method: string,
    target: string | undefined,
    id: MessageId | undefined,
    startedAt: number,
    kind: OperationKind,
    version: string | undefined,
  ) {
    super(direction, method, target, id, startedAt);
    this.kind = kind;
    this.version = version;
  }

  noteLeft(): void {
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

/** Whether nothing has been answered yet. */
export function isUnanswered({ answer }: LiveOperation): boolean {
  return answer === undefined;
}
