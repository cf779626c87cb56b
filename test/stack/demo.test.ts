// The demo's tools, called one by one: what of each call is in Jaeger, under the caller's trace.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { RecordedSpan } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';
import { DemoServer, PARENT, type ToolCall } from './demo-server.ts';
import { prometheusName } from './names.ts';
import { Stack } from './stack.ts';

/** A call of a reference tool, and what is to be seen of it. */
interface Expected extends ToolCall {
  readonly code?: string;
  /** Events of policies on its span, by name without `toolspan.`. */
  readonly events?: readonly string[];
}

const RETRIES = ['retry', 'retry', 'retry', 'retry.gave_up'];
const failPrimary = (...events: readonly string[]): Expected => ({
  tool: 'resilient_operation_with_fallback',
  args: { input_data: 'order fail_primary' },
  events: [...events, 'fallback'],
});

let stack: Stack;
let demo: DemoServer;

const calls = (): readonly Expected[] => [
  { tool: 'robust_operation', args: { input_data: 'hello' } },
  { tool: 'robust_operation', args: { input_data: 'invalid' }, code: 'VALIDATION_ERROR' },
  { tool: 'instrumented_tool', args: { input_data: 'hello' } },
  { tool: 'instrumented_tool', code: 'VALIDATION_ERROR' },
  { tool: 'monitored_operation', args: { input_data: 'hello' } },
  { tool: 'monitored_operation', args: { input_data: 'fail' }, code: 'INTERNAL_ERROR' },
  { tool: 'metric_tracked_operation', args: { input_data: 'hello' } },
  { tool: 'get_server_health' },
  { tool: 'get_server_metrics' },
  { tool: 'resilient_external_call', args: { url: `${demo.serviceUrl}/ok` } },
  { tool: 'resilient_external_call', args: { url: `${demo.serviceUrl}/nothing` }, code: 'RESOURCE_NOT_FOUND' },
  {
    tool: 'resilient_external_call',
    args: { url: `${demo.serviceUrl}/error` },
    code: 'UNAVAILABLE',
    events: RETRIES,
  },
  {
    tool: 'resilient_external_call',
    args: { url: `${demo.serviceUrl}/hang` },
    code: 'TIMEOUT',
    events: [...RETRIES, 'timeout', 'timeout', 'timeout', 'timeout'],
  },
  { tool: 'resilient_operation_with_fallback', args: { input_data: 'order' } },
  ...Array.from({ length: 4 }, () => failPrimary()),
  failPrimary('circuit_breaker.transition'),
  failPrimary('circuit_breaker.rejected'),
];

beforeAll(async () => {
  stack = await Stack.start();
  demo = await DemoServer.start(stack.otlp);
});

afterAll(async () => {
  await demo?.stop();
  await stack?.stop();
});

async function spanOf(call: ToolCall): Promise<RecordedSpan | undefined> {
  const { traceId } = await demo.traced(call);
  const server = ({ name }: RecordedSpan) => name === `tools/call ${call.tool}`;
  // what the tool itself calls ends earlier
  return (await stack.jaeger.traceWith(traceId, server)).find(server);
}

describe("the demo's tools", () => {
  verifies('stack.traces', async () => {
    for (const call of calls()) {
      const what = JSON.stringify(call);
      const span = await spanOf(call);
      expect(span, what).toMatchObject({
        kind: 1,
        parentSpanId: PARENT,
        attributes: {
          'mcp.method.name': 'tools/call',
          'gen_ai.tool.name': call.tool,
          'network.transport': 'tcp',
          'toolspan.outcome': call.code === undefined ? 'ok' : 'tool_error',
        },
        status: { code: call.code === undefined ? 0 : 2 },
      });
      expect(span?.attributes['toolspan.error.code'], what).toBe(call.code);
      const events = span?.events.map(({ name }) => name).filter((name) => name.startsWith('toolspan.')) ?? [];
      // Jaeger keeps those of one moment in no order
      expect(events.toSorted(), what).toEqual((call.events ?? []).map((name) => `toolspan.${name}`).toSorted());
    }
  });

  verifies(
    'stack.traces',
    async () => {
      const span = await spanOf({ tool: 'resilient_external_call', args: { url: `${demo.serviceUrl}/reset` } });
      const retries = span?.events.filter(({ name }) => name === 'toolspan.retry') ?? [];
      expect(retries.map(({ attributes }) => attributes)).toEqual(
        [2, 3, 4].map(
          (attempt) =>
            expect.objectContaining({
              'toolspan.policy.name': 'external-call',
              'toolspan.retry.attempt': attempt,
              'toolspan.retry.delay_ms': expect.any(Number) as number,
              'toolspan.error.code': 'UNAVAILABLE',
            }) as object,
        ),
      );
      const opened = await stack.jaeger.traces('toolspan-demo', 100, 'tools/call resilient_operation_with_fallback');
      const event = opened
        .flatMap(({ events }) => events)
        .find(({ name }) => name === 'toolspan.circuit_breaker.transition');
      expect(event?.attributes).toMatchObject({
        'toolspan.policy.name': 'operation',
        'toolspan.circuit_breaker.from': 'closed',
        'toolspan.circuit_breaker.to': 'open',
        'toolspan.circuit_breaker.failures': 5,
        'toolspan.circuit_breaker.last_error_code': 'UNAVAILABLE',
      });
    },
    'and what policies say of it',
  );

  verifies(
    'stack.metrics',
    async () => {
      const counted = (matchers: string) =>
        `mcp_server_operation_duration_seconds_count{service_name="toolspan-demo", ${matchers}}`;
      await stack.prometheus.queried(
        counted('gen_ai_tool_name="robust_operation", toolspan_error_code="VALIDATION_ERROR"'),
      );
      await stack.prometheus.queried(
        counted('gen_ai_tool_name="monitored_operation", toolspan_error_code="INTERNAL_ERROR"'),
      );
      const health = prometheusName({ name: 'toolspan.health.status', kind: 'gauge', unit: '' });
      await stack.prometheus.queried(`${health}{service_name="toolspan-demo", toolspan_health_check=""}`);
      await stack.prometheus.queried('toolspan_server_active_requests{service_name="toolspan-demo"}');
    },
    'of the demo',
  );

  verifies(
    'stack.first-failure',
    async () => {
      const failures =
        'mcp_server_operation_duration_seconds_count{gen_ai_tool_name="metric_tracked_operation", error_type!=""}';
      expect(await stack.prometheus.query(failures)).toEqual([]);
      await spanOf({ tool: 'metric_tracked_operation', args: { input_data: 'fail' } });
      const [increase] = await stack.prometheus.queried(`increase(${failures}[5m]) > 0`);
      expect(increase?.value).toBeGreaterThan(0.9);
    },
    'of the demo',
  );
});
