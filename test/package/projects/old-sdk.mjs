// Run in a project with the oldest SDK v1 that is supported: prints the exceptions that its tools threw.
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { instrumentServer } from 'toolspan';

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
const boom = () => {
  throw new TypeError('boom went off');
};

const server = new McpServer({ name: 'old', version: '1' });
server.registerTool('before', {}, boom);
instrumentServer(server);
server.tool('after', boom);
const [ours, theirs] = InMemoryTransport.createLinkedPair();
const client = new Client({ name: 'me', version: '1' });
await Promise.all([server.connect(theirs), client.connect(ours)]);
for (const name of ['before', 'after']) await client.callTool({ name });
await client.close();
const calls = exporter.getFinishedSpans().filter(({ name }) => name.startsWith('tools/call'));
console.log(
  JSON.stringify(calls.map(({ name, events }) => [name, events.map((event) => event.attributes['exception.type'])])),
);
