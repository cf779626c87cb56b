// The session of one connection, from `initialize` to its close: which protocol revision is in force, and how long it lasted.
import { complainAboutFailure } from '../diagnostics.ts';
import { isRecord } from '../protocol/message.ts';
import type { Operation } from '../protocol/operation.ts';
import type { OperationKinds } from '../telemetry/kind.ts';
import type { Side } from '../telemetry/metrics.ts';
import type { Signals } from '../telemetry/signals.ts';
import type { Wire } from './wire.ts';

/** At most one session; there is none since 2026-07-28, nor where HTTP makes a connection for each request. */
export class Session {
  /** The protocol revision that `initialize` settled. */
  version: string | undefined;
  #opened: { readonly at: number; readonly side: Side } | undefined;

  /** Begins with the answer to `initialize`. */
  open({ startedAt, direction }: Operation, result: unknown): void {
    if (!isRecord(result)) return;
    const version = result['protocolVersion'];
    if (typeof version === 'string') this.version = version;
    this.#opened = { at: startedAt, side: direction === 'in' ? 'server' : 'client' };
  }

  /** Ends it and records how long it lasted. */
  end({ clock, metrics }: Signals, kinds: OperationKinds, wire: Wire): void {
    const opened = this.#opened;
    if (opened === undefined || (wire.network.protocol === 'http' && wire.sessionId() === undefined)) return;
    this.#opened = undefined;
    try {
      metrics.recordSession(opened.side, (clock.now() - opened.at) / 1_000, kinds.sessionLabels(this.version));
    } catch (error) {
      complainAboutFailure('recording a session', error);
    }
  }
}
