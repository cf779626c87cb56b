// Starts telemetry with as little loaded as the environment allows. What watches the process is the caller's.
import { leanSdk, leanSuffices } from './lean-sdk.ts';
import { startSdk, type StartedTelemetry, type TelemetryOptions } from './start-telemetry.ts';

export async function startLean(options: TelemetryOptions): Promise<StartedTelemetry | undefined> {
  const makeSdk = leanSuffices() ? leanSdk : (await import('./node-sdk.ts')).nodeSdk;
  return startSdk(options, makeSdk, false);
}
