// The SDK as OpenTelemetry puts it together: it knows every exporter and propagator, and takes long to load.
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { SdkMaker } from './start-telemetry.ts';

export const nodeSdk: SdkMaker = (configuration) => new NodeSDK(configuration);
