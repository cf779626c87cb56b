import { metrics, trace } from '@opentelemetry/api';
import { McpServer } from '@modelcontextprotocol/server';
import { InMemoryTransport, Client } from '@modelcontextprotocol/client';
import { instrumentServer } from 'toolspan';

// An application that has an OpenTelemetry SDK already needs nothing but this one call; the global providers are used, or
// those that are passed in.
const server = instrumentServer(new McpServer({ name: 'clock', version: '1.0.0' }), {
  tracerProvider: trace.getTracerProvider(),
  meterProvider: metrics.getMeterProvider(),
  maxOperationMs: 60_000,
});
server.registerTool('now', {}, () => ({ content: [{ type: 'text', text: new Date().toISOString() }] }));

const [ours, theirs] = InMemoryTransport.createLinkedPair();
const client = new Client({ name: 'me', version: '1.0.0' });
await Promise.all([server.connect(theirs), client.connect(ours)]);
console.log(await client.callTool({ name: 'now' }));
await client.close();
