// Takes OTLP over HTTP and counts the spans, in a process of its own so that its work is nobody's cost.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readOtlp } from '../test/harness/otlp-protobuf.ts';
import type { OtlpTraces } from '../test/harness/span.ts';

let spans = 0;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    if (request.url === '/v1/traces') spans += count(Buffer.concat(chunks));
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', () => process.send?.({ spans }));

function count(body: Buffer): number {
  const { resourceSpans = [] } = readOtlp('traces', body) as OtlpTraces;
  return resourceSpans
    .flatMap(({ scopeSpans = [] }) => scopeSpans)
    .reduce((sum, { spans: list = [] }) => sum + list.length, 0);
}
