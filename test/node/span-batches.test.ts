// Batches of spans on their way to a collector that is quick, slow or gone.
import { TraceFlags } from '@opentelemetry/api';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect } from 'vitest';
import { SpanBatches, type SpanBatch, type SpanBatchLimits } from '../../src/node/span-batches.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

/** Batches before a delegate that answers when it is told. */
function before(limits: SpanBatchLimits) {
  const exports: { spans: number; answer(error?: Error): void }[] = [];
  const lost = { failed: 0, queueFull: 0, notEncoded: 0, reason: '' };
  const nothing = () => Promise.resolve();
  const delegate = {
    export(batch: SpanBatch, done: (result: ExportResult) => void) {
      const answer = (error?: Error) =>
        done(error === undefined ? { code: ExportResultCode.SUCCESS } : { code: ExportResultCode.FAILED, error });
      exports.push({ spans: batch.count, answer });
    },
    forceFlush: nothing,
    shutdown: nothing,
    setMetrics: () => {},
  };
  const batches = new SpanBatches(
    delegate,
    {
      delivered: () => {},
      exportFailed(count, { message }) {
        lost.failed += count;
        lost.reason = message;
      },
      queueFull: (count) => (lost.queueFull += count),
      notEncoded: (count) => (lost.notEncoded += count),
    },
    limits,
  );
  const tracer = new TracerProvider({ spanProcessors: [batches] }).getTracer('test');
  const spans = (count: number) => Array.from({ length: count }, () => tracer.startSpan('work').end());
  return { batches, exports, lost, spans };
}

describe('batches of spans', () => {
  verifies(
    'telemetry.environment',
    async () => {
      const { exports, spans } = before({ maxExportBatchSize: 10, scheduledDelayMillis: 1 });
      spans(25);
      expect(exports.map((sent) => sent.spans)).toEqual([10, 10]);
      await eventually('the rest after the delay', () => exports.length === 3 || undefined);
      expect(exports[2]?.spans).toBe(5);
    },
    'batch size and delay',
  );

  verifies(
    'telemetry.losses',
    async () => {
      const { batches, exports, lost, spans } = before({ maxExportBatchSize: 10, maxQueueSize: 50 });
      spans(200);
      expect(exports.map((sent) => sent.spans)).toEqual([10, 10, 10, 10, 10, 10, 10, 10]);
      expect(lost.queueFull).toBe(200 - 80 - 50);
      exports[0]?.answer(new Error('no collector'));
      await eventually('the next export', () => exports.length === 9 || undefined);
      expect(lost).toMatchObject({ failed: 10, reason: 'no collector' });
      let flushed = false;
      await batches.forceFlush();
      const flush = batches.settled().then(() => (flushed = true));
      await eventually('every span delivered', () => {
        for (const sent of exports) sent.answer();
        return flushed || undefined;
      });
      await flush;
      expect(exports.reduce((sum, sent) => sum + sent.spans, 0)).toBe(130);
    },
    'a slow collector: a bounded queue, what is beyond it counted, the rest delivered by a flush',
  );

  verifies(
    'doors.host-unharmed',
    async () => {
      const { batches, exports, lost, spans } = before({ maxExportBatchSize: 2 });
      const broken = {
        spanContext: () => ({ traceId: 'a', spanId: 'b', traceFlags: TraceFlags.SAMPLED }),
        resource: resourceFromAttributes({}),
        instrumentationScope: { name: 'broken' },
        get name(): string {
          throw new Error('no name');
        },
      };
      expect(() => batches.onEnd(broken as never)).not.toThrow();
      spans(2);
      expect(exports.map((sent) => sent.spans)).toEqual([2]);
      expect(lost.notEncoded).toBe(1);
    },
    'a span that cannot be encoded',
  );
});
