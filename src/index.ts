// The public surface of `toolspan`. Loads no OpenTelemetry SDK, no exporter, no zod and no MCP package.
export { instrumentClient, type InstrumentClientOptions } from './client/instrument-client.ts';
export {
  classify,
  type Classification,
  type Classifier,
  type ClassifyOptions,
  type Verdict,
} from './errors/classify.ts';
export { ERROR_CODES, type ErrorCode, type ErrorTraits, type Fault } from './errors/error-code.ts';
export type { ErrorContext, ErrorMeta, ErrorMode, ErrorResult } from './errors/error-result.ts';
export { isToolError, ToolError, type ToolErrorOptions } from './errors/tool-error.ts';
export type { ClientLogs } from './logging/client-log.ts';
export { configureLogging, type LoggingOptions } from './logging/configure.ts';
export { consoleLogger, type ConsoleLogger } from './logging/console-logger.ts';
export type { Capture } from './logging/door-log.ts';
export type { Identity } from './logging/identity.ts';
export type { LogLevel, LogThreshold } from './logging/levels.ts';
export { logger, type Logger } from './logging/logger.ts';
export type { LogEmitterProvider } from './logging/otel-sink.ts';
export type { LogFormat } from './logging/pipeline.ts';
export type { LogAttributes } from './logging/write.ts';
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
} from './observer/tool-policy-options.ts';
export { handleError } from './observer/handle-error.ts';
export type { RedactionRules } from './redaction/redactor.ts';
export { instrumentHandler, type InstrumentHandlerOptions } from './server/instrument-handler.ts';
export { instrumentServer, type InstrumentServerOptions } from './server/instrument-server.ts';
export type { Authorize, ObservabilityCall } from './tools/access.ts';
export type { ObservabilityTool } from './tools/answers.ts';
export { registerObservabilityTools, type ObservabilityToolsOptions } from './tools/register.ts';
