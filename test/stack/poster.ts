// Posts spans by the thousand: batches encoded once, of which each post gets ids of its own. The load of many servers, without
// the cost of them.
import { randomFillSync } from 'node:crypto';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

const SPANS_A_POST = 500;
const TICK_MS = 20;

/** Posts this many spans a second until it is stopped; half of them are the children of the others. */
export class Poster {
  readonly #url: string;
  readonly #body: Buffer;
  /** Where in the body each id stands; those of one list are the same id. */
  readonly #ids: readonly (readonly number[])[];
  readonly #lengths: readonly number[];
  readonly #timer: NodeJS.Timeout;
  #failed = 0;

  constructor(endpoint: string, spansPerSecond: number) {
    this.#url = `${endpoint}/v1/traces`;
    const { body, ids } = encoded();
    this.#body = body;
    this.#ids = ids.map((id) => placesOf(body, id));
    this.#lengths = ids.map(({ length }) => length);
    let owed = 0;
    let since = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      owed += (spansPerSecond * (now - since)) / 1_000;
      since = now;
      for (; owed >= SPANS_A_POST; owed -= SPANS_A_POST) void this.#post();
    }, TICK_MS);
  }

  /** Posts no more; how many posts were not answered 2xx. */
  stop(): number {
    clearInterval(this.#timer);
    return this.#failed;
  }

  async #post(): Promise<void> {
    const body = Buffer.from(this.#body);
    for (const [index, places] of this.#ids.entries()) {
      const id = randomFillSync(Buffer.alloc(this.#lengths[index] ?? 0));
      for (const place of places) id.copy(body, place);
    }
    const headers = { 'content-type': 'application/x-protobuf' };
    const answer = await fetch(this.#url, { method: 'POST', headers, body }).catch(() => undefined);
    if (answer?.ok !== true) this.#failed++;
    await answer?.arrayBuffer();
  }
}

/** Calls as a client and a server of ours record them, as OTLP, and the ids that are in it. */
function encoded(): { readonly body: Buffer; readonly ids: readonly Buffer[] } {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'posted' }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('toolspan');
  const attributes = {
    'mcp.method.name': 'tools/call',
    'gen_ai.tool.name': 'steady',
    'gen_ai.operation.name': 'execute_tool',
    'jsonrpc.request.id': '1',
    'mcp.protocol.version': '2025-11-25',
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
    'toolspan.outcome': 'ok',
  };
  for (let call = 0; call < SPANS_A_POST / 2; call++) {
    const client = tracer.startSpan('tools/call steady', { kind: SpanKind.CLIENT, attributes });
    const under = trace.setSpan(context.active(), client);
    tracer.startSpan('tools/call steady', { kind: SpanKind.SERVER, attributes }, under).end();
    client.end();
  }
  const spans = exporter.getFinishedSpans();
  const contexts = spans.map((span) => span.spanContext());
  const ids = new Set(contexts.flatMap(({ traceId, spanId }) => [traceId, spanId]));
  return {
    body: Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? []),
    ids: Array.from(ids, (id) => Buffer.from(id, 'hex')),
  };
}

function placesOf(body: Buffer, id: Buffer): number[] {
  const places: number[] = [];
  for (let at = body.indexOf(id); at !== -1; at = body.indexOf(id, at + 1)) places.push(at);
  return places;
}
