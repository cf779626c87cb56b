// The receiver against 100,000 broken bodies: none may end the process, hang it, or be answered with a 5xx.
import { gzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import { openPort } from '../../src/loopback/listen.ts';
import { encodeMessage } from '../../src/viewer/otlp/encode.ts';
import { REQUESTS, type Signal } from '../../src/viewer/otlp/schema.ts';
import { MalformedError } from '../../src/viewer/otlp/wire.ts';
import { Receiver } from '../../src/viewer/receiver/receiver.ts';
import { Store } from '../../src/viewer/store/store.ts';
import { traceView } from '../../src/viewer/api/traces.ts';
import { metricView } from '../../src/viewer/api/metrics.ts';
import { logList } from '../../src/viewer/api/logs.ts';
import { summarise } from '../../src/viewer/api/summaries.ts';
import { verifies } from '../harness/verifies.ts';
import { logsBody, spansBody } from './otlp-bodies.ts';
import { call, durations } from './sample-telemetry.ts';

const PAYLOADS = 100_000;
const OVER_HTTP = 3_000;
const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];

/** Numbers that are the same in every run: a failure can be looked at again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 13), 0x297a2d39);
    return ((mixed ^ (mixed >>> 16)) >>> 0) % below;
  };
}

function mutate(seed: Buffer, next: (below: number) => number): Buffer {
  let bytes = Buffer.from(seed);
  for (let changes = 1 + next(6); changes > 0; changes--) {
    const at = next(bytes.length + 1);
    const length = next(12);
    switch (next(6)) {
      case 0:
        if (bytes.length > 0) bytes[at % bytes.length] = next(256);
        break;
      case 1:
        bytes = bytes.subarray(0, at);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(Array.from({ length }, () => next(256))),
          bytes.subarray(at),
        ]);
        break;
      case 4:
        if (bytes.length > 0) bytes[at % bytes.length] = [0, 0x7f, 0x80, 0xff][next(4)] ?? 0;
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
    }
  }
  return bytes;
}

function seeds(): Readonly<Record<Signal, { json: Buffer; protobuf: Buffer }>> {
  const { spans, logs } = call('forecast', Date.now(), 30, 'tool_error');
  const [metrics = {}] = durations('forecast', Date.now(), Date.now());
  const both = (signal: Signal, body: object) => ({
    json: Buffer.from(JSON.stringify(body)),
    protobuf: encodeMessage(REQUESTS[signal], body),
  });
  return {
    traces: both('traces', spansBody(spans)),
    logs: both('logs', logsBody(logs)),
    metrics: both('metrics', metrics),
  };
}

describe('broken bodies', () => {
  verifies(
    'receiver.fuzz',
    () => {
      const next = random(20_261_124);
      const store = new Store({ maxBytes: 8 * 1024 * 1024 });
      const from = seeds();
      let [taken, refused] = [0, 0];
      for (let index = 0; index < PAYLOADS; index++) {
        const signal = SIGNALS[index % 3] ?? 'traces';
        try {
          if (index % 2 === 0) store.add(signal, mutate(from[signal].protobuf, next));
          else {
            const parsed = parse(mutate(from[signal].json, next));
            if (parsed === undefined) continue;
            store.add(signal, encodeMessage(REQUESTS[signal], parsed));
          }
          taken++;
        } catch (error) {
          if (!(error instanceof MalformedError)) throw new Error(`payload ${index}`, { cause: error });
          refused++;
        }
      }
      expect(taken).toBeGreaterThan(PAYLOADS / 20);
      expect(refused).toBeGreaterThan(PAYLOADS / 20);
      // and whatever was taken can be looked at
      for (const trace of store.spans.traces.values()) {
        expect(traceView(store, trace).spans.length).toBeGreaterThan(0);
        JSON.stringify(summarise(store, trace));
      }
      logList(store, { limit: 1_000 });
      const window = { fromMs: Date.now() - 3_600_000, toMs: Date.now() };
      for (const instrument of store.metrics.instruments.values()) JSON.stringify(metricView(instrument, window, 20));
    },
    'read and stored',
  );

  verifies(
    'receiver.fuzz',
    async () => {
      const next = random(7);
      const store = new Store();
      const failures: unknown[] = [];
      const receiver = new Receiver({ take: (signal, body) => store.add(signal, body) });
      const port = await openPort((request, response) => {
        receiver.handle(request, response, request.url ?? '').catch((error: unknown) => {
          failures.push(error);
          response.writeHead(500).end();
        });
      }, 0);
      const from = seeds();
      const statuses = new Set<number>();
      for (let index = 0; index < OVER_HTTP; index += 20) {
        const batch = Array.from({ length: 20 }, async (_, offset) => {
          const signal = SIGNALS[(index + offset) % 3] ?? 'traces';
          const json = next(2) === 0;
          const gzip = next(3) === 0;
          const plain = mutate(from[signal][json ? 'json' : 'protobuf'], next);
          // what is broken is the text, or the packing of it
          const body = !gzip ? plain : next(2) === 0 ? gzipSync(plain) : mutate(gzipSync(plain), next);
          const response = await fetch(`http://127.0.0.1:${port.port}/v1/${signal}`, {
            method: 'POST',
            headers: {
              'content-type': json ? 'application/json' : 'application/x-protobuf',
              ...(gzip && { 'content-encoding': 'gzip' }),
            },
            body: Uint8Array.from(body),
          });
          await response.arrayBuffer();
          statuses.add(response.status);
        });
        await Promise.all(batch);
      }
      await port.close();
      expect(failures).toEqual([]);
      expect([...statuses].toSorted()).toEqual([200, 400]);
    },
    'over HTTP',
  );
});

function parse(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'));
  } catch {
    return undefined;
  }
}
