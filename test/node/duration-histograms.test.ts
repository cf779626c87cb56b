// Our aggregation of durations, held against the one of the SDK.
import type { Attributes } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { aggregateDurations, DurationHistograms } from '../../src/node/duration-histograms.ts';
import { SCOPE_NAME } from '../../src/telemetry/names.ts';
import { MCP_DURATION_BUCKETS, METRIC_MCP_SERVER_OPERATION_DURATION } from '../../src/telemetry/semconv.ts';
import { verifies } from '../harness/verifies.ts';

const LABELS: readonly Attributes[] = [{ tool: 'a' }, { tool: 'b', outcome: 'ok' }];
const OPTIONS = {
  unit: 's',
  description: 'Duration.',
  advice: { explicitBucketBoundaries: [...MCP_DURATION_BUCKETS] },
};

/** A histogram that is exported on demand, aggregated by us or by the SDK. */
function exported(temporality: AggregationTemporality, ours: boolean) {
  const exporter = new InMemoryMetricExporter(temporality);
  const durations = new DurationHistograms(temporality);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 3_600_000,
    metricProducers: ours ? [durations] : [],
  });
  const provider = new MeterProvider({ readers: [reader] });
  if (ours) aggregateDurations(provider, [durations]);
  const histogram = provider.getMeter(SCOPE_NAME).createHistogram(METRIC_MCP_SERVER_OPERATION_DURATION, OPTIONS);
  return {
    provider,
    histogram,
    async collect() {
      await reader.forceFlush();
      const metrics = exporter.getMetrics().map(withoutTimes);
      exporter.reset();
      return metrics;
    },
  };
}

function withoutTimes({ scopeMetrics }: ResourceMetrics): unknown {
  return scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .map(({ descriptor, dataPoints, ...rest }) => ({
      ...rest,
      descriptor: { name: descriptor.name, unit: descriptor.unit, description: descriptor.description },
      dataPoints: dataPoints.map(({ attributes, value }) => ({
        attributes,
        value: { ...(value as object), hasMinMax: 0, sum: (value as { sum: number }).sum.toFixed(9) },
      })),
    }));
}

const measurements = fc.array(
  fc.tuple(fc.oneof(fc.double({ min: 0, max: 400, noNaN: true }), fc.constantFrom(...MCP_DURATION_BUCKETS)), fc.nat(1)),
  { maxLength: 20 },
);

describe('operation durations', () => {
  for (const temporality of [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA]) {
    verifies(
      'metrics.buckets',
      () =>
        fc.assert(
          fc.asyncProperty(fc.array(measurements, { maxLength: 3 }), async (rounds) => {
            const ours = exported(temporality, true);
            const stock = exported(temporality, false);
            for (const round of rounds) {
              for (const [seconds, label] of round) {
                ours.histogram.record(seconds, LABELS[label]);
                stock.histogram.record(seconds, LABELS[label]);
              }
              expect(await ours.collect()).toEqual(await stock.collect());
            }
          }),
          { numRuns: 100 },
        ),
      `as the SDK aggregates them, ${AggregationTemporality[temporality]}`,
    );
  }

  verifies(
    'telemetry.first-failure',
    async () => {
      const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
      const durations = new DurationHistograms(AggregationTemporality.CUMULATIVE);
      const reader = new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: 3_600_000,
        metricProducers: [durations],
      });
      const provider = new MeterProvider({ readers: [reader] });
      aggregateDurations(provider, [durations]);
      const histogram = provider.getMeter(SCOPE_NAME).createHistogram(METRIC_MCP_SERVER_OPERATION_DURATION, OPTIONS);
      const collect = async (): Promise<readonly DataPoint<unknown>[]> => {
        exporter.reset();
        await reader.forceFlush();
        return exporter.getMetrics()[0]?.scopeMetrics[0]?.metrics[0]?.dataPoints ?? [];
      };
      histogram.record(1, LABELS[0]);
      const [first] = await collect();
      histogram.record(1, LABELS[1]);
      const [again, later] = await collect();
      expect(again?.startTime).toEqual(first?.startTime);
      expect(later?.startTime).toEqual(first?.endTime);
    },
    'each label set has a start of its own',
  );

  verifies(
    'metrics.buckets',
    async () => {
      const ours = exported(AggregationTemporality.CUMULATIVE, true);
      const meter = ours.provider.getMeter(SCOPE_NAME);
      const again = meter.createHistogram(METRIC_MCP_SERVER_OPERATION_DURATION, OPTIONS);
      ours.histogram.record(1, { tool: 'a', outcome: 'ok' });
      again.record(3, { outcome: 'ok', tool: 'a' });
      const [metric, ...others] = (await ours.collect()).flat() as { dataPoints: { value: { count: number } }[] }[];
      expect(others).toEqual([]);
      expect(metric?.dataPoints.map(({ value }) => value.count)).toEqual([2]);
    },
    'one series for equal labels, whoever records them',
  );
});
