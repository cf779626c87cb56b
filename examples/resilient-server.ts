import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { instrumentServer, logger, registerObservabilityTools, ToolError } from 'toolspan';
import { startTelemetry } from 'toolspan/node';
import { httpFailure, policy } from 'toolspan/resilience';
import { z } from 'zod';

await startTelemetry();

const weather = policy('weather', {
  attemptTimeoutMs: 2_000,
  retry: { attempts: 3 },
  breaker: { failures: 5 },
  failOn: httpFailure,
});

const server = instrumentServer(new McpServer({ name: 'weather', version: '1.0.0' }), {
  tools: { '*': { timeoutMs: 10_000, bulkhead: { concurrency: 20 } } },
});

server.registerTool('forecast', { inputSchema: z.object({ city: z.string() }) }, async ({ city }) => {
  const url = `https://wttr.in/${encodeURIComponent(city)}?format=3`;
  const answer = await weather.run(({ signal }) => fetch(url, { signal }));
  if (answer.status === 404) throw new ToolError('RESOURCE_NOT_FOUND', `There is no city ${city}`);
  logger.info('forecast served', { city });
  return { content: [{ type: 'text', text: await answer.text() }] };
});

await registerObservabilityTools(server);
await server.connect(new StdioServerTransport());
