// The heart all doors share: it sees every message of one connection, keeps the operations in flight, and ends each once.
import { context, trace, type Context, type Span } from '@opentelemetry/api';
import { runningCalls } from '../context.ts';
import { complainAboutFailure } from '../diagnostics.ts';
import {
  isNotification,
  isRecord,
  isRequest,
  isResponse,
  type MessageId,
  type NotificationMessage,
  type RequestMessage,
  type ResponseMessage,
} from '../protocol/message.ts';
import { envelopeVersion, metaOf, TRACEPARENT } from '../protocol/meta.ts';
import { targetKindOf, targetOf } from '../protocol/method.ts';
import { InFlight, type Direction } from '../protocol/operation.ts';
import { endingOf, type Ending } from '../protocol/outcome.ts';
import { readToolAnswer } from '../protocol/sdk-quirks.ts';
import { trackConnection } from '../state/connections.ts';
import { exceptionType } from '../telemetry/exception.ts';
import type { OperationKinds } from '../telemetry/kind.ts';
import { OTHER } from '../telemetry/names.ts';
import type { Signals } from '../telemetry/signals.ts';
import { ABORTED_IN, ABORTED_OUT, CANCELLED, EXPIRED, OK, showsTarget, TIMED_OUT } from './endings.ts';
import { noteDispatched } from './exchange.ts';
import { forgetExpiry, watchExpiry } from './expiry.ts';
import { isUnanswered, LiveOperation, withTraceContext } from './live-operation.ts';
import type { KnownNames } from './names.ts';
import { joinRound, rememberRound } from './rounds.ts';
import { headersOf, versionHeaderOf, type Wire } from './wire.ts';

/** Sees that the handlers of the application note what they throw. */
export interface HandlerLayer {
  /** Called before a message is delivered; the handler that will serve it may have been registered at any time. */
  arm(method: string, target: string | undefined): void;
}

/** What a door brings along for all its connections. */
export interface Door {
  readonly signals: Signals;
  readonly names: KnownNames;
  readonly handlers: HandlerLayer;
  /** Longest time an operation may stay open, in ms. */
  readonly maxOperationMs: number;
}

type Handler = (message: unknown, extra: unknown) => void;
type Send = (message: unknown, options: unknown) => unknown;

const MODERN = '2026-07-28';

/** One connection of a server or client, from `connect` to its close. */
export class Connection {
  readonly #door: Door;
  readonly #wire: Wire;
  readonly #kinds: Readonly<Record<Direction, OperationKinds>>;
  readonly #in = new InFlight<LiveOperation>();
  readonly #out = new InFlight<LiveOperation>();
  readonly #notifications = new Set<LiveOperation>();
  readonly #connectedUnder: Span | undefined = trace.getSpan(context.active());
  readonly #untrack: () => void;
  #handedOver: LiveOperation[] = [];
  readonly #endHandedOver = (): void => {
    const operations = this.#handedOver;
    this.#handedOver = [];
    for (const operation of operations) this.#end(operation, OK);
  };
  #version: string | undefined;
  #session: { readonly startedAt: number; readonly direction: Direction } | undefined;

  constructor(door: Door, wire: Wire) {
    this.#door = door;
    this.#wire = wire;
    const { server: _, ...receiving } = wire.network;
    this.#kinds = { in: door.signals.kindsOver(receiving), out: door.signals.kindsOver(wire.network) };
    this.#untrack = trackConnection(this);
    door.signals.metrics.prepare();
  }

  /** How many operations are in flight, both ways. */
  get inFlight(): number {
    return this.#in.size + this.#out.size + this.#notifications.size;
  }

  /** Delivers what came from the peer, inside the context of its operation. Synchronous, as the SDKs need it. */
  receive(message: unknown, extra: unknown, handler: Handler, receiver: object): void {
    let operation: LiveOperation | undefined;
    try {
      noteDispatched();
      operation = this.#arrived(message, extra);
    } catch (error) {
      complainAboutFailure('reading a message', error);
    }
    if (operation === undefined) {
      handler.call(receiver, message, extra);
      return;
    }
    if (operation.direction === 'out') {
      // an answer is for the one who asked: what follows it is not part of the operation it ends
      context.with(operation.askedIn, handler, receiver, message, extra);
      return;
    }
    const inside = operation.span?.context ?? context.active();
    try {
      runningCalls.run(operation, deliver, inside, handler, receiver, message, extra);
    } finally {
      if (operation.id === undefined) this.#endWhenHandled(operation);
    }
  }

  /** Hands on what goes to the peer, at once: the SDKs decide the HTTP status during this very call. */
  send(message: unknown, options: unknown, send: Send, sender: object): unknown {
    let operation: LiveOperation | undefined;
    let outgoing = message;
    try {
      operation = isResponse(message) ? this.#answering(message) : this.#asking(message, options);
      if (operation?.direction === 'out') outgoing = withTraceContext(operation, message);
    } catch (error) {
      complainAboutFailure('reading a message', error);
    }
    if (operation === undefined) return send.call(sender, outgoing, options);
    let sent: unknown;
    try {
      sent =
        operation.direction === 'out' && operation.span !== undefined
          ? context.with(operation.span.context, send, sender, outgoing, options)
          : send.call(sender, outgoing, options);
    } catch (error) {
      this.#undelivered(operation, error);
      throw error;
    }
    this.#settle(operation, sent);
    return sent;
  }

  /** Ends a request of the peer that no answer will end, as where HTTP refused it; harmless where it was answered. */
  endRequest(id: MessageId, ending: Ending): void {
    const operation = this.#in.find(id);
    if (operation !== undefined) this.#end(operation, ending);
  }

  /** Ends everything that is in flight: the connection is gone, or the telemetry of the process stops. */
  close(): void {
    this.#untrack();
    forgetExpiry(this);
    for (const operation of this.#in) this.#end(operation, this.#cancelsByClosing(operation) ? CANCELLED : ABORTED_IN);
    for (const operation of this.#out) this.#end(operation, ABORTED_OUT);
    for (const operation of this.#notifications) this.#end(operation, ABORTED_IN);
    this.#endSession();
  }

  /** Ends what has been open for longer than the door allows; true where something is still in flight. */
  expire(): boolean {
    const before = this.#door.signals.clock.now() - this.#door.maxOperationMs;
    for (const operations of [this.#in, this.#out, this.#notifications]) {
      for (const operation of operations) if (operation.startedAt <= before) this.#end(operation, EXPIRED);
    }
    return this.inFlight > 0;
  }

  // -- what comes in

  #arrived(message: unknown, extra: unknown): LiveOperation | undefined {
    if (isRequest(message)) {
      const operation = this.#begin('in', message, message.id, extra);
      this.#in.add(message.id, operation);
      this.#door.signals.metrics.addActive(operation.kind.methodLabel, 1);
      watchExpiry(this, this.#door.maxOperationMs);
      this.#armHandler(operation);
      return operation;
    }
    if (isNotification(message)) {
      const operation = this.#begin('in', message, undefined, extra);
      if (message.method === 'notifications/cancelled') this.#withdraw(this.#in, message);
      this.#armHandler(operation);
      return operation;
    }
    return isResponse(message) ? this.#answered(message) : undefined;
  }

  #armHandler({ method, target }: LiveOperation): void {
    try {
      this.#door.handlers.arm(method, target);
    } catch (error) {
      complainAboutFailure('observing a handler', error);
    }
  }

  // The SDKs start the handler of a notification in a microtask; where none starts, it ends with its delivery.
  #endWhenHandled(operation: LiveOperation): void {
    queueMicrotask(() => {
      if (!operation.entered) {
        this.#end(operation, OK);
      } else if (operation.ending === undefined) {
        this.#notifications.add(operation);
        watchExpiry(this, this.#door.maxOperationMs);
        operation.whenLeft(() => {
          const { thrown } = operation;
          this.#end(
            operation,
            thrown === undefined ? OK : { outcome: 'protocol_error', errorType: exceptionType(thrown.value) },
          );
        });
      }
    });
  }

  #answered(response: ResponseMessage): LiveOperation | undefined {
    const operation = this.#out.find(response.id);
    if (operation === undefined) return undefined;
    const ending = endingOf(response, false);
    if (showsTarget(ending)) this.#learnFrom(operation, response.result);
    this.#end(operation, ending);
    return operation;
  }

  // -- what goes out

  #answering(message: unknown): LiveOperation | undefined {
    if (!isResponse(message)) return undefined;
    const operation = this.#in.find(message.id, runningCalls.getStore(), isUnanswered);
    if (operation === undefined || operation.answer !== undefined) return undefined;
    const ending = readToolAnswer(operation, message, endingOf(message, true));
    operation.answer = { ending, at: this.#door.signals.clock.now() };
    if (showsTarget(ending)) this.#learnFrom(operation, message.result);
    return operation;
  }

  #asking(message: unknown, options: unknown): LiveOperation | undefined {
    if (isRequest(message)) {
      const operation = this.#begin('out', message, message.id, undefined);
      this.#out.add(message.id, operation);
      watchExpiry(this, this.#door.maxOperationMs);
      this.#watchSignal(operation, options);
      return operation;
    }
    if (!isNotification(message)) return undefined;
    const operation = this.#begin('out', message, undefined, undefined);
    this.#notifications.add(operation);
    if (message.method === 'notifications/cancelled') {
      this.#withdraw(this.#out, message);
    }
    return operation;
  }

  // A slow pipe may take long to accept an answer: the end comes when that is settled, with the time it was handed over.
  #settle(operation: LiveOperation, sent: unknown): void {
    const asked = operation.direction === 'out' && operation.id !== undefined;
    if (sent instanceof Promise) {
      sent.then(asked ? undefined : () => this.#endSoon(operation), (error: unknown) =>
        this.#undelivered(operation, error),
      );
    } else if (!asked) {
      this.#endSoon(operation);
    }
  }

  // Over a real wire all answers of this turn go out first; recording them waits. The peer in memory is in this process,
  // and may look at once.
  #endSoon(operation: LiveOperation): void {
    if (this.#wire.network.transport === undefined) this.#end(operation, OK);
    else if (this.#handedOver.push(operation) === 1) process.nextTick(this.#endHandedOver);
  }

  #undelivered(operation: LiveOperation, error: unknown): void {
    operation.answer = undefined;
    this.#end(operation, { outcome: 'aborted', errorType: exceptionType(error) });
  }

  // Over modern HTTP a client withdraws a request by a signal and no message.
  #watchSignal(operation: LiveOperation, options: unknown): void {
    const signal = isRecord(options) ? options['requestSignal'] : undefined;
    if (!(signal instanceof AbortSignal)) return;
    const withdrawn = () => this.#end(operation, CANCELLED);
    signal.addEventListener('abort', withdrawn, { once: true });
    operation.stopWatching = () => signal.removeEventListener('abort', withdrawn);
  }

  // -- both ways

  #begin(
    direction: Direction,
    message: RequestMessage | NotificationMessage,
    id: MessageId | undefined,
    extra: unknown,
  ): LiveOperation {
    const { signals, names } = this.#door;
    const startedAt = signals.clock.now();
    const { method, params, jsonrpc } = message;
    const meta = metaOf(params);
    const version = envelopeVersion(meta) ?? this.#version ?? versionHeaderOf(extra);
    const targetKind = targetKindOf(method);
    const target = targetKind === undefined ? undefined : targetOf(targetKind, params);
    const kind = this.#kinds[direction].of(method, names.label(targetKind, target));
    const operation = new LiveOperation(direction, method, target, id, startedAt, kind, version);
    operation.span = signals.start(operation, kind, {
      network: this.#wire.network,
      version,
      sessionId: this.#wire.sessionId(),
      jsonrpc: typeof jsonrpc === 'string' && jsonrpc !== '2.0' ? jsonrpc : undefined,
      meta,
      headers: meta?.[TRACEPARENT] === undefined ? headersOf(extra) : undefined,
      connectedUnder: this.#connectedUnder,
    });
    joinRound(operation, params);
    return operation;
  }

  #end(operation: LiveOperation, ending: Ending): void {
    const { signals } = this.#door;
    // what was answered before the connection closed stays the outcome
    const { answer, id, direction, kind, span } = operation;
    const decided = answer?.ending ?? ending;
    if (!operation.decide(decided, answer?.at ?? signals.clock.now())) return;
    operation.stopWatching?.();
    if (id === undefined) {
      this.#notifications.delete(operation);
    } else {
      (direction === 'in' ? this.#in : this.#out).remove(id, operation);
      if (direction === 'in') signals.metrics.addActive(kind.methodLabel, -1);
    }
    if (span === undefined) return;
    try {
      signals.end(operation, span, kind, decided, operation.version ?? this.#version);
    } catch (error) {
      complainAboutFailure('recording an operation', error);
    }
  }

  #withdraw(operations: InFlight<LiveOperation>, { params }: NotificationMessage): void {
    try {
      const { requestId: id, reason } = isRecord(params) ? params : {};
      if (typeof id !== 'string' && typeof id !== 'number') return;
      const operation = operations.find(id);
      if (operation === undefined || operation.answer !== undefined) return;
      const gaveUp = operation.direction === 'out' && typeof reason === 'string' && /timed out|timeout/i.test(reason);
      this.#end(operation, gaveUp ? TIMED_OUT : CANCELLED);
    } catch (error) {
      complainAboutFailure('reading a cancellation', error);
    }
  }

  #learnFrom(operation: LiveOperation, result: unknown): void {
    const { names } = this.#door;
    const { method, target } = operation;
    rememberRound(operation, result);
    if (method === 'initialize' && isRecord(result)) {
      const version = result['protocolVersion'];
      if (typeof version === 'string') this.#version = version;
      this.#session = { startedAt: operation.startedAt, direction: operation.direction };
    } else if (method === 'tools/list' || method === 'prompts/list') {
      names.learnFromList(method, result);
    } else if (target !== undefined) {
      this.#learnName(operation, target);
    }
  }

  // A call that succeeds shows that its tool exists; from then on the name may be a label.
  #learnName(operation: LiveOperation, target: string): void {
    const { names } = this.#door;
    const targetKind = targetKindOf(operation.method);
    if (targetKind === undefined || names.label(targetKind, target) !== OTHER) return;
    if (names.registered(targetKind, target) !== undefined) return;
    names.learn(targetKind, target);
    operation.kind = this.#kinds[operation.direction].of(operation.method, names.label(targetKind, target));
    if (operation.span?.owned === true) operation.span.span.updateName(operation.kind.spanName);
  }

  // Since 2026-07-28 a client of Streamable HTTP cancels by closing the response stream.
  #cancelsByClosing(operation: LiveOperation): boolean {
    return this.#wire.network.protocol === 'http' && operation.version !== undefined && operation.version >= MODERN;
  }

  #endSession(): void {
    const session = this.#session;
    // without a session id, HTTP has one connection for each request: that is no session
    if (session === undefined || (this.#wire.network.protocol === 'http' && this.#wire.sessionId() === undefined))
      return;
    this.#session = undefined;
    const { clock, metrics } = this.#door.signals;
    const seconds = (clock.now() - session.startedAt) / 1_000;
    try {
      metrics.recordSession(
        session.direction === 'in' ? 'server' : 'client',
        seconds,
        this.#kinds[session.direction].sessionLabels(this.#version),
      );
    } catch (error) {
      complainAboutFailure('recording a session', error);
    }
  }
}

function deliver(inside: Context, handler: Handler, receiver: object, message: unknown, extra: unknown): void {
  context.with(inside, handler, receiver, message, extra);
}
