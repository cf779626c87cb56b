// What the options of startTelemetry may be.
import { boolean, durationMs, listOf, nonEmptyString, type OptionRules } from '../options.ts';
import type { TelemetryOptions } from './start-telemetry.ts';

/** The rules that `startTelemetry` checks its options by. */
export const TELEMETRY_OPTION_RULES: OptionRules<TelemetryOptions> = {
  serviceName: nonEmptyString,
  serviceVersion: nonEmptyString,
  instrumentations: listOf('enable', 'disable', 'setTracerProvider'),
  spanProcessors: listOf('onStart', 'onEnd', 'forceFlush', 'shutdown'),
  metricReaders: listOf('collect', 'forceFlush', 'shutdown'),
  logRecordProcessors: listOf('onEmit', 'forceFlush', 'shutdown'),
  shutdownTimeoutMs: durationMs(1),
  handleSignals: boolean,
  hostMetrics: boolean,
};
