import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { instrumentServer } from 'toolspan';
import { startTelemetry } from 'toolspan/node';
import { z } from 'zod';

await startTelemetry();
const server = instrumentServer(new McpServer({ name: 'weather', version: '1.0.0' }));
server.registerTool('forecast', { inputSchema: z.object({ city: z.string() }) }, async ({ city }) => {
  const answer = await fetch(`https://wttr.in/${encodeURIComponent(city)}?format=3`);
  return { content: [{ type: 'text', text: await answer.text() }] };
});
await server.connect(new StdioServerTransport());
