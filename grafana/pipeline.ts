// The way of the telemetry itself, from the servers over the collector to the back ends: is anything being dropped?
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard, GREEN, lines, RED, row, stat, states } from './panels.ts';

const LOST = '{__name__=~"otelcol_exporter_(enqueue|send)_failed_(spans|metric_points|log_records)_total"}';
const SENT = '{__name__=~"otelcol_exporter_sent_(spans|metric_points|log_records)_total"}';

export function pipeline(): DashboardBuilder {
  return dashboard(
    'toolspan-pipeline',
    'MCP telemetry pipeline',
    'What arrives, what is sent on, what waits, what is lost.',
  )
    .withRow(row('Is anything being dropped?'))
    .withPanel(
      stat('Lost by servers, last hour', ['sum(increase(toolspan_telemetry_dropped_total[1h]))', 'items'], {
        warnAt: [1],
        width: 6,
      }),
    )
    .withPanel(
      stat('Lost by the collector since its start', [`sum(${LOST}) or vector(0)`, 'items'], { warnAt: [1], width: 6 }),
    )
    .withPanel(
      stat('Fullest queue', ['max(otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)', 'full'], {
        unit: 'percentunit',
        warnAt: [0.5, 0.8],
        width: 6,
      }),
    )
    .withPanel(stat('Parts that do not answer', ['count(up == 0) or vector(0)', 'parts'], { warnAt: [1, 1], width: 6 }))
    .withPanel(
      lines(
        'Lost by servers',
        [
          [
            'sum by (service_name, toolspan_signal, toolspan_drop_reason) (rate(toolspan_telemetry_dropped_total[$__rate_interval]))',
            '{{service_name}} {{toolspan_signal}} {{toolspan_drop_reason}}',
          ],
        ],
        { unit: 'cps' },
      ),
    )
    .withPanel(
      lines(
        'Lost by the collector',
        [
          [
            `sum by (exporter) (rate(${LOST}[$__rate_interval])) or 0 * sum by (exporter) (rate(${SENT}[$__rate_interval]))`,
            '{{exporter}}',
          ],
        ],
        { unit: 'cps' },
      ),
    )
    .withPanel(
      lines(
        'Passed through toolspan wrap unread',
        [
          [
            'sum by (service_name, toolspan_unobserved_reason) (rate(toolspan_proxy_unobserved_total[$__rate_interval]))',
            '{{service_name}} {{toolspan_unobserved_reason}}',
          ],
        ],
        { unit: 'cps', description: 'Lines that are no JSON, messages over 16 MiB, compressed answers.' },
      ),
    )
    .withRow(row('The collector'))
    .withPanel(
      lines(
        'What arrives',
        [
          [
            'sum by (transport) (rate(otelcol_receiver_accepted_spans_total[$__rate_interval]))',
            'spans over {{transport}}',
          ],
          [
            'sum by (transport) (rate(otelcol_receiver_accepted_metric_points_total[$__rate_interval]))',
            'metric points over {{transport}}',
          ],
          [
            'sum by (transport) (rate(otelcol_receiver_refused_spans_total[$__rate_interval])) or 0 * sum by (transport) (rate(otelcol_receiver_accepted_spans_total[$__rate_interval]))',
            'spans refused over {{transport}}',
          ],
        ],
        { unit: 'cps', width: 8 },
      ),
    )
    .withPanel(
      lines('What is sent on', [[`sum by (exporter) (rate(${SENT}[$__rate_interval]))`, '{{exporter}}']], {
        unit: 'cps',
        width: 8,
      }),
    )
    .withPanel(
      lines(
        'How full the queues are',
        [
          [
            'max by (exporter, data_type) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)',
            '{{exporter}} {{data_type}}',
          ],
        ],
        { unit: 'percentunit', warnAt: [0.5, 0.8], width: 8 },
      ),
    )
    .withPanel(
      lines(
        'Memory',
        [
          ['otelcol_process_memory_rss_bytes', 'collector'],
          ['process_resident_memory_bytes{job="prometheus"}', 'Prometheus'],
        ],
        {
          unit: 'bytes',
        },
      ),
    )
    .withPanel(
      lines('CPU, in cores', [
        ['rate(otelcol_process_cpu_seconds_total[$__rate_interval])', 'collector'],
        ['rate(process_cpu_seconds_total{job="prometheus"}[$__rate_interval])', 'Prometheus'],
      ]),
    )
    .withRow(row('The back ends'))
    .withPanel(
      states(
        'Parts that answer',
        ['up', '{{job}}'],
        [
          ['down', RED],
          ['up', GREEN],
        ],
      ),
    )
    .withPanel(
      lines('Series in Prometheus', [['prometheus_tsdb_head_series', 'series']], {
        description: 'Grows with every new set of labels.',
      }),
    );
}
