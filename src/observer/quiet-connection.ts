// One connection of a server whose telemetry is switched off: policies around tools stay, and nothing is recorded.
import { runningCalls, type RunningCall } from '../context.ts';
import { complainAboutFailure } from '../diagnostics.ts';
import { isRequest } from '../protocol/message.ts';
import { targetKindOf, targetOf } from '../protocol/method.ts';
import type { HandlerLayer } from './connection.ts';
import type { TransportObserver } from './transport.ts';

type Callback = (this: unknown, ...args: unknown[]) => unknown;

/** Sees that handlers have their policies, and passes everything on. */
export class QuietConnection implements TransportObserver {
  readonly #handlers: HandlerLayer;

  constructor(handlers: HandlerLayer) {
    this.#handlers = handlers;
  }

  receive(message: unknown, extra: unknown, handler: Callback, receiver: object): void {
    const call = this.#arrived(message);
    if (call === undefined) handler.call(receiver, message, extra);
    else runningCalls.run(call, () => handler.call(receiver, message, extra));
  }

  send(message: unknown, options: unknown, send: Callback, sender: object): unknown {
    return send.call(sender, message, options);
  }

  close(): void {}

  #arrived(message: unknown): RunningCall | undefined {
    try {
      if (!isRequest(message)) return undefined;
      const { method, params } = message;
      const kind = targetKindOf(method);
      const target = kind === undefined ? undefined : targetOf(kind, params);
      this.#handlers.arm(method, target);
      return { method, target, noteThrown: () => {}, noteEntered: () => {}, noteLeft: () => {} };
    } catch (error) {
      complainAboutFailure('reading a message', error);
      return undefined;
    }
  }
}
