// What a door brings along for all its connections.
import type { DoorLog } from '../logging/door-log.ts';
import type { Signals } from '../telemetry/signals.ts';
import type { Failures } from './failures.ts';
import type { Figures } from './figures.ts';
import type { KnownNames } from './names.ts';

/** Sees that the handlers of the application note what they throw. */
export interface HandlerLayer {
  /** Called before a message is delivered; the handler that will serve it may have been registered at any time. */
  arm(method: string, target: string | undefined): void;
}

/** The parts of one door. */
export interface Door {
  readonly signals: Signals;
  readonly names: KnownNames;
  readonly handlers: HandlerLayer;
  readonly failures: Failures;
  /** Only a server logs its calls. */
  readonly log?: DoorLog | undefined;
  /** Where operations are counted; undefined for a client, whose figures nobody asks for. */
  readonly figures: Figures | undefined;
  /**
   * How long the span of a withdrawn request waits for an answer that comes all the same, in ms; its end stays the withdrawal.
   * Undefined where none comes, since the SDKs of servers hold it back.
   */
  readonly lateAnswersMs?: number | undefined;
  /** Longest time an operation may stay open, in ms. */
  readonly maxOperationMs: number;
}
