// A server and a client of it in one process, both instrumented, joined in memory: sessions, load without the cost of HTTP, and
// a tool that lets secrets slip. It does what it is told over IPC.
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server';
import { logs, metrics, ROOT_CONTEXT, SeverityNumber, SpanStatusCode, trace } from '@opentelemetry/api';
import { z } from 'zod';
import { configureLogging, instrumentClient, instrumentServer } from '../../src/index.ts';
import { startTelemetry } from '../../src/node/index.ts';

/** What the process is told. */
export type Order =
  | { readonly order: 'rate'; readonly callsPerSecond: number }
  | { readonly order: 'careless'; readonly secret: string }
  | { readonly order: 'stop' };

/** Where the secret was let slip. */
export interface Slipped {
  readonly traceId: string;
  readonly spanId: string;
}

const TICK_MS = 20;
const telemetry = await startTelemetry({ serviceName: process.argv[2] ?? 'load' });
// what is logged goes to the collector, not to stderr as well
configureLogging({ level: 'info', write: () => {} });

const server = instrumentServer(new McpServer({ name: 'load', version: '1' }));
server.registerTool('steady', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => ({
  content: [{ type: 'text', text: text.toUpperCase() }],
}));
const client = instrumentClient(new Client({ name: 'load', version: '1' }));
const [ours, theirs] = InMemoryTransport.createLinkedPair();
await Promise.all([server.connect(theirs), client.connect(ours)]);
await client.listTools();

/** A span as a careless server of another make sends it: the secret is in every place that there is. */
function careless(secret: string): Slipped {
  const span = trace.getTracer('careless').startSpan(`answer ${secret}`);
  span.setAttributes({ note: `I said ${secret}`, list: [secret], 'app.password': secret });
  span.addEvent('exception', { 'exception.message': secret, 'exception.stacktrace': `Error: ${secret}\n at x` });
  span.setStatus({ code: SpanStatusCode.ERROR, message: secret });
  span.end();
  metrics.getMeter('careless').createCounter('careless.answers').add(1, { note: secret });
  logs.getLogger('careless').emit({
    severityNumber: SeverityNumber.ERROR,
    body: { said: secret, also: `token=${secret}` },
    attributes: { note: secret },
    context: trace.setSpanContext(ROOT_CONTEXT, span.spanContext()),
  });
  return span.spanContext();
}

let callsPerSecond = 0;
let owed = 0;
let since = performance.now();
setInterval(() => {
  const now = performance.now();
  owed += (callsPerSecond * (now - since)) / 1_000;
  since = now;
  for (; owed >= 1; owed--) {
    void client.callTool({ name: 'steady', arguments: { text: 'hello' } }).catch(() => process.exit(1));
  }
}, TICK_MS);

// whoever gave the orders is gone
process.on('disconnect', () => process.exit());
process.on('message', (order: Order) => {
  if (order.order === 'careless') process.send?.(careless(order.secret));
  else if (order.order === 'rate') {
    ({ callsPerSecond } = order);
    process.send?.({});
  } else {
    callsPerSecond = 0;
    void client
      .close()
      .then(() => telemetry.shutdown())
      .then(() => process.exit());
  }
});
process.send?.({});
