// Which spans the ring of recent traces keeps longer, and what it takes each for.
import { SpanKind, SpanStatusCode, type Span, type SpanOptions } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, onTestFinished } from 'vitest';
import { agentSpanProcessor } from '../../src/node/index.ts';
import { recentTraces } from '../../src/state/recent-traces.ts';
import { verifies } from '../harness/verifies.ts';

describe('the span processor', () => {
  verifies(
    'agent.rings',
    () => {
      const processor = agentSpanProcessor({ slowMs: 1_000 });
      onTestFinished(() => processor.shutdown());
      const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test');
      const remarkable = (kind: SpanKind, seconds: number, change: (span: Span) => void = () => {}) => {
        const span = tracer.startSpan('work', { kind, startTime: [1_000, 0] });
        change(span);
        span.end([1_000 + seconds, 0]);
        return recentTraces.get(span.spanContext().traceId)?.spans[0]?.remarkable;
      };
      expect(remarkable(SpanKind.SERVER, 0)).toBe(false);
      expect(remarkable(SpanKind.SERVER, 1)).toBe(true);
      expect(remarkable(SpanKind.INTERNAL, 5)).toBe(false);
      expect(remarkable(SpanKind.CLIENT, 0, (span) => span.setStatus({ code: SpanStatusCode.ERROR }))).toBe(true);
      const outcome = (value: string) =>
        remarkable(SpanKind.SERVER, 0, (span) => span.setAttribute('toolspan.outcome', value));
      expect(['ok', 'input_required', 'protocol_error', 'cancelled'].map(outcome)).toEqual([false, false, true, true]);
      const long = tracer.startSpan('long', { attributes: { text: 'x'.repeat(5_000), list: ['a', 'b'] } });
      long.addEvent('exception', { 'exception.stacktrace': 'y'.repeat(5_000) });
      long.end();
      expect(recentTraces.get(long.spanContext().traceId)?.spans[0]?.bytes).toBeGreaterThan(10_000);
    },
    'what fails or is slow',
  );

  verifies(
    'agent.rings',
    () => {
      const processor = agentSpanProcessor();
      onTestFinished(() => processor.shutdown());
      const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test');
      const bytesOf = (name: string, options: SpanOptions, change: (span: Span) => void = () => {}) => {
        const span = tracer.startSpan(name, options);
        change(span);
        span.end();
        return recentTraces.get(span.spanContext().traceId)?.spans[0]?.bytes ?? 0;
      };
      const text = 'x'.repeat(10_000);
      const { traceId, spanId } = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) };
      const context = { traceId, spanId, traceFlags: 1 };
      const least = bytesOf('small', {});
      expect(least).toBeLessThan(1_000);
      expect(bytesOf(text, {})).toBeGreaterThan(10_000);
      expect(bytesOf('event', {}, (span) => span.addEvent(text))).toBeGreaterThan(10_000);
      expect(
        bytesOf('status', {}, (span) => span.setStatus({ code: SpanStatusCode.ERROR, message: text })),
      ).toBeGreaterThan(10_000);
      expect(bytesOf('link', { links: [{ context, attributes: { text } }] })).toBeGreaterThan(10_000);
      expect(bytesOf('links', { links: Array.from({ length: 100 }, () => ({ context })) })).toBeGreaterThan(
        least + 100 * 128,
      );
    },
    'all that a span holds is counted',
  );
});
