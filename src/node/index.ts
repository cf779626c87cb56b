// The public surface of `toolspan/node`: starting telemetry. The OpenTelemetry SDK is loaded when it is started, not before.
import { checkOptions } from '../options.ts';
import type { Telemetry, TelemetryOptions } from './start-telemetry.ts';
import { TELEMETRY_OPTION_RULES } from './telemetry-options.ts';

export type { Telemetry, TelemetryOptions };

/**
 * Starts the OpenTelemetry SDK for this process: traces, metrics and logs over OTLP/HTTP to where the `OTEL_*` variables
 * say, `http://localhost:4318` without any. Calls of `fetch` become child spans.
 *
 * Safe for servers on stdio: nothing is ever written to stdout. What is pending is sent at the end of stdin, on SIGTERM and
 * SIGINT, and when the event loop is drained, within `shutdownTimeoutMs`. Telemetry never keeps the process alive.
 *
 * `TOOLSPAN_DISABLED=true` or `OTEL_SDK_DISABLED=true` make it do nothing.
 *
 * @throws {TypeError | RangeError} for a bad option.
 * @throws {Error} where the installed `@opentelemetry/api` is older than 1.10, which the SDK needs.
 */
export async function startTelemetry(options: TelemetryOptions = {}): Promise<Telemetry> {
  checkOptions<TelemetryOptions>('startTelemetry', options, TELEMETRY_OPTION_RULES);
  const start = await load();
  return start(options);
}

async function load(): Promise<(options: TelemetryOptions) => Telemetry> {
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
