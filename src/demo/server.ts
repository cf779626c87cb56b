// The demo's MCP server: a few tools that succeed, fail, take long, and ask back.
import {
  createMcpHandler,
  inputRequired,
  acceptedContent,
  McpServer,
  type McpHttpHandler,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { instrumentHandler, instrumentServer, logger, registerObservabilityTools, ToolError } from '../index.ts';
import { VERSION } from '../version.ts';
import { registerMonitoringTools } from './monitoring-tools.ts';
import { registerReferenceTools } from './reference-tools.ts';
import { registerResilientTools, type ResilientToolOptions } from './resilient-tools.ts';
import { text } from './text.ts';

/** What the demo's server needs of its surroundings. */
export interface DemoServerOptions {
  /** Base URL of the weather service that `forecast` asks. */
  readonly weatherUrl: string;
  /** How the resilient tools behave. @default as the reference tools do */
  readonly resilience?: ResilientToolOptions | undefined;
}

/** The HTTP handler of the demo: a server for each request, in either era, every one of them observed. */
export function demoHandler(options: DemoServerOptions): McpHttpHandler {
  return instrumentHandler(createMcpHandler(() => demoServer(options)));
}

async function demoServer({ weatherUrl, resilience }: DemoServerOptions): Promise<McpServer> {
  const server = instrumentServer(
    new McpServer({ name: 'toolspan-demo', version: VERSION }, { capabilities: { logging: {} } }),
    // it is open to whoever reaches the port: what fails inside stays inside
    { errors: 'strict' },
  );
  registerReferenceTools(server);
  registerResilientTools(server, resilience);

  server.registerTool(
    'forecast',
    {
      title: 'Weather forecast',
      description: 'The weather in a city. Knows Paris, Oslo and Lima.',
      inputSchema: z.object({ city: z.string().describe('Name of the city') }),
      annotations: { readOnlyHint: true },
    },
    async ({ city }, ctx) => {
      const response = await fetch(`${weatherUrl}/${encodeURIComponent(city)}`, { signal: ctx.mcpReq.signal });
      if (response.status === 404)
        throw new ToolError('RESOURCE_NOT_FOUND', `No forecast for ${city}`, { details: { city } });
      if (!response.ok) throw new ToolError('UNAVAILABLE', 'The weather service fails');
      logger.info('forecast served', { city });
      return text(await response.text());
    },
  );

  server.registerTool(
    'divide',
    { title: 'Divide', description: 'Divides whole numbers.', inputSchema: z.object({ a: z.int(), b: z.int() }) },
    ({ a, b }) => text(String(BigInt(a) / BigInt(b))),
  );

  server.registerTool(
    'report',
    {
      title: 'Slow report',
      description: 'Writes a report; takes its time, and stops when it is cancelled.',
      inputSchema: z.object({ seconds: z.number().min(0).max(60) }),
    },
    async ({ seconds }, ctx) => {
      await pause(seconds * 1_000, ctx.mcpReq.signal);
      return text('The report is written.');
    },
  );

  server.registerTool(
    'book',
    {
      title: 'Book a flight',
      description: 'Books a flight once the traveller has confirmed it.',
      inputSchema: z.object({ to: z.string() }),
    },
    ({ to }, ctx) => {
      const confirmation = z.object({ confirm: z.boolean() });
      const answer = acceptedContent(ctx.mcpReq.inputResponses, 'confirm', confirmation);
      if (answer?.confirm === true) return text(`Booked: ${to}`);
      return inputRequired({
        inputRequests: {
          confirm: inputRequired.elicit({ message: `Book a flight to ${to}?`, requestedSchema: confirmation }),
        },
      });
    },
  );

  registerMonitoringTools(server);
  return registerObservabilityTools(server);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException('The report was cancelled', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    // the withdrawal of a call never arrives where each request has a server of its own: the demo does not wait for its end
    timer.unref();
    signal.addEventListener('abort', stop, { once: true });
  });
}
