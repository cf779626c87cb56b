// Log records, newest first; one opens in its place.
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Facets, LogList, LogView } from '../../api/shapes.ts';
import { AttributeTable } from '../parts/attributes.tsx';
import { Severity } from '../parts/badges.tsx';
import { Chips, Filter, SearchField } from '../parts/filters.tsx';
import { Empty, Problem } from '../parts/pieces.tsx';
import { useVirtualRows } from '../parts/virtual.tsx';
import { count, inline, moment } from '../format.ts';
import { adjust, href, useLocation } from '../location.ts';
import { shownUntil } from '../live.ts';
import { useQuery } from '../query.ts';
import { useRange } from '../range.ts';

const LIMIT = 500;
const ROW_HEIGHT = 28;
const LEVELS: readonly (readonly [severity: string, name: string])[] = [
  ['5', 'Debug and worse'],
  ['9', 'Info and worse'],
  ['13', 'Warnings and worse'],
  ['17', 'Errors'],
];

export function LogsView(): JSX.Element {
  const { params } = useLocation();
  const range = useRange();
  const question = new URLSearchParams();
  for (const name of ['service', 'severity', 'text', 'trace_id']) {
    const value = params.get(name);
    if (value !== null && value !== '') question.set(name, value);
  }
  for (const pair of params.getAll('attribute')) if (pair.includes('=')) question.append('attribute', pair);
  const { data, error } = useQuery<LogList>(
    `${question.toString()} ${range.key}`,
    () => `/api/logs?limit=${LIMIT}&${question.toString()}&${range.params()}`,
    { everyMs: 500, matters: ({ signals }) => signals.includes('logs') },
  );
  const facets = useQuery<Facets>('facets', () => '/api/facets', { everyMs: 3_000 }).data;
  return (
    <div class="view-list">
      <h1 class="unseen">Logs</h1>
      <form class="filters" role="search" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
        <SearchField params={params} />
        <select
          class={`filter ${params.has('severity') ? 'on' : ''}`}
          aria-label="Severity"
          value={params.get('severity') ?? ''}
          onChange={(event) => adjust({ severity: event.currentTarget.value })}
        >
          <option value="">Every level</option>
          {LEVELS.map(([severity, name]) => (
            <option key={severity} value={severity}>
              {name}
            </option>
          ))}
        </select>
        <Filter name="service" label="Service" params={params} values={facets?.services} />
        <Chips params={params} />
      </form>
      <Problem message={error} />
      {data === undefined ? null : data.logs.length === 0 ? (
        <Empty title="No log record is like that." />
      ) : (
        <Records list={data} />
      )}
    </div>
  );
}

function Records({ list }: { readonly list: LogList }): JSX.Element {
  const { logs, total } = list;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualRows(scroller, logs.length, ROW_HEIGHT, (index) => logs[index]?.id ?? index);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const toggle = (id: number) =>
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  return (
    <>
      <p class="list-head" aria-live="polite">
        {count(total)} {total === 1 ? 'record' : 'records'}
        {total > logs.length ? `, the newest ${logs.length} are shown` : ''}
      </p>
      <div class="rows logs" ref={scroller} tabIndex={0} role="region" aria-label="Log records">
        <ul style={{ height: `${rows.height}px` }}>
          {rows.items.map(({ index, start, key }) => {
            const log = logs[index];
            if (log === undefined) return null;
            return (
              <li key={key} data-index={index} ref={rows.measure} style={{ transform: `translateY(${start}px)` }}>
                <LogLine log={log} open={open.has(log.id)} onToggle={() => toggle(log.id)} />
              </li>
            );
          })}
        </ul>
      </div>
    </>
  );
}

function LogLine(props: { readonly log: LogView; readonly open: boolean; readonly onToggle: () => void }): JSX.Element {
  const { log, open, onToggle } = props;
  const text = inline(log.body ?? '') || log.eventName;
  return (
    <>
      <button type="button" class="log-line" aria-expanded={open} onClick={onToggle}>
        <span class="when">{moment(log.timeMs, shownUntil())}</span>
        <Severity severity={log.severity} text={log.severityText} />
        <span class="service">{log.service}</span>
        {log.eventName === '' ? null : <span class="mark">{log.eventName}</span>}
        <span class="body">{text}</span>
      </button>
      {open ? (
        <div class="log-open">
          {text.length > 100 || text.includes('\n') ? <pre>{text}</pre> : null}
          <AttributeTable attributes={log.attributes} label="Attributes of the record" />
          {log.traceId === '' ? null : (
            <a href={href(`/traces/${log.traceId}`, { span: log.spanId })}>Trace {log.traceId.slice(0, 8)}</a>
          )}
        </div>
      ) : null}
    </>
  );
}
