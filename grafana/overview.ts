// The dashboard that opens first: what is called, what fails, what is slow, and what holds it together.
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  dashboard,
  GREEN,
  jaegerVariable,
  labelVariable,
  lines,
  ORANGE,
  RED,
  row,
  stat,
  stateMappings,
  states,
  table,
  TO_TOOL,
  TO_TRACES,
  YELLOW,
} from './panels.ts';

const S = 'service_name=~"$service"';
const CALLS = `mcp_server_operation_duration_seconds_count{${S}, mcp_method_name="tools/call"}`;
const HEALTH = [
  ['healthy', GREEN],
  ['degraded', YELLOW],
  ['unhealthy', RED],
] as const;
const BREAKER = [
  ['closed', GREEN],
  ['half open', YELLOW],
  ['open', RED],
  ['isolated', ORANGE],
] as const;

// a number for each state, of which the one that holds is left
const numbered = (metric: string, label: string, matchers: string, named: readonly (readonly [string, string])[]) =>
  named
    .map(([state], index) => `${index} * (${metric}{${S}, ${matchers}${label}="${state.replace(' ', '_')}"} == 1)`)
    .join(' or ');

const health = (check: string) =>
  numbered('toolspan_health_status', 'toolspan_health_state', `toolspan_health_check${check}, `, HEALTH);
const breakers = numbered('toolspan_circuit_breaker_state', 'toolspan_circuit_breaker_state', '', BREAKER);

export function overview(): DashboardBuilder {
  return dashboard(
    'toolspan-overview',
    'MCP overview',
    'Rate, errors and duration of tools; objectives, health, resilience.',
  )
    .withVariable(
      labelVariable('service', 'service_name', 'mcp_server_operation_duration_seconds_count', { many: true }),
    )
    .withVariable(jaegerVariable())
    .withRow(row('Now'))
    .withPanel(stat('Tool calls', [`sum(mcp:tool_calls:rate5m{${S}})`, 'calls'], { unit: 'reqps' }))
    .withPanel(
      stat('Failed, of the last 5 minutes', [`max(mcp:failures:ratio_rate5m{${S}})`, 'failed'], {
        unit: 'percentunit',
        warnAt: [0.01, 0.1],
        description: 'Calls that failed through no fault of the caller; the worst of the services.',
      }),
    )
    .withPanel(
      stat('Slowest tool, 95th percentile', [`max(mcp:tool_duration_seconds:p95_rate5m{${S}})`, 'p95'], {
        unit: 's',
        warnAt: [1, 2],
      }),
    )
    .withPanel(stat('Health', [`max(${health('=""')})`, 'worst'], { mappings: stateMappings(HEALTH) }))
    .withPanel(
      stat(
        'Breakers not closed',
        [
          `count(toolspan_circuit_breaker_state{${S}, toolspan_circuit_breaker_state!="closed"} == 1) or vector(0)`,
          'breakers',
        ],
        { warnAt: [1] },
      ),
    )
    .withPanel(
      stat('Alerts that fire', ['count(ALERTS{alertstate="firing"}) or vector(0)', 'alerts'], { warnAt: [1, 3] }),
    )
    .withRow(row('Tools'))
    .withPanel(
      lines(
        'Calls by tool',
        [[`sum by (service_name, gen_ai_tool_name) (rate(${CALLS}[$__rate_interval]))`, '{{gen_ai_tool_name}}']],
        {
          unit: 'reqps',
          width: 8,
          links: [TO_TOOL],
        },
      ),
    )
    .withPanel(
      lines('Failed share by tool', [[`mcp:tool_failures:ratio_rate5m{${S}}`, '{{gen_ai_tool_name}}']], {
        unit: 'percentunit',
        width: 8,
        links: [TO_TOOL, TO_TRACES],
      }),
    )
    .withPanel(
      lines('95th percentile by tool', [[`mcp:tool_duration_seconds:p95_rate5m{${S}}`, '{{gen_ai_tool_name}}']], {
        unit: 's',
        width: 8,
        links: [TO_TOOL],
      }),
    )
    .withPanel(
      lines(
        '95th percentile of spans; each dot is a trace',
        [
          [
            `histogram_quantile(0.95, sum by (le, span_name) (rate(traces_span_metrics_duration_milliseconds_bucket{${S}, span_kind="SPAN_KIND_SERVER"}[$__rate_interval])))`,
            '{{span_name}}',
          ],
        ],
        { unit: 'ms', exemplars: true },
      ),
    )
    .withPanel(
      table(
        'Top errors of the last 30 minutes',
        [
          [
            `topk(15, sum by (service_name, gen_ai_tool_name, toolspan_error_code) (increase(mcp_server_operation_duration_seconds_count{${S}, toolspan_error_code!=""}[30m])) > 0)`,
            '',
          ],
        ],
        { gen_ai_tool_name: 'tool', toolspan_error_code: 'code', service_name: 'service', Value: 'calls' },
        { description: 'By tool and error code, the mistakes of callers included.' },
      ),
    )
    .withRow(row('Objectives'))
    .withPanel(
      lines(
        'Success against the objective',
        [
          [`1 - mcp:failures:ratio_rate1h{${S}}`, '{{service_name}}, 1 hour'],
          [`1 - mcp:failures:ratio_rate6h{${S}}`, '{{service_name}}, 6 hours'],
          ['mcp:objective:success_ratio', 'objective'],
        ],
        { unit: 'percentunit', max: 1 },
      ),
    )
    .withPanel(
      lines(
        'How fast the error budget burns',
        [
          [
            `mcp:failures:ratio_rate5m{${S}} / (1 - scalar(mcp:objective:success_ratio))`,
            '{{service_name}}, 5 minutes',
          ],
          [`mcp:failures:ratio_rate1h{${S}} / (1 - scalar(mcp:objective:success_ratio))`, '{{service_name}}, 1 hour'],
          [`mcp:failures:ratio_rate6h{${S}} / (1 - scalar(mcp:objective:success_ratio))`, '{{service_name}}, 6 hours'],
        ],
        {
          warnAt: [6, 14.4],
          description: '1 spends the budget of 30 days in 30 days. Alerts: 14.4 over an hour, 6 over six hours.',
        },
      ),
    )
    .withRow(row('Health and resilience'))
    .withPanel(
      states('Health', [`max by (service_name, service_instance_id) (${health('=""')})`, '{{service_name}}'], HEALTH, {
        height: 6,
      }),
    )
    .withPanel(
      states(
        'Circuit breakers',
        [`max by (service_name, toolspan_policy_name) (${breakers})`, '{{toolspan_policy_name}}'],
        BREAKER,
        { height: 6 },
      ),
    )
    .withPanel(
      states(
        'Health checks',
        [`max by (service_name, toolspan_health_check) (${health('!=""')})`, '{{toolspan_health_check}}'],
        HEALTH,
        {
          height: 6,
        },
      ),
    )
    .withPanel(
      lines(
        'Share of the time in which breakers were not closed',
        [
          [
            `sum by (service_name, toolspan_policy_name) (rate(toolspan_circuit_breaker_time_in_state_seconds_total{${S}, toolspan_circuit_breaker_state!="closed"}[$__rate_interval]))`,
            '{{toolspan_policy_name}}',
          ],
        ],
        {
          unit: 'percentunit',
          height: 6,
          description: 'Shows openings that are shorter than the time between two exports.',
        },
      ),
    )
    .withPanel(
      lines(
        'Calls by what came of them',
        [
          [
            `sum by (toolspan_policy_name, toolspan_policy_outcome) (rate(toolspan_policy_calls_total{${S}}[$__rate_interval]))`,
            '{{toolspan_policy_name}} {{toolspan_policy_outcome}}',
          ],
        ],
        { unit: 'reqps', width: 8 },
      ),
    )
    .withPanel(
      lines(
        'Retries: attempts after the first, and what came of them',
        [
          [
            `sum by (toolspan_policy_name) (rate(toolspan_retry_attempts_total{${S}}[$__rate_interval]))`,
            '{{toolspan_policy_name}} attempts',
          ],
          [
            `sum by (toolspan_policy_name, toolspan_retry_result) (rate(toolspan_retry_calls_total{${S}, toolspan_retry_result!="not_needed"}[$__rate_interval]))`,
            '{{toolspan_policy_name}} {{toolspan_retry_result}}',
          ],
        ],
        { unit: 'reqps', width: 8 },
      ),
    )
    .withPanel(
      lines(
        'Bulkheads',
        [
          [`sum by (toolspan_policy_name) (toolspan_bulkhead_running{${S}})`, '{{toolspan_policy_name}} running'],
          [`sum by (toolspan_policy_name) (toolspan_bulkhead_waiting{${S}})`, '{{toolspan_policy_name}} waiting'],
        ],
        { width: 8 },
      ),
    )
    .withPanel(
      lines(
        'Wait for a bulkhead, 95th percentile',
        [
          [
            `histogram_quantile(0.95, sum by (toolspan_policy_name, le) (rate(toolspan_bulkhead_wait_duration_seconds_bucket{${S}}[$__rate_interval]))) >= 0`,
            '{{toolspan_policy_name}}',
          ],
        ],
        { unit: 's', width: 8, description: 'Of the calls that had to wait.' },
      ),
    )
    .withPanel(
      lines(
        'Changes of breakers',
        [
          [
            `sum by (toolspan_policy_name, toolspan_circuit_breaker_to) (increase(toolspan_circuit_breaker_transitions_total{${S}}[$__rate_interval]))`,
            '{{toolspan_policy_name}} to {{toolspan_circuit_breaker_to}}',
          ],
        ],
        { width: 8 },
      ),
    )
    .withPanel(
      lines(
        'Requests being worked on',
        [
          [
            `sum by (service_name, mcp_method_name) (toolspan_server_active_requests{${S}})`,
            '{{service_name}} {{mcp_method_name}}',
          ],
        ],
        { width: 8 },
      ),
    );
}
