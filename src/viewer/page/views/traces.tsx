// The list of traces: every filter is in the address.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Facets, TraceList, TraceSummary } from '../../api/shapes.ts';
import { ErrorKind, Outcome } from '../parts/badges.tsx';
import { Chips, Filter, SearchField } from '../parts/filters.tsx';
import { Empty, Problem } from '../parts/pieces.tsx';
import { titleOf } from '../parts/trace-rows.tsx';
import { useVirtualRows } from '../parts/virtual.tsx';
import { count, milliseconds, moment } from '../format.ts';
import { adjust, go, href, useLocation } from '../location.ts';
import { shownUntil } from '../live.ts';
import { ask, useQuery, type Answer } from '../query.ts';
import { useRange } from '../range.ts';

const PAGE = 100;
// rows of a list that one scrolls; a filter finds the others
const MOST = 10_000;
const ROW_HEIGHT = 31;
const PASSED_ON = [
  'service',
  'tool',
  'method',
  'operation',
  'outcome',
  'error_code',
  'session',
  'failed',
  'text',
  'min_duration_ms',
  'max_duration_ms',
  'sort',
];

/** The question that this address asks. */
function questionOf(params: URLSearchParams): string {
  const question = new URLSearchParams();
  for (const name of PASSED_ON) {
    const value = params.get(name);
    if (value !== null && value !== '') question.set(name, value);
  }
  for (const pair of params.getAll('attribute')) if (pair.includes('=')) question.append('attribute', pair);
  if (params.get('noise') !== 'show') question.set('noise', 'hide');
  return question.toString();
}

export function TracesView(): JSX.Element {
  const { params } = useLocation();
  const range = useRange();
  const question = questionOf(params);
  const address = () => `/api/traces?limit=${PAGE}&${question}&${range.params()}`;
  const key = `${question} ${range.key}`;
  const answer = useQuery<TraceList>(key, address, { everyMs: 500 });
  const { data, error } = answer;
  const facets = useQuery<Facets>('facets', () => '/api/facets', { everyMs: 3_000 }).data;
  const slowestFirst = params.get('sort') === 'slowest';
  const more = useMore(answer, address, key, slowestFirst);
  return (
    <div class="view-list">
      <h1 class="unseen">Traces</h1>
      <TraceFilters params={params} facets={facets} />
      <Problem message={error} />
      {data === undefined ? null : more.traces.length === 0 ? (
        <Empty title="No trace is like that.">
          <p>
            Take a filter out, or choose a longer time.{' '}
            <button type="button" class="small" onClick={() => go(href('/traces'))}>
              Show all
            </button>
          </p>
        </Empty>
      ) : (
        <List traces={more.traces} total={data.total} onEnd={more.load} />
      )}
    </div>
  );
}

// Pages after the first are asked for as one scrolls; what is live is the first. What it no longer has, since others
// came before it, stays in the list.
function useMore(
  { key: answered, data: first }: Answer<TraceList>,
  address: () => string,
  key: string,
  slowestFirst: boolean,
) {
  const [rest, setRest] = useState<{ key: string; next: string | undefined }>();
  const seen = useRef({ key: '', traces: new Map<string, TraceSummary>() });
  const busy = useRef(false);
  const scrolled = rest?.key === key && answered === key;
  // begun anew also where a page stays open for so long that the list would grow without end
  if (!scrolled || seen.current.key !== key || seen.current.traces.size > 2 * MOST)
    seen.current = { key, traces: new Map() };
  const { traces: known } = seen.current;
  for (const trace of first?.traces ?? []) known.set(trace.traceId, trace);
  const valueOf = (trace: TraceSummary) => (slowestFirst ? trace.durationMs : trace.startMs);
  const traces = scrolled ? [...known.values()].toSorted((a, b) => valueOf(b) - valueOf(a)) : (first?.traces ?? []);
  const load = () => {
    const next = scrolled ? rest.next : first?.next;
    if (busy.current || answered !== key || next === undefined || known.size >= MOST) return;
    busy.current = true;
    const add = (page: TraceList) => {
      for (const trace of page.traces) seen.current.traces.set(trace.traceId, trace);
      setRest({ key, next: page.next });
    };
    void ask<TraceList>(`${address()}&after=${next}`)
      .then(add, () => undefined)
      .finally(() => (busy.current = false));
  };
  return { traces, load };
}

function TraceFilters({
  params,
  facets,
}: {
  readonly params: URLSearchParams;
  readonly facets: Facets | undefined;
}): JSX.Element {
  return (
    <form class="filters" role="search" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <SearchField params={params} />
      <Filter name="tool" label="Tool" params={params} values={facets?.tools} />
      <Filter name="outcome" label="Outcome" params={params} values={facets?.outcomes} />
      <Filter name="error_code" label="Error" params={params} values={facets?.errorCodes} />
      <Filter name="service" label="Service" params={params} values={facets?.services} />
      <Filter name="method" label="Method" params={params} values={facets?.methods} />
      <label class="duration">
        <span>Slower than</span>
        <input
          type="number"
          min="0"
          step="any"
          placeholder="ms"
          value={params.get('min_duration_ms') ?? ''}
          onChange={(event) => adjust({ min_duration_ms: event.currentTarget.value })}
        />
      </label>
      <Toggle params={params} name="failed" value="true" label="Failed" />
      <Toggle params={params} name="sort" value="slowest" label="Slowest first" />
      <Toggle params={params} name="noise" value="show" label="Pings too" />
      <Chips params={params} />
    </form>
  );
}

function Toggle(props: {
  readonly params: URLSearchParams;
  readonly name: string;
  readonly value: string;
  readonly label: string;
}): JSX.Element {
  const { params, name, value, label } = props;
  const on = params.get(name) === value;
  return (
    <button type="button" class="toggle" aria-pressed={on} onClick={() => adjust({ [name]: on ? undefined : value })}>
      {label}
    </button>
  );
}

function List(props: {
  readonly traces: readonly TraceSummary[];
  readonly total: number;
  readonly onEnd: () => void;
}): JSX.Element {
  const { traces, total, onEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualRows(scroller, traces.length, ROW_HEIGHT, (index) => traces[index]?.traceId ?? index);
  const [active, setActive] = useState<string>();
  const [marked, setMarked] = useState<string>();
  const slowest = Math.max(...traces.map(({ durationMs }) => durationMs), 1e-6);
  const last = rows.items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= traces.length - 20) onEnd();
  }, [last, traces.length]);
  const at = Math.max(
    0,
    traces.findIndex(({ traceId }) => traceId === active),
  );
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12 }[event.key];
    const trace = traces[at];
    if (step !== undefined) {
      const next = Math.max(0, Math.min(traces.length - 1, active === undefined ? 0 : at + step));
      setActive(traces[next]?.traceId);
      rows.show(next);
    } else if (event.key === 'Enter' && active !== undefined && trace !== undefined)
      go(href(`/traces/${trace.traceId}`));
    else return;
    event.preventDefault();
  };
  return (
    <>
      <p class="list-head" aria-live="polite">
        <span>
          {count(total)} {total === 1 ? 'trace' : 'traces'}
        </span>
        {marked === undefined ? null : <span class="quiet">Choose another trace to compare with, by its ⇄</span>}
      </p>
      <div
        class="rows"
        ref={scroller}
        tabIndex={0}
        role="grid"
        aria-label="Traces"
        aria-rowcount={total}
        aria-activedescendant={active === undefined ? undefined : `trace-${active}`}
        onKeyDown={onKey}
      >
        <div role="rowgroup" style={{ height: `${rows.height}px` }}>
          {rows.items.map(({ index, start, key }) => {
            const trace = traces[index];
            if (trace === undefined) return null;
            return (
              <Row
                key={key}
                trace={trace}
                index={index}
                top={start}
                share={trace.durationMs / slowest}
                active={trace.traceId === active}
                marked={trace.traceId === marked}
                onMark={() => {
                  if (marked === undefined || marked === trace.traceId)
                    setMarked(marked === undefined ? trace.traceId : undefined);
                  else go(href('/compare', { a: marked, b: trace.traceId }));
                }}
              />
            );
          })}
        </div>
      </div>
    </>
  );
}

function Row(props: {
  readonly trace: TraceSummary;
  readonly index: number;
  readonly top: number;
  readonly share: number;
  readonly active: boolean;
  readonly marked: boolean;
  readonly onMark: () => void;
}): JSX.Element {
  const { trace, index, top, share, active, marked, onMark } = props;
  return (
    <div
      role="row"
      id={`trace-${trace.traceId}`}
      class={`row ${active ? 'active' : ''} ${trace.failed ? 'failed' : ''}`}
      aria-rowindex={index + 1}
      aria-selected={active}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span role="gridcell" class="when">
        {moment(trace.startMs, shownUntil())}
      </span>
      <span role="gridcell" class="title">
        <a href={href(`/traces/${trace.traceId}`)} tabIndex={-1}>
          {titleOf(trace)}
        </a>
        {trace.retries > 0 ? (
          <span class="mark retry" title="retries">
            ↻ {trace.retries}
          </span>
        ) : null}
        {trace.parentMissing ? (
          <span class="mark" title="a span names a parent that has not come">
            incomplete
          </span>
        ) : null}
      </span>
      <span role="gridcell" class="outcome">
        <Outcome outcome={trace.outcome} failed={trace.failed} />
        <ErrorKind code={trace.errorCode} type={trace.errorType} />
      </span>
      <span role="gridcell" class="length">
        <span class="bar" style={{ width: `${Math.max(0.5, share * 100)}%` }} />
        <b>{milliseconds(trace.durationMs)}</b>
      </span>
      <span role="gridcell" class="spans" title="spans">
        {trace.spans}
        {trace.logs > 0 ? ` + ${trace.logs} logs` : ''}
      </span>
      <span role="gridcell" class="service">
        {trace.services.join(' → ')}
      </span>
      <span role="gridcell" class="do">
        <button
          type="button"
          class="icon"
          tabIndex={-1}
          aria-pressed={marked}
          aria-label="Compare with another trace"
          title="Compare"
          onClick={onMark}
        >
          ⇄
        </button>
      </span>
    </div>
  );
}
