// A server with the agent's tools on it, and a client of the same generation that validates their answers.
import { Client as ClientV2, InMemoryTransport as MemoryV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport as MemoryV1 } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer as ServerV2 } from '@modelcontextprotocol/server';
import { metrics, trace } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { onTestFinished } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { instrumentServer, registerObservabilityTools, type ObservabilityToolsOptions } from '../../src/index.ts';
import { agentMetricReader, agentSpanProcessor } from '../../src/node/index.ts';
import type { Generation } from '../fixtures/reference-server.ts';

export const TOOLS = ['get_server_health', 'get_server_metrics', 'get_recent_errors', 'get_trace'];

export interface Answer {
  readonly content: readonly { readonly text: string }[];
  // what a client has validated by the tool's schema
  readonly structuredContent: Record<string, never>;
  readonly isError?: boolean;
}

let made = 0;

/** A server with two tools of its own and those for agents, and a client that knows their schemas. */
export async function connected(generation: Generation, options: ObservabilityToolsOptions = {}, instrumented = true) {
  const name = `tools ${process.pid} ${made++}`;
  const server = generation === 'v1' ? new ServerV1({ name, version: '1' }) : new ServerV2({ name, version: '1' });
  const { registerTool } = server as unknown as {
    registerTool(name: string, config: object, run: () => unknown): void;
  };
  const register = registerTool.bind(server);
  register('works', {}, () => ({ content: [{ type: 'text', text: 'done' }] }));
  register('breaks', {}, () => {
    throw new TypeError('the password is hunter2');
  });
  register('refuses', {}, () => {
    throw new ToolError('RESOURCE_NOT_FOUND', 'There is no city Atlantis; password=hunter2');
  });
  if (instrumented) instrumentServer(server);
  await registerObservabilityTools(server, options);
  const [ours, theirs] = (generation === 'v1' ? MemoryV1 : MemoryV2).createLinkedPair();
  const client =
    generation === 'v1' ? new ClientV1({ name: 'agent', version: '1' }) : new ClientV2({ name: 'agent', version: '1' });
  // both generations have these in common
  const agent = client as ClientV1;
  await (server as ServerV1).connect(theirs);
  await agent.connect(ours);
  const { tools } = await agent.listTools();
  onTestFinished(() => agent.close());
  return {
    name,
    server,
    tools,
    call: async (tool: string, args: Record<string, unknown> = {}) =>
      (await agent.callTool({ name: tool, arguments: args })) as unknown as Answer,
  };
}

/** Providers of an application with the agent's reader and processor in them, registered globally. */
export function ownSdk() {
  const reader = agentMetricReader();
  const processor = agentSpanProcessor();
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [processor] }));
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  onTestFinished(async () => {
    await Promise.all([reader.shutdown(), processor.shutdown()]);
    trace.disable();
    metrics.disable();
  });
}
