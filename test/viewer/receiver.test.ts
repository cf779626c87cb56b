// The receiver over a real socket: every answer that the specification has, limits, back-pressure, broken bodies.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { deflateSync, gzipSync } from 'node:zlib';
import { logs as logsApi, metrics as metricsApi, trace } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect } from 'vitest';
import { openPort, type OpenPort } from '../../src/loopback/listen.ts';
import { encodeMessage } from '../../src/viewer/otlp/encode.ts';
import { REQUESTS } from '../../src/viewer/otlp/schema.ts';
import { Receiver, type ReceiverOptions } from '../../src/viewer/receiver/receiver.ts';
import { Store } from '../../src/viewer/store/store.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { spanId, spansBody, traceId } from './otlp-bodies.ts';

const opened: OpenPort[] = [];
afterEach(async () => {
  for (const port of opened.splice(0)) await port.close();
});

async function receiver(options: Partial<ReceiverOptions> = {}, store = new Store()) {
  const made = new Receiver({ take: (signal, body) => store.add(signal, body), ...options });
  const failures: unknown[] = [];
  const port = await openPort((request, response) => {
    made.handle(request, response, (request.url ?? '').split('?')[0] ?? '').catch((error: unknown) => {
      failures.push(error);
      response.writeHead(500).end();
    });
  }, 0);
  opened.push(port);
  return { store, failures, url: `http://127.0.0.1:${port.port}` };
}

const one = () => ({ traceId: traceId(), spanId: spanId(), name: 'a', kind: 2, startMs: Date.now(), durationMs: 5 });
const protobuf = (count = 1) => encodeMessage(REQUESTS.traces, spansBody(Array.from({ length: count }, one)));

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends exactly these headers, which fetch would not. */
function send(
  url: string,
  path: string,
  body: Buffer | string,
  headers: Record<string, string>,
  method = 'POST',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url + path, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const JSON_TYPE = { 'content-type': 'application/json' };

describe('the receiver', () => {
  verifies('receiver.answers', async () => {
    const { url, store } = await receiver();
    const ok = await send(url, '/v1/traces', protobuf(), PROTOBUF);
    expect(ok).toMatchObject({ status: 200, headers: { 'content-type': 'application/x-protobuf' } });
    expect(ok.body).toHaveLength(0);
    const json = await send(url, '/v1/traces', JSON.stringify(spansBody([one()])), {
      'content-type': 'Application/JSON; charset=utf-8',
    });
    expect(json).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(json.body.toString()).toBe('{}');
    for (const [encoding, body] of [
      ['gzip', gzipSync(protobuf())],
      ['deflate', deflateSync(protobuf())],
      ['identity', protobuf()],
    ] as const) {
      expect(
        (await send(url, '/v1/traces', body, { ...PROTOBUF, 'content-encoding': encoding })).status,
        encoding,
      ).toBe(200);
    }
    // an empty request is one
    expect((await send(url, '/v1/logs', '', PROTOBUF)).status).toBe(200);
    expect(store.fill.spans).toBe(5);
  });

  verifies(
    'receiver.answers',
    async () => {
      const { url, store, failures } = await receiver();
      const bad: [number, number, string, string, Record<string, string>, string?][] = [
        [400, 3, '/v1/traces', '{"resourceSpans":1}', JSON_TYPE],
        [400, 3, '/v1/traces', 'no json', JSON_TYPE],
        [400, 3, '/v1/traces', 'no protobuf', PROTOBUF],
        [400, 3, '/v1/traces', 'no gzip', { ...PROTOBUF, 'content-encoding': 'gzip' }],
        [415, 3, '/v1/traces', 'x', { ...PROTOBUF, 'content-encoding': 'br' }],
        [415, 3, '/v1/traces', 'x', { 'content-type': 'text/plain' }],
        [415, 3, '/v1/traces', 'x', {}],
        [404, 5, '/v1/profiles', 'x', PROTOBUF],
        [405, 12, '/v1/traces', '', PROTOBUF, 'PUT'],
      ];
      for (const [status, code, path, body, headers, method] of bad) {
        const answer = await send(url, path, body, headers, method);
        expect(answer.status, `${path} ${body}`).toBe(status);
        if (answer.headers['content-type'] === 'application/json') {
          const { code: got, message } = JSON.parse(answer.body.toString()) as { code: number; message: string };
          expect(got).toBe(code);
          expect(message).not.toBe('');
        } else expect([...answer.body.subarray(0, 2)]).toEqual([0x08, code]);
      }
      expect(failures).toEqual([]);
      expect(store.fill.received.traces).toBe(0);
    },
    'of what is bad, with a Status in the type of the request',
  );

  verifies(
    'receiver.answers',
    async () => {
      const { url, store } = await receiver();
      const spans = [
        one(),
        { ...one(), traceId: '0'.repeat(32) },
        { ...one(), spanId: 'ab' },
        { ...one(), name: 'x'.repeat(1_100_000) },
      ];
      const answer = await send(url, '/v1/traces', JSON.stringify(spansBody(spans)), JSON_TYPE);
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body.toString())).toEqual({
        partialSuccess: { rejectedSpans: '3', errorMessage: expect.stringContaining('bytes a record') as string },
      });
      const again = await send(
        url,
        '/v1/traces',
        encodeMessage(REQUESTS.traces, spansBody(spans.slice(1, 3))),
        PROTOBUF,
      );
      // partial_success { rejected_spans: 2, error_message }
      expect([...again.body.subarray(0, 5)]).toEqual([0x0a, again.body.length - 2, 0x08, 2, 0x12]);
      expect(store.fill).toMatchObject({ spans: 1, rejected: { traces: 5 } });
    },
    'of what is taken in part',
  );

  verifies('receiver.limits', async () => {
    const limits = { wire: 20_000, inflated: 50_000 };
    const { url, store } = await receiver({ limits });
    const big = protobuf(1_000);
    expect(big.length).toBeGreaterThan(limits.inflated);
    const refused = await send(url, '/v1/traces', big, PROTOBUF);
    expect(refused).toMatchObject({ status: 413, headers: { connection: 'close' } });
    // the length is not said, so it is found out
    const unsaid = new Promise<number>((resolve) => {
      const sent = httpRequest(`${url}/v1/traces`, { method: 'POST', headers: PROTOBUF }, (response) =>
        resolve(response.resume().statusCode ?? 0),
      );
      sent.on('error', () => {});
      for (let at = 0; at < big.length; at += 4_000) sent.write(big.subarray(at, at + 4_000));
    });
    expect(await unsaid).toBe(413);
    // a bomb: small on the wire, 100 MB inside
    const bomb = gzipSync(Buffer.alloc(15_000_000));
    expect(bomb.length).toBeLessThan(limits.wire);
    expect((await send(url, '/v1/traces', bomb, { ...PROTOBUF, 'content-encoding': 'gzip' })).status).toBe(413);
    expect(store.fill.spans).toBe(0);
    expect((await send(url, '/v1/traces', protobuf(), PROTOBUF)).status).toBe(200);
  });

  verifies('receiver.back-pressure', async () => {
    const { url, store } = await receiver({ maxPendingBytes: 1_000 });
    const slow = httpRequest(`${url}/v1/traces`, { method: 'POST', headers: { ...PROTOBUF, 'content-length': '900' } });
    slow.on('error', () => {});
    slow.flushHeaders();
    const refused = await eventually('a refusal', async () => {
      const answer = await send(url, '/v1/traces', protobuf(), PROTOBUF);
      return answer.status === 503 ? answer : undefined;
    });
    expect(refused.headers['retry-after']).toBe('1');
    const before = store.fill.spans;
    slow.destroy();
    await eventually(
      'there is room again',
      async () => (await send(url, '/v1/traces', protobuf(), PROTOBUF)).status === 200 || undefined,
    );
    expect(store.fill.spans).toBe(before + 1);
  });

  verifies('receiver.exporters', async () => {
    const { url, store } = await receiver();
    const exporter = new OTLPTraceExporter({ url: `${url}/v1/traces` });
    const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    const span = tracerProvider.getTracer('t').startSpan('from an sdk', { attributes: { 'gen_ai.tool.name': 'x' } });
    span.end();
    await tracerProvider.forceFlush();
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: `${url}/v1/metrics` }),
    });
    const meterProvider = new MeterProvider({ readers: [reader] });
    meterProvider.getMeter('m').createCounter('made').add(3);
    await meterProvider.forceFlush();
    const logExporter = new OTLPLogExporter({ url: `${url}/v1/logs` });
    const loggerProvider = new LoggerProvider({
      processors: [new SimpleLogRecordProcessor({ exporter: logExporter })],
    });
    loggerProvider
      .getLogger('l')
      .emit({ body: 'said', context: trace.setSpan((await import('@opentelemetry/api')).ROOT_CONTEXT, span) });
    await loggerProvider.forceFlush();
    await eventually(
      'all three have come',
      () => (store.fill.spans === 1 && store.fill.logs === 1 && store.fill.instruments === 1) || undefined,
    );
    const { traceId: id } = span.spanContext();
    expect(store.spans.traces.has(id)).toBe(true);
    expect(store.logs.ofTrace(id)).toHaveLength(1);
    await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown(), loggerProvider.shutdown()]);
    expect([metricsApi, logsApi]).toHaveLength(2);
  });

  verifies(
    'receiver.exporters',
    () => {
      const memory = new InMemorySpanExporter();
      const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] });
      for (const name of ['a', 'b']) provider.getTracer('t').startSpan(name).end();
      const spans = memory.getFinishedSpans();
      const stores = [new Store(), new Store()] as const;
      stores[0].add('traces', Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? []));
      const json = JSON.parse(Buffer.from(JsonTraceSerializer.serializeRequest(spans) ?? []).toString()) as unknown;
      stores[1].add('traces', encodeMessage(REQUESTS.traces, json));
      expect([...stores[0].spans.traces.keys()]).toEqual([...stores[1].spans.traces.keys()]);
      expect(stores[0].spans.traces.size).toBe(2);
    },
    'one trace in both encodings is the same trace',
  );
});
