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

type CallbackKey = 'onmessage' | 'onclose';

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
  readonly onmessage: Slot;
  readonly onclose: Slot;
}

/** Where the protocol object has put a callback. */
interface Slot {
  value: Callback | undefined;
  /** A property with accessors that was there before. */
  readonly there: PropertyDescriptor | undefined;
}

const TAP = Symbol('toolspan.tap');
type Tapped = Transport & { readonly [TAP]?: Tap };

const OURS = Symbol('toolspan.callback');
type Marked = Callback & { [OURS]?: true };

/** Observes a transport from before it is started. A transport that is connected again gets a new connection. */
export function observeTransport(transport: object, connect: (wire: Wire) => TransportObserver): void {
  const target = transport as Tapped;
  const there = Object.hasOwn(target, TAP) ? target[TAP] : undefined;
  const send = there?.send ?? target.send;
  const connection = connect(wireOf(transport, send));
  if (there !== undefined) {
    there.connection.close();
    there.connection = connection;
    watchInput(transport, there);
    return;
  }
  const tap: Tap = {
    transport: target,
    connection,
    send,
    delivering: undefined,
    unwatchInput: nothing,
    onmessage: slotOf(target, 'onmessage'),
    onclose: slotOf(target, 'onclose'),
  };
  Object.defineProperty(transport, TAP, { value: tap });
  takeOverSend(tap);
  Object.defineProperty(transport, 'onmessage', ON_MESSAGE);
  Object.defineProperty(transport, 'onclose', ON_CLOSE);
  watchInput(transport, tap);
}

function nothing(): void {}

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

function takeOverSend(tap: Tap): void {
  const { transport, send } = tap;
  Object.defineProperty(transport, 'send', {
    configurable: true,
    writable: true,
    value: function (this: object, message: unknown, options: unknown) {
      return tap.connection.send(message, options, send, transport);
    },
  });
}

// Accessors, since the SDK assigns its handlers during `connect`, and a negotiating client more than once. The same ones
// for all transports: with others for each, every transport would be of a shape of its own, and all that reads it slower.
const ON_MESSAGE = accessorOf('onmessage', receiving);
const ON_CLOSE = accessorOf('onclose', closing);

function accessorOf(key: CallbackKey, wrap: (tap: Tap, handler: Callback) => Callback): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: true,
    get(this: Tapped): unknown {
      const tap = this[TAP];
      const slot = tap?.[key];
      return slot?.there?.get === undefined ? slot?.value : (slot.there.get.call(tap?.transport) as unknown);
    },
    set(this: Tapped, handler: Marked | undefined): void {
      const tap = this[TAP];
      if (tap === undefined) return;
      let next = handler;
      if (typeof handler === 'function' && handler[OURS] === undefined) {
        next = wrap(tap, handler);
        next[OURS] = true;
      }
      const slot = tap[key];
      if (slot.there?.set === undefined) slot.value = next;
      else slot.there.set.call(tap.transport, next);
    },
  };
}

function slotOf(transport: Transport, key: CallbackKey): Slot {
  const there = propertyOf(transport, key);
  return there?.get === undefined ? { value: transport[key], there: undefined } : { value: undefined, there };
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
