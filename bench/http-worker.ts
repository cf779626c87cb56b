// Three HTTP servers in one process, each on a port of its own: the bare one twice, and that of a variant:
// `http-worker.ts <kind> <variant>`. It reports its CPU time when asked.
import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server';
import type { HttpKind } from './http.ts';
import { bareServer, prepare, type Variant } from './variants.ts';

const [kind, variant] = process.argv.slice(2) as [HttpKind, Variant];
const bare = bareServer('v2') as () => McpServer;
const instrumented = (await prepare(variant, 'v2')) as () => McpServer;

const ports: number[] = [];
for (const make of [bare, bare, instrumented]) ports.push(await listen(make));

async function listen(make: () => McpServer): Promise<number> {
  // kept alive while the others have their turns
  const http = createServer({ keepAliveTimeout: 600_000 }, kind === 'http' ? serverForEach(make) : await session(make));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return (http.address() as AddressInfo).port;
}

function serverForEach(make: () => McpServer): RequestListener {
  const handle = toNodeHandler(createMcpHandler(make));
  return (request, response) => void handle(request as never, response);
}

async function session(make: () => McpServer): Promise<RequestListener> {
  const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: randomUUID });
  await make().connect(transport);
  return (request, response) => void transport.handleRequest(request, response);
}

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ micros: user + system });
});
process.send?.({ ports });
