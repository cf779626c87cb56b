// Puts a connection between a transport and its protocol object: the transport keeps its identity, its private fields and
// its class; only `start` and `send` are taken over, and what the protocol object has put in `onmessage` and `onclose` by then.
import { complainAboutFailure } from '../diagnostics.ts';
import { announceInputEnd } from '../state/connections.ts';
import { isRecord } from '../protocol/message.ts';
import { inputOf, wireOf, type Wire } from './wire.ts';

type Callback = (this: unknown, ...args: unknown[]) => unknown;

/** What is needed of a transport of either SDK. */
interface Transport {
  onmessage?: Callback | undefined;
  onclose?: Callback | undefined;
  start: Callback;
  send: Callback;
}

/** Sees what passes over a transport, and hands it on. */
export interface TransportObserver {
  receive(message: unknown, extra: unknown, handler: Callback, receiver: object): void;
  send(message: unknown, options: unknown, send: Callback, sender: object): unknown;
  /** The peer asks nothing more; what it has asked may still be answered. */
  inputEnded(): void;
  close(): void;
}

/** What stands between one transport and its protocol object. */
interface Tap {
  readonly transport: Transport;
  connection: TransportObserver;
  /** The transport's own. */
  readonly send: Callback;
  /** The message being delivered: the SDKs chain an earlier handler, which must not count it again. */
  delivering: unknown;
  /** Stops listening for the end of the input of a stdio server. */
  unwatchInput: () => void;
  /** What reads back in the place of ours where the transport wraps what it is given; `varied` where each time another. */
  readsAs: { [key in Key]?: Callback | 'varied' } | undefined;
}

type Key = 'onmessage' | 'onclose';

const TAP = Symbol('toolspan.tap');
type Tapped = Transport & { readonly [TAP]?: Tap };

const OURS = Symbol('toolspan.callback');
type Marked = Callback & { [OURS]?: true };

/**
 * Observes a transport from before it is started. A transport that is connected again gets a new connection.
 *
 * @returns what is to be called when the protocol object has connected to it.
 */
export function observeTransport(transport: object, connect: (wire: Wire) => TransportObserver): () => void {
  const target = transport as Tapped;
  const there = Object.hasOwn(target, TAP) ? target[TAP] : undefined;
  const connection = connect(wireOf(transport, there?.send ?? target.send));
  let tap = there;
  if (tap === undefined) {
    tap = takeOver(target, connection);
  } else {
    tap.connection.close();
    tap.connection = connection;
  }
  watchInput(transport, tap);
  return () => takeOverCallbacks(tap);
}

// Properties that are new on the object: to redefine those it has would make it, and all that reads it, slow.
function takeOver(transport: Transport, connection: TransportObserver): Tap {
  const { start, send } = transport;
  const tap: Tap = { transport, connection, send, delivering: undefined, unwatchInput: nothing, readsAs: undefined };
  Object.defineProperty(transport, TAP, { value: tap });
  define(transport, 'start', function (this: unknown, ...args) {
    takeOverCallbacks(tap);
    return start.apply(this, args);
  });
  define(transport, 'send', (message, options) => {
    takeOverCallbacks(tap);
    return tap.connection.send(message, options, send, transport);
  });
  return tap;
}

function define(transport: Transport, key: 'start' | 'send', value: Callback): void {
  Object.defineProperty(transport, key, { configurable: true, writable: true, value });
}

// The protocol object has put its own there before it starts the transport. A client that negotiates puts in others later, and
// an application may at any time: with the next message they are ours again.
function takeOverCallbacks(tap: Tap): void {
  try {
    takeOverCallback(tap, 'onmessage', receiving);
    takeOverCallback(tap, 'onclose', closing);
  } catch (error) {
    complainAboutFailure('observing a transport', error);
  }
}

function takeOverCallback(tap: Tap, key: Key, wrap: (tap: Tap, handler: Callback) => Callback): void {
  const { transport } = tap;
  const handler: Marked | undefined = transport[key];
  if (typeof handler !== 'function' || handler[OURS] !== undefined) return;
  const known = tap.readsAs?.[key];
  if (known === 'varied' || known === handler) return;
  const wrapped = wrap(tap, handler);
  transport[key] = wrapped;
  const read = transport[key];
  if (read === wrapped) return;
  tap.readsAs ??= {};
  tap.readsAs[key] = read === transport[key] ? read : 'varied';
}

function nothing(): void {}

function receiving(tap: Tap, handler: Callback): Callback {
  return ours(function (this: unknown, message, extra) {
    if (isSame(tap.delivering, message)) return handler.call(this, message, extra);
    takeOverCallbacks(tap);
    const before = tap.delivering;
    tap.delivering = message;
    try {
      tap.connection.receive(message, extra, handler, this as object);
    } finally {
      tap.delivering = before;
    }
    return undefined;
  });
}

// A middleware may put a copy of the message in its place.
function isSame(delivering: unknown, message: unknown): boolean {
  if (delivering === undefined || delivering === message) return delivering !== undefined;
  if (!isRecord(delivering) || !isRecord(message) || typeof message['method'] !== 'string') return false;
  return delivering['method'] === message['method'] && delivering['id'] === message['id'];
}

function closing(tap: Tap, handler: Callback): Callback {
  return ours(function (this: unknown, ...args) {
    tap.unwatchInput();
    tap.connection.close();
    return handler.apply(this, args);
  });
}

function ours(callback: Marked): Callback {
  callback[OURS] = true;
  return callback;
}

// A stdio transport of SDK v1 does not notice the end of its input, and the process may be over soon after it.
function watchInput(transport: object, tap: Tap): void {
  const input = inputOf(transport);
  if (input === undefined) return;
  const ended = () => {
    tap.unwatchInput();
    tap.connection.inputEnded();
    announceInputEnd();
  };
  tap.unwatchInput = () => {
    input.removeListener('end', ended);
    input.removeListener('close', ended);
  };
  input.once('end', ended);
  input.once('close', ended);
}
