// Tools with their figures; a click on a heading sorts by it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { OperationStats } from '../../api/shapes.ts';
import { ago, count, milliseconds, percent } from '../format.ts';
import { shownUntil } from '../live.ts';
import { href } from '../location.ts';
import { Outcomes, Sparkline } from './small-charts.tsx';

interface Column {
  readonly name: string;
  readonly class?: string;
  readonly value: (stats: OperationStats) => number | string;
  readonly show: (stats: OperationStats) => JSX.Element | string;
}

const share = ({ calls, errors }: OperationStats) => (calls === 0 ? 0 : errors / calls);

const COLUMNS: readonly Column[] = [
  {
    name: 'Calls',
    class: 'number',
    value: ({ calls }) => calls,
    show: ({ calls }) => count(calls),
  },
  {
    name: 'Errors',
    class: 'number',
    value: share,
    show: (stats) => <span class={share(stats) > 0.1 ? 'tone bad' : ''}>{percent(share(stats))}</span>,
  },
  { name: 'p50', class: 'number', value: ({ p50Ms }) => p50Ms, show: ({ p50Ms }) => milliseconds(p50Ms) },
  { name: 'p95', class: 'number', value: ({ p95Ms }) => p95Ms, show: ({ p95Ms }) => milliseconds(p95Ms) },
  { name: 'p99', class: 'number wide', value: ({ p99Ms }) => p99Ms, show: ({ p99Ms }) => milliseconds(p99Ms) },
  {
    name: 'Total',
    class: 'number wide',
    value: ({ totalMs }) => totalMs,
    show: ({ totalMs }) => milliseconds(totalMs),
  },
  { name: 'Retries', class: 'number wide', value: ({ retries }) => retries, show: ({ retries }) => count(retries) },
];

/** The table. */
export function ToolTable({ operations }: { readonly operations: readonly OperationStats[] }): JSX.Element {
  const [sort, setSort] = useState({ column: 'Calls', down: true });
  const by = COLUMNS.find(({ name }) => name === sort.column);
  const sorted = operations.toSorted((a, b) => {
    const [x, y] = by === undefined ? [a.name, b.name] : [by.value(a), by.value(b)];
    return (x < y ? -1 : x > y ? 1 : 0) * (sort.down ? -1 : 1);
  });
  const heading = (name: string, className = '') => (
    <th
      key={name}
      scope="col"
      class={className}
      aria-sort={sort.column !== name ? 'none' : sort.down ? 'descending' : 'ascending'}
    >
      <button
        type="button"
        onClick={() => setSort({ column: name, down: sort.column === name ? !sort.down : name !== 'Tool' })}
      >
        {name}
        <span aria-hidden="true">{sort.column === name ? (sort.down ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </th>
  );
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label="Tools with their figures">
      <table class="grid">
        <thead>
          <tr>
            {heading('Tool')}
            {COLUMNS.map(({ name, class: className }) => heading(name, className))}
            <th scope="col" class="wide">
              Outcomes
            </th>
            <th scope="col" class="wide">
              Over time
            </th>
            <th scope="col" class="wide">
              Last
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((stats) => (
            <tr key={`${stats.isTool} ${stats.name}`}>
              <th scope="row">
                {stats.isTool ? (
                  <a href={href(`/tools/${encodeURIComponent(stats.name)}`)}>{stats.name}</a>
                ) : (
                  stats.name
                )}
              </th>
              {COLUMNS.map(({ name, class: className, show }) => (
                <td key={name} class={className}>
                  {show(stats)}
                </td>
              ))}
              <td class="wide">
                <Outcomes outcomes={stats.outcomes} />
              </td>
              <td class="wide">
                <Sparkline values={stats.sparkline} label={`Calls of ${stats.name} over time`} />
              </td>
              <td class="wide quiet">{ago(stats.lastMs, shownUntil())}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
