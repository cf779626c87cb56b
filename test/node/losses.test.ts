// What is said of telemetry that is lost, and what is tried again.
import { describe, expect } from 'vitest';
import { runFixture } from '../harness/child.ts';
import { metricsOf, withCollector, type Collector } from '../harness/collector.ts';
import { eventually } from '../harness/poll.ts';
import { attributesOf } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';

const dropped = (collector: Collector) =>
  Object.fromEntries(
    metricsOf(collector)
      .filter(({ name }) => name === 'toolspan.telemetry.dropped')
      .flatMap(({ sum }) => sum?.dataPoints ?? [])
      .map(({ attributes, asInt, asDouble }) => {
        const labels = attributesOf(attributes);
        return [
          `${String(labels['toolspan.signal'])} ${String(labels['toolspan.drop.reason'])}`,
          Number(asInt ?? asDouble),
        ];
      }),
  );

const loses = ({ url }: Collector) =>
  runFixture('telemetry-script.ts', ['loses'], { OTEL_EXPORTER_OTLP_ENDPOINT: url }).ended();

describe('losses', () => {
  verifies(
    'telemetry.losses',
    () =>
      withCollector(async (collector) => {
        const env = {
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
          OTEL_BSP_MAX_QUEUE_SIZE: '5',
          OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5',
        };
        await runFixture('telemetry-script.ts', ['floods'], env).ended();
        expect(collector.spans().length + Number(dropped(collector)['traces queue_full'])).toBe(50);
        expect(dropped(collector)).toMatchObject({
          'traces export_failed': 0,
          'logs queue_full': 0,
          'metrics export_failed': 0,
        });
      }),
    'a full queue',
  );

  verifies(
    'telemetry.losses',
    () =>
      withCollector(
        async (collector) => {
          const ended = await loses(collector);
          expect(ended.stderr).toContain('/v1/traces (HTTP 400)');
          expect(collector.received.filter(({ path }) => path === '/v1/traces')).toHaveLength(1);
          expect(dropped(collector)).toMatchObject({ 'traces export_failed': 1, 'traces queue_full': 0 });
        },
        ({ path }) => ({ status: path === '/v1/traces' ? 400 : 200 }),
      ),
    'an export that is refused, and not tried again',
  );

  verifies(
    'telemetry.losses',
    () =>
      withCollector(
        async (collector) => {
          const ended = await loses(collector);
          expect(ended.stderr).toContain('/v1/traces refuses some of the traces (too old)');
          expect(dropped(collector)).toMatchObject({ 'traces rejected': 1, 'traces export_failed': 0 });
        },
        // ExportTraceServiceResponse { partial_success { rejected_spans: 1, error_message: "too old" } }
        ({ path }) => ({
          status: 200,
          ...(path === '/v1/traces' && { body: Buffer.from('\x0a\x0b\x08\x01\x12\x07too old', 'latin1') }),
        }),
      ),
    'what a collector refuses of an export that it takes',
  );

  verifies('telemetry.retry', async () => {
    let refusals = 2;
    await withCollector(
      async (collector) => {
        const child = runFixture('telemetry-script.ts', ['lives'], {
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
          OTEL_BSP_SCHEDULE_DELAY: '1',
        });
        await eventually('it is delivered', () => collector.received.filter(({ path }) => path === '/v1/traces')[2]);
        const ended = await child.kill('SIGTERM');
        expect(ended.stderr).toBe('');
        expect(collector.received.filter(({ path }) => path === '/v1/traces')).toHaveLength(3);
      },
      ({ path }) =>
        path === '/v1/traces' && refusals-- > 0 ? { status: 503, headers: { 'retry-after': '0' } } : { status: 200 },
    );
  });
});
