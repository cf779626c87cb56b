// Puts a connection between a transport and its protocol object: the transport keeps its identity, its private fields and
// its class; only `onmessage`, `onclose` and `send` are taken over.
import { announceInputEnd } from '../state/connections.ts';
import { isRecord } from '../protocol/message.ts';
import { inputOf, wireOf, type Wire } from './wire.ts';

type Callback = (this: unknown, ...args: unknown[]) => unknown;

/** What is needed of a transport of either SDK. */
interface Transport {
  onmessage?: Callback | undefined;
  onclose?: Callback | undefined;
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

interface Tap {
  connection: TransportObserver;
  /** The transport's own. */
  readonly send: Callback;
  /** The message being delivered: the SDKs chain an earlier handler, which must not count it again. */
  delivering: unknown;
  /** Stops listening for the end of the input of a stdio server. */
  unwatchInput: () => void;
}

const taps = new WeakMap<object, Tap>();
const ourCallbacks = new WeakSet<Callback>();

/** Observes a transport from before it is started. A transport that is connected again gets a new connection. */
export function observeTransport(transport: object, connect: (wire: Wire) => TransportObserver): void {
  const target = transport as Transport;
  const there = taps.get(transport);
  const send = there?.send ?? target.send;
  const connection = connect(wireOf(transport, send));
  if (there !== undefined) {
    there.connection.close();
    there.connection = connection;
    watchInput(transport, there);
    return;
  }
  const tap: Tap = { connection, send, delivering: undefined, unwatchInput: () => {} };
  takeOverSend(target, tap);
  takeOverCallback(target, 'onmessage', (handler) => receiving(tap, handler));
  takeOverCallback(target, 'onclose', (handler) => closing(tap, handler));
  taps.set(transport, tap);
  watchInput(transport, tap);
}

function receiving(tap: Tap, handler: Callback): Callback {
  return function (this: unknown, message, extra) {
    if (isSame(tap.delivering, message)) return handler.call(this, message, extra);
    const before = tap.delivering;
    tap.delivering = message;
    try {
      tap.connection.receive(message, extra, handler, this as object);
    } finally {
      tap.delivering = before;
    }
    return undefined;
  };
}

// A middleware may put a copy of the message in its place.
function isSame(delivering: unknown, message: unknown): boolean {
  if (delivering === undefined || delivering === message) return delivering !== undefined;
  if (!isRecord(delivering) || !isRecord(message) || typeof message['method'] !== 'string') return false;
  return delivering['method'] === message['method'] && delivering['id'] === message['id'];
}

function closing(tap: Tap, handler: Callback): Callback {
  return function (this: unknown, ...args) {
    tap.unwatchInput();
    tap.connection.close();
    return handler.apply(this, args);
  };
}

function takeOverSend(transport: Transport, tap: Tap): void {
  const { send } = tap;
  Object.defineProperty(transport, 'send', {
    configurable: true,
    writable: true,
    value: function (this: object, message: unknown, options: unknown) {
      return tap.connection.send(message, options, send, transport);
    },
  });
}

// An accessor, since the SDK assigns its handlers during `connect`, and a negotiating client more than once.
function takeOverCallback(
  transport: Transport,
  key: 'onmessage' | 'onclose',
  wrap: (handler: Callback) => Callback,
): void {
  const there = propertyOf(transport, key);
  let value = there?.get === undefined ? transport[key] : undefined;
  Object.defineProperty(transport, key, {
    configurable: true,
    enumerable: true,
    get: () => (there?.get === undefined ? value : (there.get.call(transport) as unknown)),
    set(handler: Callback | undefined) {
      let next = handler;
      if (typeof handler === 'function' && !ourCallbacks.has(handler)) {
        next = wrap(handler);
        ourCallbacks.add(next);
      }
      if (there?.set === undefined) value = next;
      else there.set.call(transport, next);
    },
  });
}

function propertyOf(object: object, key: string): PropertyDescriptor | undefined {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const property = Object.getOwnPropertyDescriptor(at, key);
    if (property !== undefined) return property;
  }
  return undefined;
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
