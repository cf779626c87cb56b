// The session of one connection: measured from its `initialize` to its close, and only where there is one.
import { complainAboutFailure } from '../diagnostics.ts';
import type { Direction } from '../protocol/operation.ts';
import type { OperationKinds } from '../telemetry/kind.ts';
import type { Signals } from '../telemetry/signals.ts';
import type { LiveOperation } from './live-operation.ts';
import type { Wire } from './wire.ts';

/** A session, once it has begun. */
export class Session {
  readonly #signals: Signals;
  readonly #kinds: OperationKinds;
  readonly #wire: Wire;
  #begun: { readonly at: number; readonly direction: Direction } | undefined;

  constructor(signals: Signals, kinds: OperationKinds, wire: Wire) {
    this.#signals = signals;
    this.#kinds = kinds;
    this.#wire = wire;
  }

  /** Begins with the operation that initialised it. */
  begin({ startedAt, direction }: LiveOperation): void {
    this.#begun = { at: startedAt, direction };
  }

  /** Ends and is recorded, under the protocol revision that was agreed on. */
  end(version: string | undefined): void {
    const begun = this.#begun;
    // without a session id, HTTP has one connection for each request: that is no session
    if (begun === undefined || (this.#wire.network.protocol === 'http' && this.#wire.sessionId() === undefined)) return;
    this.#begun = undefined;
    const { clock, metrics } = this.#signals;
    const side = begun.direction === 'in' ? 'server' : 'client';
    try {
      metrics.recordSession(side, (clock.now() - begun.at) / 1_000, this.#kinds.sessionLabels(version));
    } catch (error) {
      complainAboutFailure('recording a session', error);
    }
  }
}
