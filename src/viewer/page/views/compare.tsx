// Two traces side by side: what took longer, and what only one of them has.
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { SpanRow, TraceList, TraceView } from '../../api/shapes.ts';
import { Outcome } from '../parts/badges.tsx';
import { Empty, Problem } from '../parts/pieces.tsx';
import { titleOf } from '../parts/trace-rows.tsx';
import { pairTrees } from '../compare-model.ts';
import { clock, duration, milliseconds } from '../format.ts';
import { adjust, href, useLocation } from '../location.ts';
import { useQuery } from '../query.ts';
import { buildTree } from '../trace-model.ts';

const MAX_ROWS = 2_000;
const HARDLY_NS = 1_000;

export function CompareView(): JSX.Element {
  const { params } = useLocation();
  const [a, b] = [params.get('a') ?? '', params.get('b') ?? ''];
  const left = useTrace(a);
  const right = useTrace(b);
  const ready = left.data !== undefined && right.data !== undefined && a !== '' && b !== '';
  return (
    <div class="compare">
      <p class="crumbs">
        <a href={href('/traces')}>Traces</a> <span aria-hidden="true">/</span>
      </p>
      <h1>Compare</h1>
      <div class="columns">
        <Side name="a" label="A" traceId={a} trace={left.data} like={right.data} error={left.error} />
        <Side name="b" label="B" traceId={b} trace={right.data} like={left.data} error={right.error} />
      </div>
      {ready ? <Pairs left={left.data} right={right.data} /> : null}
    </div>
  );
}

function useTrace(traceId: string) {
  return useQuery<TraceView>(traceId, () =>
    traceId === '' ? undefined : `/api/traces/${encodeURIComponent(traceId)}`,
  );
}

function Side(props: {
  readonly name: string;
  readonly label: string;
  readonly traceId: string;
  readonly trace: TraceView | undefined;
  readonly like: TraceView | undefined;
  readonly error: string | undefined;
}): JSX.Element {
  const { name, label, traceId, trace, like, error } = props;
  return (
    <section class="panel side" aria-label={`Trace ${label}`}>
      <header>
        <h2>{label}</h2>
        {traceId === '' ? null : (
          <button type="button" class="small" onClick={() => adjust({ [name]: undefined })}>
            Choose another
          </button>
        )}
      </header>
      <Problem message={traceId === '' ? undefined : error} />
      {traceId === '' ? (
        <Choice like={like} onChoose={(id) => adjust({ [name]: id })} />
      ) : trace === undefined ? null : (
        <p class="facts">
          <a href={href(`/traces/${traceId}`)}>{titleOf(trace.summary)}</a>
          <Outcome outcome={trace.summary.outcome} failed={trace.summary.failed} />
          <b>{duration(trace.durationNs)}</b>
          <span>{trace.summary.spans} spans</span>
          <span>{clock(trace.summary.startMs)}</span>
        </p>
      )}
    </section>
  );
}

// traces of the same tool are what one compares with
function Choice({
  like,
  onChoose,
}: {
  readonly like: TraceView | undefined;
  readonly onChoose: (traceId: string) => void;
}): JSX.Element {
  const tool = like?.summary.tool ?? '';
  const question = tool === '' ? '' : `&tool=${encodeURIComponent(tool)}`;
  const { data } = useQuery<TraceList>(question, () => `/api/traces?limit=30&noise=hide${question}`, {
    everyMs: 1_000,
  });
  const traces = (data?.traces ?? []).filter(({ traceId }) => traceId !== like?.summary.traceId);
  if (data !== undefined && traces.length === 0) return <Empty title="There is no other trace of this tool." />;
  return (
    <ul class="trace-rows choice">
      {traces.map((trace) => (
        <li key={trace.traceId}>
          <button type="button" onClick={() => onChoose(trace.traceId)}>
            <span class="title">{titleOf(trace)}</span>
            <Outcome outcome={trace.outcome} failed={trace.failed} />
            <span class="number">{milliseconds(trace.durationMs)}</span>
            <span class="when">{clock(trace.startMs)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Pairs({ left, right }: { readonly left: TraceView; readonly right: TraceView }): JSX.Element {
  const rows = useMemo(() => pairTrees(buildTree(left.spans), buildTree(right.spans)), [left, right]);
  const longest = Math.max(left.durationNs, right.durationNs, 1);
  const only = (side: 'left' | 'right') =>
    rows.filter((row) => row[side === 'left' ? 'right' : 'left'] === undefined).length;
  return (
    <section class="panel flush" aria-label="Span by span">
      <header>
        <h2>Span by span</h2>
        <small>
          {difference(right.durationNs - left.durationNs)} altogether · only in A: {only('left')} · only in B:{' '}
          {only('right')}
        </small>
      </header>
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Spans of both traces">
        <table class="grid pairs">
          <thead>
            <tr>
              <th scope="col">Span</th>
              <th scope="col" class="number">
                A
              </th>
              <th scope="col" class="number">
                B
              </th>
              <th scope="col" class="number">
                B − A
              </th>
              <th scope="col" class="both">
                On one scale
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MAX_ROWS).map((row, index) => {
              const change = (row.right?.durationNs ?? 0) - (row.left?.durationNs ?? 0);
              const both = row.left !== undefined && row.right !== undefined;
              return (
                <tr key={index} class={both ? '' : 'only'}>
                  <th scope="row" style={{ paddingLeft: `${row.depth * 14 + 10}px` }}>
                    {row.name} {both ? null : <span class="mark">only in {row.left === undefined ? 'B' : 'A'}</span>}
                    {row.left?.outcome !== row.right?.outcome && both ? (
                      <span class="mark tone warn">ended otherwise</span>
                    ) : null}
                  </th>
                  <td class="number">{row.left === undefined ? '–' : duration(row.left.durationNs)}</td>
                  <td class="number">{row.right === undefined ? '–' : duration(row.right.durationNs)}</td>
                  <td
                    class={`number ${both && Math.abs(change) > HARDLY_NS ? (change > 0 ? 'tone bad' : 'tone ok') : ''}`}
                  >
                    {both ? difference(change) : ''}
                  </td>
                  <td class="both" aria-hidden="true">
                    <Strip span={row.left} longest={longest} side="a" />
                    <Strip span={row.right} longest={longest} side="b" />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Strip({
  span,
  longest,
  side,
}: {
  readonly span: SpanRow | undefined;
  readonly longest: number;
  readonly side: string;
}): JSX.Element {
  return (
    <span class={`strip ${side} ${span?.failed === true ? 'bad' : ''}`}>
      {span === undefined ? null : (
        <i
          style={{
            left: `${(span.offsetNs / longest) * 100}%`,
            width: `max(2px, ${(span.durationNs / longest) * 100}%)`,
          }}
        />
      )}
    </span>
  );
}

function difference(ns: number): string {
  if (Math.abs(ns) <= HARDLY_NS) return '±0';
  return `${ns > 0 ? '+' : '−'}${duration(Math.abs(ns))}`;
}
