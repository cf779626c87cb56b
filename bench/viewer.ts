// What the viewer can take in, and how fast it finds: over the wire, in a process of its own, with whole SDK batches.
import { randomBytes } from 'node:crypto';
import { ProtobufWriter } from '../src/node/protobuf-writer.ts';
import { Forked } from './process.ts';

/** What was measured. */
export interface ViewerFigures {
  /** Spans that one core takes in a second, from the CPU time of the viewer. */
  readonly spansPerSecond: number;
  /** Growth of what it holds (heap and buffers) from the moment at which its store is full to 1.2 million more spans. */
  readonly growthBytes: number;
  /** The same of all memory of the process. */
  readonly residentGrowthBytes: number;
  /** CPU time of each search over the spans that are held, in ms, with reading the question and writing the answer. */
  readonly searchesMs: Readonly<Record<string, number>>;
  readonly spansHeld: number;
}

const BATCH = 512;
const FILL = 800_000;
const MEASURED = 1_200_000;
const SEARCH_ROUNDS = 20;
const SEARCHES: Readonly<Record<string, string>> = {
  newest: 'limit=50',
  tool: 'tool=tool_3',
  outcome: 'outcome=tool_error',
  'error code and tool': 'error_code=TIMEOUT&tool=tool_5',
  duration: 'min_duration_ms=90',
  attribute: 'attribute=jsonrpc.request.id%3D123456',
  text: 'text=request%20777',
  'text that is everywhere': 'text=o',
  slowest: 'sort=slowest',
};

/** Measures a viewer. */
export async function measureViewer(): Promise<ViewerFigures> {
  const [worker, { endpoint }] = await Forked.start<{ endpoint: string }>('viewer-worker.ts');
  const usage = () => worker.ask<{ micros: number; held: number; rss: number }>({});
  await send(endpoint, FILL);
  const full = await usage();
  await send(endpoint, MEASURED);
  const after = await usage();
  const searchesMs: Record<string, number> = {};
  for (const [name, query] of Object.entries(SEARCHES)) {
    const before = await usage();
    for (let round = 0; round < SEARCH_ROUNDS; round++) {
      await (await fetch(`${endpoint}/api/traces?${query}`)).arrayBuffer();
    }
    searchesMs[name] = ((await usage()).micros - before.micros) / SEARCH_ROUNDS / 1_000;
  }
  const { spans } = (await (await fetch(`${endpoint}/api/status`)).json()) as { spans: number };
  worker.stop();
  return {
    spansPerSecond: MEASURED / ((after.micros - full.micros) / 1e6),
    growthBytes: after.held - full.held,
    residentGrowthBytes: after.rss - full.rss,
    searchesMs,
    spansHeld: spans,
  };
}

async function send(endpoint: string, spans: number): Promise<void> {
  for (let sent = 0; sent < spans; sent += BATCH) {
    const body = Uint8Array.from(batch());
    const headers = { 'content-type': 'application/x-protobuf' };
    const response = await fetch(`${endpoint}/v1/traces`, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(`the viewer answered ${response.status}`);
    await response.arrayBuffer();
  }
}

let made = 0;

/** A batch as the SDK of an MCP server sends it: client and server span of each call, ten attributes each. */
function batch(): Uint8Array {
  const writer = new ProtobufWriter(512 * 1_024);
  const ofResource = writer.open(1);
  const resource = writer.open(1);
  attribute(writer, 1, 'service.name', 'bench');
  writer.close(resource);
  const ofScope = writer.open(2);
  const seconds = Math.floor(Date.now() / 1_000);
  for (let index = 0; index < BATCH; index += 2) {
    const [traceId, client, server] = [randomBytes(16), randomBytes(8), randomBytes(8)];
    for (const [spanId, parent, kind] of [
      [client, undefined, 3],
      [server, client, 2],
    ] as const) {
      made++;
      const tool = `tool_${made % 12}`;
      const failed = made % 17 === 0;
      const span = writer.open(2);
      writer.bytes(1, traceId);
      writer.bytes(2, spanId);
      if (parent !== undefined) writer.bytes(4, parent);
      writer.text(5, `tools/call ${tool}`);
      writer.varint(6, kind);
      writer.time(7, [seconds, made % 1_000_000_000]);
      writer.time(8, [seconds, (made % 1_000_000_000) + ((made * 7_919) % 100) * 1e6]);
      attribute(writer, 9, 'mcp.method.name', 'tools/call');
      attribute(writer, 9, 'gen_ai.tool.name', tool);
      attribute(writer, 9, 'gen_ai.operation.name', 'execute_tool');
      attribute(writer, 9, 'jsonrpc.request.id', String(made));
      attribute(writer, 9, 'mcp.protocol.version', '2026-07-28');
      attribute(writer, 9, 'network.transport', 'tcp');
      attribute(writer, 9, 'network.protocol.name', 'http');
      attribute(writer, 9, 'note', `request ${made}`);
      attribute(writer, 9, 'toolspan.outcome', failed ? 'tool_error' : 'ok');
      if (failed) attribute(writer, 9, 'toolspan.error.code', 'TIMEOUT');
      writer.close(span);
    }
  }
  writer.close(ofScope);
  writer.close(ofResource);
  return writer.view();
}

function attribute(writer: ProtobufWriter, field: number, key: string, value: string): void {
  const pair = writer.open(field);
  writer.text(1, key);
  const any = writer.open(2);
  writer.text(1, value);
  writer.close(any);
  writer.close(pair);
}
