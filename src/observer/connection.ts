// The heart all doors share: it sees every message of one connection, keeps the operations in flight, and ends each once.
import { context, trace, type Span } from '@opentelemetry/api';
import { runningCall } from '../context.ts';
import { complainAboutFailure } from '../diagnostics.ts';
import { ClientLog } from '../logging/client-log.ts';
import { cancellationOf } from '../protocol/cancellation.ts';
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
import { envelopeVersion, isModern, metaOf, TRACEPARENT } from '../protocol/meta.ts';
import { targetKindOf, targetOf } from '../protocol/method.ts';
import { InFlight, type Direction } from '../protocol/operation.ts';
import { endingOf, succeeded, type Ending } from '../protocol/outcome.ts';
import { trackSession } from '../state/connections.ts';
import { runCall } from '../telemetry/call-context.ts';
import { exceptionType } from '../telemetry/exception.ts';
import type { OperationKinds } from '../telemetry/kind.ts';
import { EVENT_TOOLSPAN_LATE_ANSWER } from '../telemetry/names.ts';
import { logEnd, noteAnswer, noteStart } from './call-log.ts';
import type { Door } from './door.ts';
import { ABORTED_IN, ABORTED_OUT, CANCELLED, EXPIRED, OK, TIMED_OUT } from './endings.ts';
import { noteDispatched } from './exchange.ts';
import { forgetExpiry, watchExpiry } from './expiry.ts';
import { learnNames } from './learn-names.ts';
import { isUnanswered, LiveOperation, withTraceContext, type Origin } from './live-operation.ts';
import { joinRound, rememberRound } from './rounds.ts';
import { Session } from './session.ts';
import { headersOf, versionHeaderOf, type Wire } from './wire.ts';

type Handler = (message: unknown, extra: unknown) => void;
type Send = (message: unknown, options: unknown) => unknown;

// stays open for as long as the subscriber listens
const LISTEN = 'subscriptions/listen';

/** One connection of a server or client, from `connect` to its close. */
export class Connection {
  readonly #door: Door;
  readonly #wire: Wire;
  readonly #kinds: Readonly<Record<Direction, OperationKinds>>;
  readonly #in = new InFlight<LiveOperation>();
  readonly #out = new InFlight<LiveOperation>();
  readonly #notifications = new Set<LiveOperation>();
  // over HTTP a server is often made under the span of the very request that it answers
  readonly #connectedUnder: Span | undefined;
  #forgetSession: (() => void) | undefined;
  readonly #origin: Origin;
  readonly #clientLog: ClientLog | undefined;
  readonly #session: Session;
  #handedOver: LiveOperation[] = [];
  readonly #endHandedOver = (): void => {
    const operations = this.#handedOver;
    this.#handedOver = [];
    for (const operation of operations) this.#end(operation, OK);
  };
  #inputEnded = false;

  constructor(door: Door, wire: Wire) {
    const { signals, log, failures } = door;
    this.#door = door;
    this.#wire = wire;
    const { transport, protocol, server } = wire.network;
    const receiving = server === undefined ? wire.network : { transport, protocol };
    this.#kinds = { in: signals.kindsOver(receiving), out: signals.kindsOver(wire.network) };
    this.#connectedUnder = protocol === 'http' ? undefined : trace.getSpan(context.active());
    this.#origin = { wire, log, failures };
    if (log !== undefined && log.clientLogs !== 'off')
      this.#clientLog = new ClientLog(log, wire.sendUnseen, signals.clock);
    this.#session = new Session(signals, this.#kinds, wire);
    signals.metrics.prepare();
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
      runCall(operation, inside, handler, receiver, message, extra);
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
      else outgoing = operation?.answer?.outgoing ?? message;
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
    const operation = this.#in.find(id, undefined, isUnanswered);
    if (operation !== undefined) this.#end(operation, ending);
  }

  /** Ends what is in flight: the connection is gone. A notification that was handed to its handler ends with that. */
  close(): void {
    this.#endAll();
    this.#forgetSession?.();
    this.#session.end();
  }

  /** Ends everything that is in flight: the telemetry of the process stops. */
  stop(): void {
    this.close();
    for (const operation of this.#notifications) this.#end(operation, ABORTED_IN);
  }

  inputEnded(): void {
    this.#inputEnded = true;
    this.#closeWhenDone();
  }

  /** Ends what has been open for longer than the door allows; true where something is still in flight. */
  expire(): boolean {
    const before = this.#door.signals.clock.now() - this.#door.maxOperationMs;
    for (const operation of [...this.#in.all(), ...this.#out.all(), ...this.#notifications]) {
      if (operation.startedAt <= before && operation.method !== LISTEN) this.#end(operation, EXPIRED);
    }
    return this.inFlight > 0;
  }

  #endAll(): void {
    for (const operation of this.#in.all())
      this.#end(operation, this.#cancelsByClosing(operation) ? CANCELLED : ABORTED_IN);
    for (const operation of this.#out.all()) this.#end(operation, ABORTED_OUT);
    for (const operation of this.#notifications) {
      if (!operation.entered) this.#end(operation, operation.handedOver ? OK : ABORTED_IN);
    }
  }

  #closeWhenDone(): void {
    if (this.#inputEnded && this.inFlight === 0) this.close();
  }

  // -- what comes in

  #arrived(message: unknown, extra: unknown): LiveOperation | undefined {
    if (isRequest(message)) {
      const operation = this.#begin('in', message, message.id, extra);
      this.#in.add(message.id, operation);
      operation.clientLog = this.#clientLog?.readerOf(message);
      if (message.method === 'tools/call') noteStart(operation, message.params);
      if (operation.counted) this.#door.signals.metrics.addActive(operation.kind.methodLabel, 1);
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
          this.#end(operation, thrown === undefined ? OK : this.#door.failures.endingOf(thrown.value));
        });
      }
    });
  }

  #answered(response: ResponseMessage): LiveOperation | undefined {
    const operation = this.#out.find(response.id);
    if (operation === undefined) return undefined;
    const ending = endingOf(response, false);
    if (succeeded(ending)) this.#learnFrom(operation, response.result);
    this.#end(operation, ending);
    return operation;
  }

  // -- what goes out

  #answering(message: unknown): LiveOperation | undefined {
    if (!isResponse(message)) return undefined;
    const operation = this.#in.find(message.id, runningCall, isUnanswered);
    if (operation === undefined || operation.answer !== undefined) return undefined;
    if (operation.withdrawnAt !== undefined) {
      operation.span?.span.addEvent(EVENT_TOOLSPAN_LATE_ANSWER);
      this.#end(operation, CANCELLED);
      return undefined;
    }
    const { failures, signals } = this.#door;
    const settled = failures.settle(operation, message, operation.version ?? this.#session.version);
    const answer = { ...settled, at: signals.clock.now() };
    operation.answer = answer;
    if (operation.method === 'tools/call') noteAnswer(operation, answer);
    if (succeeded(settled.ending)) this.#learnFrom(operation, message.result);
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
    watchExpiry(this, this.#door.maxOperationMs);
    if (message.method === 'notifications/cancelled') this.#withdraw(this.#out, message);
    return operation;
  }

  // A slow pipe may take long to accept an answer: the end comes when that is settled, with the time it was handed over.
  #settle(operation: LiveOperation, sent: unknown): void {
    const asked = operation.direction === 'out' && operation.id !== undefined;
    operation.handedOver = true;
    if (sent instanceof Promise) {
      sent.then(asked ? undefined : () => this.#endSoon(operation), (error: unknown) =>
        this.#undelivered(operation, error),
      );
    } else if (!asked) {
      this.#endSoon(operation);
    }
  }

  // Over a real wire all answers of this turn go out first, with what the SDK writes after them; recording them waits. The peer
  // in memory is in this process, and may look at once.
  #endSoon(operation: LiveOperation): void {
    if (this.#wire.network.transport === undefined) this.#end(operation, OK);
    else if (this.#handedOver.push(operation) === 1) setImmediate(this.#endHandedOver);
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
    const { signals, names, figures } = this.#door;
    const startedAt = signals.clock.now();
    const { method, params, jsonrpc } = message;
    const meta = metaOf(params);
    const version = envelopeVersion(meta) ?? this.#session.version ?? versionHeaderOf(extra);
    const targetKind = targetKindOf(method);
    const target = targetKind === undefined ? undefined : targetOf(targetKind, params);
    const kind = this.#kinds[direction].of(method, names.label(targetKind, target));
    const operation = new LiveOperation(this.#origin, direction, method, target, id, startedAt, kind, version);
    if (isRecord(extra)) operation.identify(extra['authInfo']);
    operation.span = signals.start(operation, kind, {
      version,
      sessionId: this.#wire.sessionId(),
      jsonrpc: typeof jsonrpc === 'string' && jsonrpc !== '2.0' ? jsonrpc : undefined,
      meta,
      headers: meta?.[TRACEPARENT] === undefined ? headersOf(extra) : undefined,
      connectedUnder: this.#connectedUnder,
    });
    joinRound(operation, params);
    figures?.begun(operation);
    return operation;
  }

  #end(operation: LiveOperation, ending: Ending): void {
    const { signals, figures } = this.#door;
    // what was answered before the connection closed stays the outcome
    const { answer, withdrawnAt, id, direction, kind, span } = operation;
    const decided = answer?.ending ?? (withdrawnAt === undefined ? ending : CANCELLED);
    if (!operation.decide(decided, answer?.at ?? withdrawnAt ?? signals.clock.now())) return;
    operation.stopWatching?.();
    if (id === undefined) {
      this.#notifications.delete(operation);
    } else {
      (direction === 'in' ? this.#in : this.#out).remove(id, operation);
      if (direction === 'in' && operation.counted) signals.metrics.addActive(kind.methodLabel, -1);
    }
    // one that is made for a request, and dropped with it, is held by nothing
    if (this.inFlight === 0) forgetExpiry(this);
    if (this.#inputEnded) this.#closeWhenDone();
    if (span !== undefined) {
      try {
        if (operation.counted) figures?.ended(operation, decided, this.#wire.sessionId());
        signals.end(operation, span, kind, decided, operation.version ?? this.#session.version);
      } catch (error) {
        complainAboutFailure('recording an operation', error);
      }
    }
    logEnd(operation, decided);
  }

  #withdraw(operations: InFlight<LiveOperation>, { params }: NotificationMessage): void {
    try {
      const cancellation = cancellationOf(params);
      const operation = cancellation && operations.find(cancellation.requestId, undefined, isUnanswered);
      if (operation === undefined || !isUnanswered(operation)) return;
      const { lateAnswersMs, signals } = this.#door;
      if (lateAnswersMs === undefined || operations === this.#out) {
        this.#end(operation, operations === this.#out && cancellation?.timedOut === true ? TIMED_OUT : CANCELLED);
      } else {
        operation.withdrawnAt = signals.clock.now();
        setTimeout(() => this.#end(operation, CANCELLED), lateAnswersMs).unref();
      }
    } catch (error) {
      complainAboutFailure('reading a cancellation', error);
    }
  }

  // Only of an answer that shows that its target exists: SDK v1 answers for an unknown tool with a tool error.
  #learnFrom(operation: LiveOperation, result: unknown): void {
    rememberRound(operation, result);
    if (operation.method === 'initialize') {
      this.#session.open(operation, result);
      this.#forgetSession ??= trackSession(this);
    } else {
      learnNames(operation, result, this.#door.names, this.#kinds[operation.direction]);
    }
  }

  // Since 2026-07-28 a client of Streamable HTTP cancels by closing the response stream.
  #cancelsByClosing(operation: LiveOperation): boolean {
    return this.#wire.network.protocol === 'http' && isModern(operation.version);
  }
}
