// The overlay that samples: what is worth looking at is kept, and everything is counted.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { verifies } from '../harness/verifies.ts';
import { DemoServer, type ToolCall } from './demo-server.ts';
import { Stack } from './stack.ts';

const FINE: ToolCall = { tool: 'robust_operation', args: { input_data: 'hello' } };
const FAILED: ToolCall = { tool: 'robust_operation', args: { input_data: 'invalid' } };
const REJECTED: ToolCall = { tool: 'resilient_operation_with_fallback', args: { input_data: 'order fail_primary' } };
const SPANS = 'sum(traces_span_metrics_calls_total{service_name="toolspan-demo", span_name=~"tools/call .*"})';

let stack: Stack;
let demo: DemoServer;

beforeAll(async () => {
  stack = await Stack.start({ overlays: ['sampling.yaml'], collector: { SAMPLING_WAIT: '2s', SAMPLING_PERCENT: '0' } });
  demo = await DemoServer.start(stack.otlp);
});

afterAll(async () => {
  await demo?.stop();
  await stack?.stop();
});

describe('sampling', () => {
  verifies('stack.sampling', async () => {
    const kept: string[] = [];
    const dropped: string[] = [];
    for (let index = 0; index < 20; index++) {
      dropped.push((await demo.traced(FINE)).traceId);
      kept.push((await demo.traced(FAILED)).traceId, (await demo.traced(REJECTED)).traceId);
    }
    // both spans of a call over HTTP: the service that a tool calls is in the trace too
    const { traceId } = await demo.traced({
      tool: 'resilient_external_call',
      args: { url: `${demo.serviceUrl}/nothing` },
    });
    expect(await stack.jaeger.traceOf(traceId, 2)).toHaveLength(2);
    for (const id of kept) expect(await stack.jaeger.traceOf(id, 1)).toHaveLength(1);
    for (const id of dropped) expect(await stack.jaeger.trace(id)).toEqual([]);
    const made = kept.length + dropped.length + 1;
    await stack.prometheus.queried(SPANS, ([series]) => series?.value === made);
  });
});
