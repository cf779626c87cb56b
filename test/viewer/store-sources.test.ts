// What the store holds beside records: resources, scopes, and the texts of metrics.
import { describe, expect } from 'vitest';
import { encodeMessage } from '../../src/viewer/otlp/encode.ts';
import { REQUESTS, type Signal } from '../../src/viewer/otlp/schema.ts';
import { Store } from '../../src/viewer/store/store.ts';
import { usedBytes } from '../harness/memory.ts';
import { verifies } from '../harness/verifies.ts';
import { keyValues, metricsBody, nanos, spanId, traceId } from './otlp-bodies.ts';

const MIB = 1024 * 1024;
const NOW = 1_800_000_000_000;

const body = (signal: Signal, json: object) => encodeMessage(REQUESTS[signal], json);

describe('what records have in common', () => {
  verifies(
    'store.resources',
    () => {
      let now = NOW;
      const store = new Store({ maxBytes: 16 * MIB, now: () => now++ });
      const before = usedBytes();
      const text = (kind: string, index: number) => `${kind} ${index} ${'x'.repeat(100_000)}`;
      const send = (signal: Signal, index: number, of: string, ofScope: string, more: object) =>
        store.add(
          signal,
          body(signal, {
            [of]: [
              {
                resource: { attributes: keyValues({ 'service.name': 'big', note: text(signal, index) }) },
                [ofScope]: [{ scope: { name: text('scope', index) }, ...more }],
              },
            ],
          }),
        );
      for (let index = 0; index < 200; index++) {
        const span = { traceId: traceId(), spanId: spanId(), name: 'x' };
        send('traces', index, 'resourceSpans', 'scopeSpans', { spans: [span] });
        send('logs', index, 'resourceLogs', 'scopeLogs', { logRecords: [{ body: { stringValue: 'x' } }] });
        const metric = { name: 'm', gauge: { dataPoints: [{ timeUnixNano: nanos(NOW), asDouble: 1 }] } };
        send('metrics', index, 'resourceMetrics', 'scopeMetrics', { metrics: [metric] });
        expect(store.fill.bytes).toBeLessThanOrEqual(16 * MIB);
      }
      expect(store.fill.bytes).toBeGreaterThan(4 * MIB);
      expect(store.fill.traces).toBeGreaterThan(5);
      // measured: what is counted is what is there
      expect(usedBytes() - before).toBeLessThan(24 * MIB);
      store.clear();
      expect(store.fill.bytes).toBeLessThan(4 * MIB);
      expect(usedBytes() - before).toBeLessThan(6 * MIB);
    },
    'many large ones',
  );

  verifies(
    'store.resources',
    () => {
      const store = new Store({ maxBytes: 16 * MIB, now: () => NOW });
      const spans = (size: number) =>
        body('traces', {
          resourceSpans: [
            {
              resource: { attributes: keyValues({ note: 'x'.repeat(size) }) },
              scopeSpans: [{ spans: [{ traceId: traceId(), spanId: spanId(), name: 'x' }] }],
            },
          ],
        });
      const refused = store.add('traces', spans(2 * MIB));
      expect(refused).toMatchObject({ received: 1, rejected: 1 });
      expect(refused.reason).toMatch(/^expected at most 262144 bytes a resource or scope, got 2097/);
      expect(store.add('traces', spans(200_000))).toMatchObject({ received: 1, rejected: 0 });
      // the same again is the same, however large
      const before = store.fill.bytes;
      for (let index = 0; index < 20; index++) store.add('traces', spans(200_000));
      expect(store.fill.bytes - before).toBeLessThan(20_000);
    },
    'one that is too large, and one that comes again',
  );

  verifies(
    'store.bounds',
    () => {
      const store = new Store({ maxBytes: 4 * MIB, now: () => NOW });
      for (let index = 0; index < 100; index++) {
        const attributes = keyValues({ index, note: 'x'.repeat(30_000) });
        const exemplars = Array.from({ length: 4 }, () => ({ traceId: 'ab'.repeat(10_000), asDouble: 1 }));
        const description = 'd'.repeat(30_000);
        const gauge = { dataPoints: [{ timeUnixNano: nanos(NOW), asDouble: 1, attributes, exemplars }] };
        store.add('metrics', body('metrics', metricsBody([{ name: `m${index}`, description, gauge }])));
      }
      expect(store.metrics.bytes).toBeLessThanOrEqual(MIB);
      expect(store.metrics.instruments.size).toBeLessThan(12);
      expect(store.metrics.instruments.size).toBeGreaterThan(2);
      store.clear();
      expect(store.metrics.bytes).toBe(0);
    },
    'of texts in metrics',
  );
});
