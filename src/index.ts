// The public surface of `toolspan`. Loads no OpenTelemetry SDK, no exporter, no zod and no MCP package.
export { instrumentClient, type InstrumentClientOptions } from './client/instrument-client.ts';
export type { DoorOptions } from './observer/door-options.ts';
export { instrumentHandler, type InstrumentHandlerOptions } from './server/instrument-handler.ts';
export { instrumentServer, type InstrumentServerOptions } from './server/instrument-server.ts';
