// The overview: how much is called, how it goes, and what is wrong now.
import type { JSX } from 'preact';
import type { Overview, Status } from '../../api/shapes.ts';
import { Chart, type Line } from '../parts/chart.tsx';
import { State } from '../parts/badges.tsx';
import { Empty, Figure, Panel, Problem, SendHere } from '../parts/pieces.tsx';
import { Timelines } from '../parts/small-charts.tsx';
import { ToolTable } from '../parts/tool-table.tsx';
import { TraceRows } from '../parts/trace-rows.tsx';
import { count, milliseconds, percent } from '../format.ts';
import { href } from '../location.ts';
import { useQuery } from '../query.ts';
import { useRange, type TimeRange } from '../range.ts';

const BINS = 60;
// parts of the window that stand for now
const RECENT = 5;
const LIVE = { everyMs: 1_000, idleMs: 5_000 };

export function OverviewView(): JSX.Element {
  const range = useRange();
  const { data, error } = useQuery<Overview>(range.key, () => `/api/overview?bins=${BINS}&${range.params(BINS)}`, LIVE);
  const status = useQuery<Status>('status', () => '/api/status', { everyMs: 2_000 }).data;
  if (data === undefined) return <Problem message={error} />;
  const nothing = status !== undefined && status.spans === 0 && status.logs === 0 && status.instruments === 0;
  return (
    <div class="overview">
      <h1 class="unseen">Overview</h1>
      <Problem message={error} />
      {nothing ? <Waiting endpoint={status.endpoint} /> : <Figures data={data} range={range} />}
      <div class="columns">
        <Panel title="Calls and errors" aside={<small>{data.side === 'client' ? 'as clients saw them' : ''}</small>}>
          <CallChart data={data} range={range} />
        </Panel>
        <Panel title="Latency">
          <Chart
            label="Latency"
            timesMs={data.series.timesMs}
            format={milliseconds}
            lines={[
              { name: 'p50', colour: 'c1', values: data.series.p50Ms },
              { name: 'p95', colour: 'c2', values: data.series.p95Ms },
              { name: 'p99', colour: 'c3', values: data.series.p99Ms },
            ]}
          />
        </Panel>
      </div>
      <Panel title="Tools" class="flush">
        {data.operations.some(({ isTool }) => isTool) ? (
          <ToolTable operations={data.operations.filter(({ isTool }) => isTool)} />
        ) : (
          <Empty title="No tool was called in this time." />
        )}
      </Panel>
      <div class="columns">
        <Panel title="Circuit breakers">
          {data.breakers.length === 0 ? (
            <Empty title="No circuit breaker has reported." />
          ) : (
            <Timelines lines={data.breakers} window={data} />
          )}
        </Panel>
        <Panel title="Health">
          {data.health.length === 0 ? (
            <Empty title="No server has reported its health." />
          ) : (
            <Timelines lines={data.health} window={data} />
          )}
        </Panel>
      </div>
      <Panel
        title="Newest failures"
        class="flush"
        aside={<a href={href('/traces', { failed: 'true' })}>All failures</a>}
      >
        {data.failures.length === 0 ? (
          <Empty title="Nothing failed in this time." />
        ) : (
          <TraceRows traces={data.failures} />
        )}
      </Panel>
    </div>
  );
}

function Waiting({ endpoint }: { readonly endpoint: string }): JSX.Element {
  return (
    <Empty title="Nothing has come yet.">
      <p>
        Start your server with these variables, or with none: <code>http://localhost:4318</code> is where every
        OpenTelemetry SDK sends by itself.
      </p>
      <SendHere endpoint={endpoint} />
    </Empty>
  );
}

function Figures({ data, range }: { readonly data: Overview; readonly range: TimeRange }): JSX.Element {
  const { total, breakers, health } = data;
  const { timesMs, calls } = data.series;
  // the rate of the last parts, so that it is that of now and not of an hour
  const recent = calls.slice(-RECENT).reduce((sum, value) => sum + value, 0);
  const seconds = (RECENT * range.lengthMs) / timesMs.length / 1_000;
  const open = breakers.filter(({ now }) => now === 'open' || now === 'half_open');
  const worst =
    health.find(({ now }) => now === 'unhealthy') ?? health.find(({ now }) => now === 'degraded') ?? health[0];
  const share = total.calls === 0 ? 0 : total.errors / total.calls;
  return (
    <dl class="figures">
      <Figure name="Calls" value={count(total.calls)} note={`${count(recent / seconds)}/s now`} />
      <Figure
        name="Errors"
        value={percent(share)}
        note={`${count(total.errors)} of ${count(total.calls)}`}
        tone={share > 0.2 ? 'bad' : share > 0.1 ? 'warn' : ''}
      />
      <Figure name="p50" value={milliseconds(total.p50Ms)} />
      <Figure name="p95" value={milliseconds(total.p95Ms)} />
      <Figure name="p99" value={milliseconds(total.p99Ms)} />
      <Figure name="Retries" value={count(total.retries)} tone={total.retries > 0 ? 'warn' : ''} />
      <Figure
        name="Breakers"
        value={breakers.length === 0 ? '–' : open.length === 0 ? 'closed' : `${open.length} open`}
        note={open.map(({ name }) => name).join(', ')}
        tone={open.length > 0 ? 'bad' : ''}
      />
      <Figure name="Health" value={worst === undefined ? '–' : <State state={worst.now} />} />
    </dl>
  );
}

function CallChart({ data, range }: { readonly data: Overview; readonly range: TimeRange }): JSX.Element {
  const { timesMs, calls, errors, retries } = data.series;
  const seconds = range.lengthMs / timesMs.length / 1_000;
  const line = (name: string, colour: string, values: readonly number[], bars: boolean): Line => ({
    name,
    colour,
    bars,
    values: values.map((value) => value / seconds),
    now: count(values.slice(-RECENT).reduce((sum, value) => sum + value, 0) / RECENT / seconds),
  });
  const lines = [line('calls/s', 'c1', calls, true), line('errors/s', 'bad', errors, true)];
  if (retries.some((value) => value > 0)) lines.push(line('retries/s', 'warn', retries, false));
  return <Chart label="Calls and errors a second" timesMs={timesMs} format={count} lines={lines} />;
}
