// The variants that are compared, and the server that each of them is.
import { metrics, trace, context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer as ServerV2 } from '@modelcontextprotocol/server';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  InMemoryMetricExporter,
  AggregationTemporality,
} from '@opentelemetry/sdk-metrics';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { z } from 'zod';
import { instrumentServer } from '../src/index.ts';
import { startTelemetry } from '../src/node/index.ts';

export const INSTRUMENTED = ['disabled', 'no SDK', 'span + metrics', 'exporting'] as const;
export const VARIANTS = ['plain', 'plain again', ...INSTRUMENTED] as const;
export type Variant = (typeof VARIANTS)[number];
export type Generation = 'v1' | 'v2';
export type Transport = 'memory' | 'stdio';

/** Sets the process up for a variant; returns what makes its servers. */
export async function prepare(variant: Variant, generation: Generation): Promise<() => ServerV1 | ServerV2> {
  if (variant === 'disabled') process.env['TOOLSPAN_DISABLED'] = 'true';
  if (variant === 'span + metrics') withoutExport();
  if (variant === 'exporting') await startTelemetry({ serviceName: 'bench' });
  const make = bareServer(generation);
  return variant === 'plain' || variant === 'plain again' ? make : () => instrumentServer(make());
}

/** What makes servers without any telemetry. */
export function bareServer(generation: Generation): () => ServerV1 | ServerV2 {
  return generation === 'v1' ? serverV1 : serverV2;
}

// Spans and measurements are made and kept by nobody: what is left is the cost of making them.
function withoutExport(): void {
  const done = () => Promise.resolve();
  const nowhere = { onStart: () => {}, onEnd: () => {}, forceFlush: done, shutdown: done };
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [nowhere] }));
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  metrics.setGlobalMeterProvider(
    new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] }),
  );
}

const echo = ({ text }: { text: string }) => ({ content: [{ type: 'text' as const, text }] });

function serverV1(): ServerV1 {
  const server = new ServerV1({ name: 'bench', version: '1' });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, echo);
  return server;
}

function serverV2(): ServerV2 {
  const server = new ServerV2({ name: 'bench', version: '1' });
  server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) }, echo);
  return server;
}
