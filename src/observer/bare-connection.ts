// One connection of a server whose telemetry is switched off: failures are still told to the client as they should be, and
// nothing is recorded.
import { context } from '@opentelemetry/api';
import { runningCall, type RunningCall } from '../context.ts';
import { complainAboutFailure } from '../diagnostics.ts';
import { isRequest, isResponse } from '../protocol/message.ts';
import { envelopeVersion, metaOf } from '../protocol/meta.ts';
import { targetKindOf, targetOf } from '../protocol/method.ts';
import { InFlight, Operation } from '../protocol/operation.ts';
import { runCall } from '../telemetry/call-context.ts';
import type { HandlerLayer } from './door.ts';
import type { Failures } from './failures.ts';
import type { TransportObserver } from './transport.ts';

type Handler = (message: unknown, extra: unknown) => void;
type Send = (message: unknown, options: unknown) => unknown;

class BareOperation extends Operation implements RunningCall {
  readonly failures: Failures;
  readonly version: string | undefined;

  constructor(failures: Failures, method: string, target: string | undefined, id: string | number, version?: string) {
    super('in', method, target, id, 0);
    this.failures = failures;
    this.version = version;
  }
}

/** Keeps what handlers throw until the answer goes out. */
export class BareConnection implements TransportObserver {
  readonly #failures: Failures;
  readonly #handlers: HandlerLayer;
  #inFlight = new InFlight<BareOperation>();

  constructor(failures: Failures, handlers: HandlerLayer) {
    this.#failures = failures;
    this.#handlers = handlers;
  }

  receive(message: unknown, extra: unknown, handler: Handler, receiver: object): void {
    const operation = this.#arrived(message);
    if (operation === undefined) handler.call(receiver, message, extra);
    else runCall(operation, context.active(), handler, receiver, message, extra);
  }

  send(message: unknown, options: unknown, send: Send, sender: object): unknown {
    return send.call(sender, this.#settled(message), options);
  }

  inputEnded(): void {}

  close(): void {
    this.#inFlight = new InFlight();
  }

  #arrived(message: unknown): BareOperation | undefined {
    try {
      if (!isRequest(message)) return undefined;
      const { id, method, params } = message;
      const kind = targetKindOf(method);
      const target = kind === undefined ? undefined : targetOf(kind, params);
      const operation = new BareOperation(this.#failures, method, target, id, envelopeVersion(metaOf(params)));
      this.#inFlight.add(id, operation);
      this.#handlers.arm(method, target);
      return operation;
    } catch (error) {
      complainAboutFailure('reading a message', error);
      return undefined;
    }
  }

  #settled(message: unknown): unknown {
    try {
      if (!isResponse(message)) return message;
      const operation = this.#inFlight.find(message.id, runningCall);
      if (operation === undefined) return message;
      this.#inFlight.remove(message.id, operation);
      return this.#failures.settle(operation, message, operation.version).outgoing;
    } catch (error) {
      complainAboutFailure('reading an answer', error);
      return message;
    }
  }
}
