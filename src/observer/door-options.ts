// The options that all in-process doors share.
import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { durationMs, objectWith, type OptionRules } from '../options.ts';

/** Options of every in-process door. All have a default. */
export interface DoorOptions {
  /**
   * Longest time an operation may stay open, in ms. What is open longer ends with the outcome `expired`.
   *
   * @default 3_600_000 (one hour)
   */
  readonly maxOperationMs?: number | undefined;
  /**
   * Where spans go.
   *
   * @default the global tracer provider, also one that is registered later
   */
  readonly tracerProvider?: TracerProvider | undefined;
  /**
   * Where metrics go.
   *
   * @default the global meter provider, also one that is registered later
   */
  readonly meterProvider?: MeterProvider | undefined;
}

/** The default of `maxOperationMs`. */
export const DEFAULT_MAX_OPERATION_MS = 3_600_000;

/** What the shared options may be. */
export const DOOR_OPTION_RULES: OptionRules<DoorOptions> = {
  maxOperationMs: durationMs(1),
  tracerProvider: objectWith('getTracer'),
  meterProvider: objectWith('getMeter'),
};
