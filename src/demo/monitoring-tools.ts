// The reference tools of monitoring: one that is simply watched, and one that keeps metrics of its own by the way that
// OpenTelemetry has for it; both show in the agent's tools.
import { metrics } from '@opentelemetry/api';
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const INPUT = z.object({ input_data: z.string().describe('Any text; one that contains "fail" fails') });
const processed = (input: string) => ({ content: [{ type: 'text' as const, text: `Processed: ${input}` }] });

/** Registers `monitored_operation` and `metric_tracked_operation`. */
export function registerMonitoringTools(server: McpServer): void {
  server.registerTool(
    'monitored_operation',
    {
      title: 'Monitored operation',
      description: 'Processes a text. Its calls show in get_server_health.',
      inputSchema: INPUT,
      annotations: { readOnlyHint: true },
    },
    ({ input_data: input }) => process(input),
  );

  // instruments of a name are one instrument, however many servers are made
  const meter = metrics.getMeter('toolspan-demo');
  const operations = meter.createCounter('operations_total', { description: 'Operations begun.' });
  const errors = meter.createCounter('operation_errors_total', { description: 'Operations that failed.' });
  const duration = meter.createHistogram('operation_duration_ms', { unit: 'ms', description: 'Duration.' });
  const size = meter.createHistogram('operation_input_size', {
    unit: '{character}',
    description: 'Size of the input.',
  });

  server.registerTool(
    'metric_tracked_operation',
    {
      title: 'Metric-tracked operation',
      description: 'Processes a text and keeps metrics of its own. They show in get_server_metrics.',
      inputSchema: INPUT,
      annotations: { readOnlyHint: true },
    },
    ({ input_data: input }) => {
      const startedAt = performance.now();
      operations.add(1);
      size.record(input.length);
      try {
        return process(input);
      } catch (error) {
        errors.add(1);
        throw error;
      } finally {
        duration.record(performance.now() - startedAt);
      }
    },
  );
}

function process(input: string): ReturnType<typeof processed> {
  if (input.includes('fail')) throw new Error('the operation was asked to fail');
  return processed(input);
}
