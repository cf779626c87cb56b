// Run in a project with @opentelemetry/api 1.9 and SDK 2.x: prints the span and the metric of one call.
import { context, trace } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { instrumentServer } from 'toolspan';
import { startTelemetry } from 'toolspan/node';

class PullReader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
const reader = new PullReader();
const meterProvider = new MeterProvider({ readers: [reader] });

const server = instrumentServer(new McpServer({ name: 'old', version: '1' }), { meterProvider });
let inside;
server.registerTool('look', {}, () => {
  inside = trace.getSpanContext(context.active()).spanId;
  return { content: [] };
});
server.registerTool('boom', {}, () => {
  throw new TypeError('boom went off');
});
const [ours, theirs] = InMemoryTransport.createLinkedPair();
const client = new Client({ name: 'me', version: '1' });
await Promise.all([server.connect(theirs), client.connect(ours)]);
await client.callTool({
  name: 'look',
  _meta: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
});
await client.callTool({ name: 'boom' });
await client.close();

const spans = exporter.getFinishedSpans().filter(({ name }) => name.startsWith('tools/call'));
const { resourceMetrics } = await reader.collect();
const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics.map(({ descriptor }) => descriptor.name));
const refusal = await startTelemetry().then(
  () => 'started',
  ({ message }) => message,
);
console.log(
  JSON.stringify({
    spans: spans.map(({ name, kind, attributes, events, status }) => ({
      name,
      kind,
      attributes,
      events: events.map((event) => [event.name, event.attributes['exception.type']]),
      status: status.code,
    })),
    trace: spans[0].spanContext().traceId,
    inside: inside === spans[0].spanContext().spanId,
    metrics,
    refusal,
  }),
);
