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
export { isToolError, ToolError, type ToolErrorOptions } from './errors/tool-error.ts';
export type { DoorOptions } from './observer/door-options.ts';
export { instrumentHandler, type InstrumentHandlerOptions } from './server/instrument-handler.ts';
export { instrumentServer, type InstrumentServerOptions } from './server/instrument-server.ts';
