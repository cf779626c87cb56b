// One tool in depth: how often, how long, how it fails, and the traces of it.
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard, heatmap, jaegerVariable, labelVariable, lines, link, row, stat, traces } from './panels.ts';

const ALL = 'mcp_server_operation_duration_seconds_count';
const ONE = 'service_name="$service", gen_ai_tool_name="$tool", mcp_method_name="tools/call"';
const SPANS = 'service_name="$service", span_kind="SPAN_KIND_SERVER", span_name="tools/call $tool"';

export function tool(): DashboardBuilder {
  const quantile = (q: number) =>
    `histogram_quantile(${q}, sum by (le) (rate(mcp_server_operation_duration_seconds_bucket{${ONE}}[$__rate_interval])))`;
  return dashboard('toolspan-tool', 'MCP tool', 'One tool in depth, with its traces.')
    .withVariable(labelVariable('service', 'service_name', ALL, { many: false }))
    .withVariable(labelVariable('tool', 'gen_ai_tool_name', `${ALL}{service_name="$service"}`, { many: false }))
    .withVariable(jaegerVariable())
    .withRow(row('Now'))
    .withPanel(stat('Calls', [`sum(rate(${ALL}{${ONE}}[$__rate_interval]))`, 'calls'], { unit: 'reqps', width: 6 }))
    .withPanel(
      stat('Failed', [`mcp:tool_failures:ratio_rate5m{service_name="$service", gen_ai_tool_name="$tool"}`, 'failed'], {
        unit: 'percentunit',
        warnAt: [0.01, 0.1],
        width: 6,
      }),
    )
    .withPanel(stat('Median', [quantile(0.5), 'p50'], { unit: 's', width: 6 }))
    .withPanel(stat('95th percentile', [quantile(0.95), 'p95'], { unit: 's', warnAt: [1, 2], width: 6 }))
    .withRow(row('Calls'))
    .withPanel(
      lines(
        'Calls by outcome',
        [[`sum by (toolspan_outcome) (rate(${ALL}{${ONE}}[$__rate_interval]))`, '{{toolspan_outcome}}']],
        { unit: 'reqps', stacked: true },
      ),
    )
    .withPanel(
      lines(
        'Errors by code',
        [
          [
            `sum by (toolspan_error_code) (rate(${ALL}{${ONE}, toolspan_error_code!=""}[$__rate_interval]))`,
            '{{toolspan_error_code}}',
          ],
        ],
        {
          unit: 'reqps',
          stacked: true,
          links: [
            link(
              'Calls with this code in Jaeger',
              '${jaeger}/search?service=${service}&operation=tools%2Fcall%20${tool}&tags=%7B%22toolspan.error.code%22%3A%22${__field.labels.toolspan_error_code}%22%7D',
            ),
          ],
        },
      ),
    )
    .withPanel(
      lines(
        'Duration',
        [
          [quantile(0.5), 'median'],
          [quantile(0.95), '95th percentile'],
          [quantile(0.99), '99th percentile'],
        ],
        { unit: 's' },
      ),
    )
    .withPanel(
      heatmap(
        'How durations are spread',
        `sum by (le) (increase(mcp_server_operation_duration_seconds_bucket{${ONE}}[$__rate_interval]))`,
      ),
    )
    .withPanel(
      lines(
        '95th percentile of its spans; each dot is a trace',
        [
          [
            `histogram_quantile(0.95, sum by (le) (rate(traces_span_metrics_duration_milliseconds_bucket{${SPANS}}[$__rate_interval])))`,
            '95th percentile',
          ],
        ],
        { unit: 'ms', exemplars: true },
      ),
    )
    .withPanel(
      lines(
        'Calls by protocol and transport',
        [
          [
            `sum by (mcp_protocol_version, network_transport) (rate(${ALL}{${ONE}}[$__rate_interval]))`,
            '{{mcp_protocol_version}} {{network_transport}}',
          ],
        ],
        { unit: 'reqps' },
      ),
    )
    .withRow(row('Traces'))
    .withPanel(
      traces(
        'Calls that failed',
        { service: '$service', operation: 'tools/call $tool', tags: 'error=true' },
        { height: 10 },
      ),
    )
    .withPanel(
      traces(
        'Calls that took longer than a second',
        { service: '$service', operation: 'tools/call $tool', minDuration: '1s' },
        { height: 10 },
      ),
    );
}
