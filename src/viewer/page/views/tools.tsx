// Tools and methods, and one tool by itself.
import type { JSX } from 'preact';
import type { Overview, ToolView } from '../../api/shapes.ts';
import { Chart } from '../parts/chart.tsx';
import { Heatmap } from '../parts/heatmap.tsx';
import { Empty, Figure, Panel, Problem } from '../parts/pieces.tsx';
import { Outcomes } from '../parts/small-charts.tsx';
import { ToolTable } from '../parts/tool-table.tsx';
import { TraceRows } from '../parts/trace-rows.tsx';
import { count, milliseconds, percent } from '../format.ts';
import { go, href } from '../location.ts';
import { useQuery } from '../query.ts';
import { useRange } from '../range.ts';

const BINS = 60;
const LIVE = { everyMs: 1_000, idleMs: 5_000 };

export function ToolsView(): JSX.Element {
  const range = useRange();
  const { data, error } = useQuery<Overview>(range.key, () => `/api/overview?bins=${BINS}&${range.params(BINS)}`, LIVE);
  if (data === undefined) return <Problem message={error} />;
  const tools = data.operations.filter(({ isTool }) => isTool);
  const methods = data.operations.filter(({ isTool }) => !isTool);
  return (
    <>
      <h1 class="unseen">Tools</h1>
      <Problem message={error} />
      <Panel title="Tools" class="flush">
        {tools.length === 0 ? <Empty title="No tool was called in this time." /> : <ToolTable operations={tools} />}
      </Panel>
      {methods.length === 0 ? null : (
        <Panel title="Other methods" class="flush">
          <ToolTable operations={methods} />
        </Panel>
      )}
    </>
  );
}

export function OneToolView({ name }: { readonly name: string }): JSX.Element {
  const range = useRange();
  const { data, error } = useQuery<ToolView>(
    `${name} ${range.key}`,
    () => `/api/tools/${encodeURIComponent(name)}?bins=${BINS}&${range.params(BINS)}`,
    LIVE,
  );
  const heading = (
    <p class="crumbs">
      <a href={href('/tools')}>Tools</a> <span aria-hidden="true">/</span>
    </p>
  );
  if (data === undefined) {
    return (
      <>
        {heading}
        <h1>{name}</h1>
        {error === undefined ? null : <Empty title="This tool was not called in this time." />}
      </>
    );
  }
  const { stats, series } = data;
  return (
    <>
      {heading}
      <div class="title-line">
        <h1>{name}</h1>
        <a href={href('/traces', { tool: name })}>All traces</a>
      </div>
      <Problem message={error} />
      <dl class="figures">
        <Figure name="Calls" value={count(stats.calls)} note={<Outcomes outcomes={stats.outcomes} />} />
        <Figure
          name="Errors"
          value={percent(stats.calls === 0 ? 0 : stats.errors / stats.calls)}
          note={count(stats.errors)}
        />
        <Figure name="p50" value={milliseconds(stats.p50Ms)} />
        <Figure name="p95" value={milliseconds(stats.p95Ms)} />
        <Figure name="p99" value={milliseconds(stats.p99Ms)} />
        <Figure name="Longest" value={milliseconds(stats.maxMs)} />
        <Figure name="Retries" value={count(stats.retries)} />
      </dl>
      <Panel title="Durations over time">
        <Heatmap
          data={data.heatmap}
          onChoose={(min, max) =>
            go(
              href('/traces', {
                tool: name,
                min_duration_ms: String(min),
                max_duration_ms: String(max),
                noise: 'show',
              }),
            )
          }
        />
      </Panel>
      <div class="columns">
        <Panel title="Latency">
          <Chart
            label={`Latency of ${name}`}
            timesMs={series.timesMs}
            format={milliseconds}
            lines={[
              { name: 'p50', colour: 'c1', values: series.p50Ms },
              { name: 'p95', colour: 'c2', values: series.p95Ms },
              { name: 'p99', colour: 'c3', values: series.p99Ms },
            ]}
          />
        </Panel>
        <Panel title="Errors by code">
          {data.errors.length === 0 ? (
            <Empty title="No call failed in this time." />
          ) : (
            <ErrorCodes errors={data.errors} tool={name} />
          )}
        </Panel>
      </div>
      <div class="columns">
        <Panel title="Slowest" class="flush">
          <TraceRows traces={data.slowest} />
        </Panel>
        <Panel title="Latest failing" class="flush">
          {data.failing.length === 0 ? <Empty title="None." /> : <TraceRows traces={data.failing} />}
        </Panel>
      </div>
    </>
  );
}

function ErrorCodes({ errors, tool }: { readonly errors: ToolView['errors']; readonly tool: string }): JSX.Element {
  const most = Math.max(...errors.map((entry) => entry.count));
  return (
    <table class="shares">
      <caption class="unseen">Errors by code</caption>
      <tbody>
        {errors.map((entry) => (
          <tr key={entry.code}>
            <th scope="row">
              <a href={href('/traces', { tool, text: entry.code })}>{entry.code}</a>
            </th>
            <td>
              <span class="bar" style={{ width: `${(entry.count / most) * 100}%` }} />
            </td>
            <td class="number">{entry.count}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
