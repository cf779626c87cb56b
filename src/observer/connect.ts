// Where a door takes hold: the `connect` method of an SDK protocol object, so that the transport is observed before it starts.
import { complainAboutFailure, complainOnce } from '../diagnostics.ts';
import { observeTransport, type TransportObserver } from './transport.ts';
import type { Wire } from './wire.ts';

const OBSERVED = Symbol.for('toolspan.observed.v1');

/** True where this protocol object is observed, by this or another copy of the package. */
export function isObserved(protocol: object): boolean {
  return OBSERVED in protocol;
}

/** Observes every transport that this protocol object connects to from now on. */
export function observeConnect(protocol: object, open: (wire: Wire) => TransportObserver): void {
  const connect = (protocol as { connect: (this: object, transport: object, ...rest: unknown[]) => unknown }).connect;
  Object.defineProperty(protocol, OBSERVED, { value: true });
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
      try {
        observeTransport(transport, open);
      } catch (error) {
        complainAboutFailure('observing a transport', error);
      }
      return connect.call(this, transport, ...rest);
    },
  });
}
