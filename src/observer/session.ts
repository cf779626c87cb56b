// The session of one connection: which protocol revision is in force, and how long it lasted, from `initialize` to its close.
import { complainAboutFailure } from '../diagnostics.ts';
import { isRecord } from '../protocol/message.ts';
import type { Direction, Operation } from '../protocol/operation.ts';
import type { OperationKinds } from '../telemetry/kind.ts';
import type { Side } from '../telemetry/metrics.ts';
import type { Signals } from '../telemetry/signals.ts';
import type { Wire } from './wire.ts';

/** At most one session; there is none since 2026-07-28, nor where HTTP makes a connection for each request. */
export class Session {
  /** The protocol revision that `initialize` settled. */
  version: string | undefined;
  readonly #signals: Signals;
  readonly #kinds: Readonly<Record<Direction, OperationKinds>>;
  readonly #wire: Wire;
  #opened: { readonly at: number; readonly direction: Direction } | undefined;

  constructor(signals: Signals, kinds: Readonly<Record<Direction, OperationKinds>>, wire: Wire) {
    this.#signals = signals;
    this.#kinds = kinds;
    this.#wire = wire;
  }

  /** Begins with the answer to `initialize`. */
  open({ startedAt, direction }: Operation, result: unknown): void {
    if (!isRecord(result)) return;
    const version = result['protocolVersion'];
    if (typeof version === 'string') this.version = version;
    this.#opened = { at: startedAt, direction };
  }

  /** Ends and is recorded. */
  end(): void {
    const opened = this.#opened;
    if (opened === undefined || (this.#wire.network.protocol === 'http' && this.#wire.sessionId() === undefined))
      return;
    this.#opened = undefined;
    const { clock, metrics } = this.#signals;
    try {
      const { at, direction } = opened;
      const side: Side = direction === 'in' ? 'server' : 'client';
      metrics.recordSession(side, (clock.now() - at) / 1_000, this.#kinds[direction].sessionLabels(this.version));
    } catch (error) {
      complainAboutFailure('recording a session', error);
    }
  }
}
