// The exporters of Python's SDK against the viewer.
import { describe, expect } from 'vitest';
import type { MetricView, SpanDetail, TraceView } from '../../src/viewer/api/shapes.ts';
import { Child } from '../harness/child.ts';
import { verifies } from '../harness/verifies.ts';
import { viewerClient } from '../viewer/client.ts';
import { python, script } from './programs.ts';

describe('the viewer', () => {
  verifies(
    'receiver.exporters',
    async () => {
      const { viewer, get } = await viewerClient();
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: viewer.endpoint };
      const ended = await new Child(python, [script('export.py')], { env }).ended();
      expect(ended, ended.stderr).toMatchObject({ code: 0 });
      const traceId = ended.stdout.trim();
      const trace = await get<TraceView>(`/api/traces/${traceId}`);
      expect(trace.summary).toMatchObject({
        service: 'from-python',
        tool: 'forecast',
        failed: true,
        errorType: 'ValueError',
      });
      expect(trace.logs).toMatchObject([
        { body: 'said in Python', severity: 13, eventName: 'said', attributes: { n: 1 } },
      ]);
      const detail = await get<SpanDetail>(`/api/traces/${traceId}/spans/${trace.spans[0]?.spanId}`);
      expect(detail.attributes['cities']).toEqual(['Paris', 'Oslo']);
      expect(detail.events[0]?.attributes['exception.stacktrace']).toContain('ValueError: no such city');
      const latest = (values: readonly (number | null)[] = []) =>
        values.findLast((value) => value !== null) ?? Number.NaN;
      for (const [name, low, high] of [
        ['coarse', 4.5, 5.6],
        ['fine', 48, 53],
      ] as const) {
        const { series, exemplars } = await get<MetricView>(`/api/metrics/${name}`);
        expect(latest(series[0]?.p50), name).toBeGreaterThan(low);
        expect(latest(series[0]?.p50), name).toBeLessThan(high);
        expect(
          exemplars.map((exemplar) => exemplar.traceId),
          name,
        ).toContain(traceId);
      }
      const { series } = await get<MetricView>('/api/metrics/made');
      expect(latest(series[0]?.value)).toBeGreaterThan(0);
    },
    'of Python, compressed',
  );
});
