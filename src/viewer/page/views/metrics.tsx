// Every instrument that came, one's own too: the list, and one over time.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { InstrumentSummary, MetricSeries, MetricView } from '../../api/shapes.ts';
import { Chart } from '../parts/chart.tsx';
import { Empty, Panel, Problem } from '../parts/pieces.tsx';
import { clock, count, duration, bytes, inline } from '../format.ts';
import { href } from '../location.ts';
import { useQuery } from '../query.ts';
import { useRange } from '../range.ts';

const BINS = 60;
const SHOWN = 8;
const COLOURS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'];

export function MetricsView({ name }: { readonly name: string | undefined }): JSX.Element {
  const { data, error } = useQuery<{ instruments: InstrumentSummary[] }>('metrics', () => '/api/metrics', {
    everyMs: 2_000,
    matters: ({ signals }) => signals.includes('metrics'),
  });
  const [text, setText] = useState('');
  const instruments = data?.instruments ?? [];
  const fitting = instruments.filter((instrument) => instrument.name.toLowerCase().includes(text.toLowerCase()));
  if (data !== undefined && instruments.length === 0) {
    return (
      <>
        <h1 class="unseen">Metrics</h1>
        <Empty title="No metric has come yet.">
          <p>An SDK sends metrics every 60 seconds; OTEL_METRIC_EXPORT_INTERVAL=5000 makes that 5.</p>
        </Empty>
      </>
    );
  }
  return (
    <div class={`metrics ${name === undefined ? '' : 'one'}`}>
      <h1 class="unseen">Metrics</h1>
      <nav class="instruments" aria-label="Instruments">
        <input
          type="search"
          placeholder="Find an instrument"
          aria-label="Find an instrument"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <Problem message={error} />
        <ul>
          {fitting.map((instrument) => (
            <li key={instrument.name}>
              <a
                href={href(`/metrics/${encodeURIComponent(instrument.name)}`)}
                aria-current={instrument.name === name ? 'page' : undefined}
              >
                <span>{instrument.name}</span>
                <small>
                  {kindOf(instrument)} · {instrument.series}
                </small>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="instrument">
        {name === undefined ? <Empty title="Choose an instrument." /> : <Instrument key={name} name={name} />}
      </div>
    </div>
  );
}

function Instrument({ name }: { readonly name: string }): JSX.Element {
  const range = useRange();
  const { data, error } = useQuery<MetricView>(
    `${name} ${range.key}`,
    () => `/api/metrics/${encodeURIComponent(name)}?bins=${BINS}&${range.params(BINS)}`,
    { everyMs: 1_000, idleMs: 5_000, matters: ({ signals }) => signals.includes('metrics') },
  );
  if (data === undefined) return <Problem message={error} />;
  const { instrument, series, meaning, timesMs, exemplars } = data;
  const format = formatOf(instrument, meaning);
  const [first] = series;
  const distributed = first?.p95 !== undefined;
  const shown = series.filter((line) => line.value.some((value) => value !== null)).slice(0, SHOWN);
  return (
    <>
      <a class="back" href={href('/metrics')}>
        ← Instruments
      </a>
      <h2 class="name">{instrument.name}</h2>
      <p class="quiet">
        {instrument.description} Shown as {meaning}: a {kindOf(instrument)}
        {instrument.unit === '' ? '' : ` in ${instrument.unit}`}
        {instrument.scope === '' ? '' : `, by ${instrument.scope}`}.
      </p>
      <Problem message={error} />
      {shown.length === 0 ? <Empty title="No point in this time." /> : null}
      {distributed && first !== undefined && shown.length > 0 ? (
        <Panel
          title={series.length > 1 && Object.keys(first.attributes).length === 0 ? 'All together' : labelOf(first)}
        >
          <Chart
            label={`Quantiles of ${name}`}
            timesMs={timesMs}
            format={format}
            lines={[
              { name: 'p50', colour: 'c1', values: first.p50 ?? [] },
              { name: 'p95', colour: 'c2', values: first.p95 ?? [] },
              { name: 'p99', colour: 'c3', values: first.p99 ?? [] },
            ]}
          />
        </Panel>
      ) : null}
      {shown.length === 0 ? null : (
        <Panel title={distributed ? 'Mean by label set' : 'By label set'}>
          <Chart
            label={`${name} by label set`}
            timesMs={timesMs}
            format={format}
            lines={shown.map((line, index) => ({
              name: labelOf(line),
              colour: COLOURS[index] ?? 'c1',
              values: line.value,
            }))}
          />
        </Panel>
      )}
      <Panel title={`Label sets (${series.length})`} class="flush">
        <div class="scroll-x" tabIndex={0} role="region" aria-label="Label sets">
          <table class="grid">
            <thead>
              <tr>
                <th scope="col">Labels</th>
                <th scope="col">Service</th>
                <th scope="col" class="number">
                  Latest
                </th>
              </tr>
            </thead>
            <tbody>
              {series.map((line) => (
                <tr key={`${line.service} ${labelOf(line)}`}>
                  <th
                    scope="row"
                    title={Object.entries(line.attributes)
                      .map(([key, value]) => `${key}=${inline(value)}`)
                      .join('\n')}
                  >
                    {labelOf(line)}
                  </th>
                  <td>{line.service}</td>
                  <td class="number">{line.latest === null ? '–' : format(line.latest)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Panel>
      {exemplars.length === 0 ? null : (
        <Panel title="Exemplars">
          <ul class="exemplars">
            {exemplars.map((exemplar) => (
              <li key={`${exemplar.traceId} ${exemplar.timeMs}`}>
                <a href={href(`/traces/${exemplar.traceId}`, { span: exemplar.spanId })}>
                  {format(exemplar.value)} at {clock(exemplar.timeMs)}
                </a>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}

function kindOf({ kind, monotonic }: InstrumentSummary): string {
  if (kind === 'sum') return monotonic ? 'counter' : 'up-down counter';
  return kind === 'exponentialHistogram' ? 'exponential histogram' : kind;
}

// Values are what tells label sets apart; a number or truth value alone says nothing without its name.
function labelOf({ attributes, service }: MetricSeries): string {
  const parts = Object.entries(attributes).map(([key, value]) =>
    typeof value === 'string' ? value : `${key.split('.').at(-1) ?? key}=${inline(value)}`,
  );
  return parts.join(' · ') || (service === '' ? 'all' : 'no labels');
}

function formatOf({ unit }: InstrumentSummary, meaning: MetricView['meaning']): (value: number) => string {
  const suffix = meaning === 'per second' ? '/s' : '';
  if (unit === 's' && meaning !== 'per second') return (value) => duration(value * 1e9);
  if (unit === 'ms' && meaning !== 'per second') return (value) => duration(value * 1e6);
  if (unit === 'By') return (value) => bytes(value) + suffix;
  return (value) => count(value) + suffix;
}
