// The overlay that samples: what is worth looking at is kept, and everything is counted.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { verifies } from '../harness/verifies.ts';
import type { Called } from './load.ts';
import { Load } from './load-process.ts';
import { Stack } from './stack.ts';

const SERVICE = 'sampled';
let stack: Stack;
let load: Load;

beforeAll(async () => {
  stack = await Stack.start({ overlays: ['sampling.yaml'], collector: { SAMPLING_WAIT: '2s', SAMPLING_PERCENT: '0' } });
  load = await Load.start(SERVICE, stack.otlp);
  await load.behave({ callsPerSecond: 0 });
});

afterAll(async () => {
  await load?.stop();
  await stack?.stop();
});

describe('sampling', () => {
  verifies('stack.sampling', async () => {
    const before = (await stack.prometheus.query(calls()))[0]?.value ?? 0;
    const kept: Called[] = [];
    const dropped: Called[] = [];
    for (let index = 0; index < 20; index++) {
      dropped.push(await load.call({ tool: 'monitored_operation' }));
      kept.push(await load.call({ tool: 'robust_operation', code: 'INTERNAL_ERROR' }));
      kept.push(await load.call({ tool: 'resilient_operation_with_fallback', breaker: 'rejected', fallback: true }));
    }
    for (const { traceId, client, server } of kept) {
      const spans = await stack.jaeger.traceOf(traceId, 2);
      expect(spans.map(({ spanId }) => spanId).toSorted()).toEqual([client, server].toSorted());
    }
    for (const { traceId } of dropped) expect(await stack.jaeger.trace(traceId)).toEqual([]);
    // both spans of every call
    await stack.prometheus.queried(
      calls(),
      ([series]) => (series?.value ?? 0) - before === 2 * (kept.length + dropped.length),
    );
  });
});

function calls(): string {
  return `sum(traces_span_metrics_calls_total{service_name="${SERVICE}"})`;
}
