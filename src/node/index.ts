// The public surface of `toolspan/node`: telemetry, probes, draining. The OpenTelemetry SDK is loaded when telemetry is
// started, not before.
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { complainAboutFailure, complainOnce } from '../diagnostics.ts';
import { isTooOld, nodeNeeded } from '../node-version.ts';
import { recentTraces } from '../state/recent-traces.ts';
import { sdkDisabled, telemetryDisabled } from '../settings.ts';
import { checkOptions, durationMs, type OptionRule } from '../options.ts';
import { AgentMetricReader } from './agent-metric-reader.ts';
import { AgentSpanProcessor } from './agent-span-processor.ts';
import type { Telemetry, TelemetryOptions } from './start-telemetry.ts';
import { TELEMETRY_OPTION_RULES } from './telemetry-options.ts';

export { pinoOptions, type PinoOptions } from './pino.ts';
export { drain, type Drained, type DrainOptions } from './drain.ts';
export { probeHandler, type ProbeHandler, type ProbeOptions } from './probes.ts';
export type { Telemetry, TelemetryOptions };

/** Options of `agentSpanProcessor`. All have a default. */
export interface AgentSpanProcessorOptions {
  /** How much the spans that are kept may take, in bytes. @default 8 MiB */
  readonly maxBytes?: number | undefined;
  /** A call that takes this long is kept longer than others, as a failed one is, in ms. @default 1_000 */
  readonly slowMs?: number | undefined;
}

const bytes: OptionRule = {
  allows: (value) => Number.isInteger(value) && (value as number) >= 64 * 1_024,
  expected: 'a whole number of bytes from 65536',
  outOfRange: (value) => typeof value === 'number',
};

/**
 * A metric reader for your own `MeterProvider`, so that `get_server_metrics` shows every instrument of this process.
 * `startTelemetry` brings one by itself.
 */
export function agentMetricReader(): IMetricReader {
  return new AgentMetricReader();
}

/**
 * A span processor for your own `TracerProvider`, so that `get_trace` shows recent traces of this process.
 * `startTelemetry` brings one by itself.
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export function agentSpanProcessor(options: AgentSpanProcessorOptions = {}): SpanProcessor {
  checkOptions<AgentSpanProcessorOptions>('agentSpanProcessor', options, { maxBytes: bytes, slowMs: durationMs(0) });
  if (options.maxBytes !== undefined) recentTraces.limitTo(options.maxBytes);
  return new AgentSpanProcessor(options.slowMs ?? 1_000);
}

/**
 * Starts the OpenTelemetry SDK for this process: traces, metrics and logs over OTLP/HTTP to where the `OTEL_*` variables
 * say, `http://localhost:4318` without any. Calls of `fetch` become child spans.
 *
 * Safe for servers on stdio: nothing is ever written to stdout. What is pending is sent at the end of stdin, on SIGTERM and
 * SIGINT, and when the event loop is drained, within `shutdownTimeoutMs`. Telemetry never keeps the process alive.
 *
 * `TOOLSPAN_DISABLED=true` or `OTEL_SDK_DISABLED=true` make it do nothing; so does a Node that is too old, with a word on stderr.
 *
 * @throws {TypeError | RangeError} for a bad option.
 * @throws {Error} where the installed `@opentelemetry/api` is older than 1.10, which the SDK needs.
 */
export async function startTelemetry(options: TelemetryOptions = {}): Promise<Telemetry> {
  checkOptions<TelemetryOptions>('startTelemetry', options, TELEMETRY_OPTION_RULES);
  if (telemetryDisabled() || sdkDisabled()) return INACTIVE;
  if (isTooOld()) {
    complainOnce('node', `startTelemetry ${nodeNeeded()}; no telemetry is started.`);
    return INACTIVE;
  }
  const start = await load();
  try {
    return start(options) ?? INACTIVE;
  } catch (error) {
    // a part that was handed in may be of another SDK: the server runs all the same
    complainAboutFailure('starting telemetry', error);
    return INACTIVE;
  }
}

const nothing = (): Promise<void> => Promise.resolve();
const INACTIVE: Telemetry = { active: false, flush: nothing, shutdown: nothing };

async function load(): Promise<(options: TelemetryOptions) => Telemetry | undefined> {
  try {
    const [{ startSdk }, { nodeSdk }] = await Promise.all([import('./start-telemetry.ts'), import('./node-sdk.ts')]);
    return (options) => startSdk(options, nodeSdk);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Error(
      'startTelemetry needs @opentelemetry/api 1.10, and this application has an older one. Update it with ' +
        '"npm install @opentelemetry/api@^1.10", or keep it and start your own OpenTelemetry SDK: instrumentServer works with both.',
      { cause: error },
    );
  }
}
