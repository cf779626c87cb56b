// The machine and the runtime under the servers.
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard, labelVariable, lines, row } from './panels.ts';

const ONE = 'service_name=~"$service", service_instance_id=~"$instance"';
const BY = 'service_name, service_instance_id';
const NAME = '{{service_name}} {{service_instance_id}}';

export function host(): DashboardBuilder {
  return dashboard(
    'toolspan-host',
    'MCP host and runtime',
    'CPU, memory and disk of the host; event loop, heap and garbage collection of the process.',
  )
    .withVariable(labelVariable('service', 'service_name', 'process_memory_usage', { many: true }))
    .withVariable(
      labelVariable('instance', 'service_instance_id', 'process_memory_usage{service_name=~"$service"}', {
        many: true,
      }),
    )
    .withRow(row('Host'))
    .withPanel(
      lines(
        'CPU, share that is not idle',
        [[`1 - avg by (${BY}) (system_cpu_utilization{${ONE}, cpu_mode="idle"})`, NAME]],
        { unit: 'percentunit', max: 1, warnAt: [0.9, 0.95], width: 8 },
      ),
    )
    .withPanel(
      lines(
        'Memory, share that is used',
        [[`max by (${BY}) (system_memory_utilization{${ONE}, system_memory_state="used"})`, NAME]],
        { unit: 'percentunit', max: 1, warnAt: [0.9, 0.95], width: 8 },
      ),
    )
    .withPanel(
      lines(
        'Disk, share that is used',
        [
          [
            `max by (${BY}, system_filesystem_mountpoint) (system_filesystem_utilization_ratio{${ONE}})`,
            '{{service_name}} {{system_filesystem_mountpoint}}',
          ],
        ],
        { unit: 'percentunit', max: 1, warnAt: [0.95, 0.98], width: 8 },
      ),
    )
    .withPanel(
      lines(
        'Disk, bytes that are free',
        [
          [
            `min by (${BY}, system_filesystem_mountpoint) (system_filesystem_usage_bytes{${ONE}, system_filesystem_state="free"})`,
            '{{service_name}} {{system_filesystem_mountpoint}}',
          ],
        ],
        { unit: 'bytes' },
      ),
    )
    .withPanel(
      lines('CPU of the process, in cores', [[`sum by (${BY}) (process_cpu_utilization{${ONE}})`, NAME]], {
        unit: 'short',
      }),
    )
    .withRow(row('Runtime'))
    .withPanel(
      lines('Event loop, share that is busy', [[`max by (${BY}) (nodejs_eventloop_utilization_ratio{${ONE}})`, NAME]], {
        unit: 'percentunit',
        max: 1,
        warnAt: [0.8, 0.95],
        width: 8,
      }),
    )
    .withPanel(
      lines(
        'Event loop, delay',
        [
          [`max by (${BY}) (nodejs_eventloop_delay_p50_seconds{${ONE}})`, `${NAME} median`],
          [`max by (${BY}) (nodejs_eventloop_delay_p99_seconds{${ONE}})`, `${NAME} 99th percentile`],
        ],
        { unit: 's', width: 8 },
      ),
    )
    .withPanel(
      lines(
        'Garbage collection, share of the time',
        [
          [
            `sum by (${BY}, v8js_gc_type) (rate(v8js_gc_duration_seconds_sum{${ONE}}[$__rate_interval]))`,
            `${NAME} {{v8js_gc_type}}`,
          ],
        ],
        { unit: 'percentunit', width: 8 },
      ),
    )
    .withPanel(
      lines('Heap that is used', [[`sum by (${BY}) (v8js_memory_heap_used_bytes{${ONE}})`, NAME]], { unit: 'bytes' }),
    )
    .withPanel(
      lines('Memory of the process', [[`max by (${BY}) (process_memory_usage{${ONE}})`, NAME]], { unit: 'bytes' }),
    );
}
