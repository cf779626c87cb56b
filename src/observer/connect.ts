// Where a door takes hold: the `connect` method of an SDK protocol object, so that the transport is observed before it starts.
import { complainAboutFailure, complainOnce } from '../diagnostics.ts';
import { observeTransport, type TransportObserver } from './transport.ts';
import type { Wire } from './wire.ts';

const OBSERVED = Symbol.for('toolspan.observed.v1');

/** True where this is observed, by this or another copy of the package. */
export function isObserved(what: object): boolean {
  return OBSERVED in what;
}

/** Marks it as observed. */
export function noteObserved(what: object): void {
  Object.defineProperty(what, OBSERVED, { value: true });
}

/** Observes every transport that this protocol object connects to from now on. */
export function observeConnect(protocol: object, open: (wire: Wire) => TransportObserver): void {
  const connect = (protocol as { connect: (this: object, transport: object, ...rest: unknown[]) => unknown }).connect;
  noteObserved(protocol);
  if ((protocol as { transport?: unknown }).transport !== undefined) {
    complainOnce(
      'connected-before',
      'a server or client was connected before it was instrumented, so its connection is not observed; instrument it before connect.',
    );
  }
  Object.defineProperty(protocol, 'connect', {
    configurable: true,
    writable: true,
    value: function (this: object, transport: object, ...rest: unknown[]) {
      let connected: (() => void) | undefined;
      try {
        connected = observeTransport(transport, open);
      } catch (error) {
        complainAboutFailure('observing a transport', error);
      }
      const connecting = connect.call(this, transport, ...rest);
      if (connected !== undefined && connecting instanceof Promise) connecting.then(connected, connected);
      return connecting;
    },
  });
}
