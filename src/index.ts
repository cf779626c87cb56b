// The public surface of `toolspan`. Loads no OpenTelemetry SDK, no exporter, no zod and no MCP package.
export { instrumentClient, type InstrumentClientOptions } from './client/instrument-client.ts';
export type { CheckAnswer, HealthCheck, HealthCheckOptions } from './health/checks.ts';
export type { Health } from './health/monitor.ts';
export { configureHealth, processHealth, registerHealthCheck } from './health/register.ts';
export type { HealthOptions, ThresholdOption } from './health/settings.ts';
export type { HealthStatus, Reason } from './health/status.ts';
export type { DoorOptions } from './observer/door-options.ts';
export type {
  ToolPolicyMap,
  ToolPolicyOptions,
  ToolRateLimitOptions,
  ToolRetryOptions,
} from './observer/tool-policies.ts';
export { instrumentHandler, type InstrumentHandlerOptions } from './server/instrument-handler.ts';
export { instrumentServer, type InstrumentServerOptions } from './server/instrument-server.ts';
export type { Authorize, ObservabilityCall } from './tools/access.ts';
export type { ObservabilityTool } from './tools/answers.ts';
export { registerObservabilityTools, type ObservabilityToolsOptions } from './tools/register.ts';
