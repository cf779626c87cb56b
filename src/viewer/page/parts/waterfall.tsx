// The waterfall: a tree of spans beside their bars on one scale of time. Only the rows in sight are there, so that
// 10,000 spans stay smooth; keys and roles are those of a tree grid.
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { TraceView } from '../../api/shapes.ts';
import { Outcome, Kind } from './badges.tsx';
import { Bar, Ticks, type Scale } from './bar.tsx';
import { Minimap } from './minimap.tsx';
import { useVirtualRows } from './virtual.tsx';
import { duration } from '../format.ts';
import { ancestorsOf, criticalPath, roundsOf, visibleRows, type TreeRow } from '../trace-model.ts';
import type { TraceSource } from '../trace-source.ts';

const ROW_HEIGHT = 26;
const MINIMAP_FROM = 12;
// below this many there is no need to scroll within the page
const MAX_HEIGHT_ROWS = 24;

interface WaterfallProps {
  readonly trace: TraceView;
  readonly tree: readonly TreeRow[];
  readonly source: TraceSource;
  readonly chosen: string | undefined;
  readonly onChoose: (spanId: string | undefined) => void;
}

export function Waterfall({ trace, tree, source, chosen, onChoose }: WaterfallProps): JSX.Element {
  const { spans, durationNs, summary } = trace;
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [onPath, setOnPath] = useState(false);
  const [zoom, setZoom] = useState<Scale>();
  const [active, setActive] = useState<string | undefined>(chosen);
  const find = useFind(summary.traceId, source);
  const rows = useMemo(() => visibleRows(tree, collapsed), [tree, collapsed]);
  const path = useMemo(() => (onPath ? criticalPath(tree) : undefined), [tree, onPath]);
  const rounds = useMemo(() => roundsOf(tree), [tree]);
  const logTimes = useMemo(() => logsBySpan(trace), [trace]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualRows(scroller, rows.length, ROW_HEIGHT, (index) => rows[index]?.span.spanId ?? index);
  const scale: Scale = zoom ?? { fromNs: 0, toNs: Math.max(1, durationNs) };
  const at = rows.findIndex(({ span }) => span.spanId === active);

  const open = (ids: ReadonlySet<string>) => {
    const above = ancestorsOf(spans, ids);
    if ([...above].some((id) => collapsed.has(id))) {
      setCollapsed(new Set([...collapsed].filter((id) => !above.has(id))));
    }
  };
  const activate = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    setActive(row.span.spanId);
    virtual.show(rows.indexOf(row));
    if (chosen !== undefined) onChoose(row.span.spanId);
  };
  const reveal = (spanId: string) => {
    open(new Set([spanId]));
    setActive(spanId);
    onChoose(spanId);
  };
  const toggle = (spanId: string, collapse = !collapsed.has(spanId)) => {
    const next = new Set(collapsed);
    if (collapse) next.add(spanId);
    else next.delete(spanId);
    setCollapsed(next);
  };
  const nextIn = (fits: (spanId: string) => boolean) => {
    const all = visibleRows(tree, new Set());
    const from = all.findIndex(({ span }) => span.spanId === active);
    const next = [...all.slice(from + 1), ...all.slice(0, from + 1)].find(({ span }) => fits(span.spanId));
    if (next !== undefined) reveal(next.span.spanId);
  };
  const failedIds = useMemo(() => new Set(spans.filter(({ failed }) => failed).map(({ spanId }) => spanId)), [spans]);
  const nextError = () => nextIn((spanId) => failedIds.has(spanId));
  const collapseAll = () => setCollapsed(new Set(spans.map(({ spanId }) => spanId)));
  const expandAll = () => setCollapsed(new Set());

  // what was chosen elsewhere, as by a link or a log record, comes into sight
  useEffect(() => {
    if (chosen === undefined) return;
    open(new Set([chosen]));
    setActive(chosen);
  }, [chosen]);
  useEffect(() => {
    if (at >= 0) virtual.show(at);
  }, [active, rows]);
  useEffect(() => {
    const [first] = find.matches;
    if (find.matches.size > 0) open(find.matches);
    if (first !== undefined) setActive(first);
  }, [find.matches]);
  useTraceKeys({ e: nextError, '[': collapseAll, ']': expandAll, Escape: () => onChoose(undefined) });

  const onKey = (event: KeyboardEvent) => {
    const row = rows[at];
    const keys: Readonly<Record<string, () => void>> = {
      ArrowDown: () => activate(at + 1),
      ArrowUp: () => activate(at - 1),
      PageDown: () => activate(at + 15),
      PageUp: () => activate(at - 15),
      Home: () => activate(0),
      End: () => activate(rows.length - 1),
      ArrowRight: () =>
        row !== undefined && (collapsed.has(row.span.spanId) ? toggle(row.span.spanId, false) : activate(at + 1)),
      ArrowLeft: () => {
        if (row === undefined) return;
        if (row.children.length > 0 && !collapsed.has(row.span.spanId)) toggle(row.span.spanId, true);
        else activate(rows.findIndex(({ span }) => span.spanId === row.span.parentId));
      },
      Enter: () => row !== undefined && onChoose(row.span.spanId),
      ' ': () => row !== undefined && onChoose(row.span.spanId),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  return (
    <section class="waterfall" aria-label="Waterfall">
      <div class="tools">
        <input
          type="search"
          placeholder="Find in this trace"
          aria-label="Find in this trace"
          title="/"
          value={find.text}
          onInput={(event) => find.search(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') nextIn((spanId) => find.matches.has(spanId));
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
        <span class="quiet" role="status">
          {find.text === '' ? '' : `${find.matches.size} ${find.matches.size === 1 ? 'span' : 'spans'}`}
        </span>
        <span class="spring" />
        {failedIds.size === 0 ? null : (
          <button type="button" class="small" onClick={nextError} title="e">
            Next error <span class="quiet">{failedIds.size}</span>
          </button>
        )}
        <button type="button" class="small" onClick={collapsed.size > 0 ? expandAll : collapseAll} title="[ ]">
          {collapsed.size > 0 ? 'Expand all' : 'Collapse all'}
        </button>
        <button type="button" class="small toggle" aria-pressed={onPath} onClick={() => setOnPath(!onPath)}>
          Critical path
        </button>
        {zoom === undefined ? null : (
          <button type="button" class="small" onClick={() => setZoom(undefined)}>
            Whole trace
          </button>
        )}
      </div>
      {spans.length < MINIMAP_FROM ? null : (
        <Minimap rows={rows} durationNs={durationNs} zoom={zoom} onZoom={setZoom} />
      )}
      <div class="wf-head" aria-hidden="true">
        <span>Span</span>
        <Ticks scale={scale} />
      </div>
      <div
        class="wf-rows"
        ref={scroller}
        role="treegrid"
        aria-label="Spans"
        aria-rowcount={rows.length}
        aria-activedescendant={at < 0 ? undefined : `span-${active}`}
        tabIndex={0}
        style={{ maxHeight: `${Math.min(rows.length, MAX_HEIGHT_ROWS) * ROW_HEIGHT + 2}px` }}
        onKeyDown={onKey}
        onFocus={() => at < 0 && setActive(rows[0]?.span.spanId)}
      >
        <div role="rowgroup" style={{ height: `${virtual.height}px` }}>
          {virtual.items.map(({ index, start, key }) => {
            const row = rows[index];
            if (row === undefined) return null;
            const { spanId } = row.span;
            return (
              <Row
                key={key}
                row={row}
                index={index}
                top={start}
                scale={scale}
                trace={trace}
                collapsed={collapsed.has(spanId)}
                active={spanId === active}
                chosen={spanId === chosen}
                dimmed={(find.text !== '' && !find.matches.has(spanId)) || path?.has(spanId) === false}
                round={rounds.get(spanId)}
                logs={logTimes.get(spanId)}
                onToggle={() => toggle(spanId)}
                onChoose={() => {
                  setActive(spanId);
                  onChoose(spanId === chosen ? undefined : spanId);
                }}
              />
            );
          })}
        </div>
      </div>
    </section>
  );
}

interface RowProps {
  readonly row: TreeRow;
  readonly index: number;
  readonly top: number;
  readonly scale: Scale;
  readonly trace: TraceView;
  readonly collapsed: boolean;
  readonly active: boolean;
  readonly chosen: boolean;
  readonly dimmed: boolean;
  readonly round: { readonly fromNs: number; readonly toNs: number } | undefined;
  readonly logs: readonly number[] | undefined;
  readonly onToggle: () => void;
  readonly onChoose: () => void;
}

function Row(props: RowProps): JSX.Element {
  const { row, index, top, scale, trace, collapsed, active, chosen, dimmed, round, logs, onToggle, onChoose } = props;
  const { span, depth, children, descendants, parentMissing, cycle, skewed, failedBelow } = row;
  const hue = (span.resource % 6) + 1;
  const states = [active ? 'active' : '', chosen ? 'chosen' : '', dimmed ? 'dimmed' : '', span.failed ? 'failed' : ''];
  return (
    <div
      role="row"
      id={`span-${span.spanId}`}
      class={`wf-row ${states.join(' ')}`}
      aria-level={depth + 1}
      aria-rowindex={index + 1}
      aria-selected={chosen}
      aria-expanded={children.length === 0 ? undefined : !collapsed}
      style={{ transform: `translateY(${top}px)` }}
      onClick={onChoose}
    >
      <div role="gridcell" class="wf-name" style={{ paddingLeft: `${Math.min(depth, 40) * 14 + 4}px` }}>
        {children.length === 0 ? (
          <span class="leaf" aria-hidden="true" />
        ) : (
          <button
            type="button"
            class={`twist ${collapsed ? '' : 'open'}`}
            tabIndex={-1}
            aria-label={collapsed ? `Expand ${span.name}` : `Collapse ${span.name}`}
            onClick={(event) => {
              event.stopPropagation();
              onToggle();
            }}
          >
            {collapsed ? descendants : '▾'}
          </button>
        )}
        <i class={`dot hue-${hue}`} title={trace.resources[span.resource]?.service} />
        <Kind kind={span.kind} />
        <span class="name" title={span.name}>
          {span.name}
        </span>
        {collapsed && failedBelow && !span.failed ? <span class="mark tone bad">error inside</span> : null}
        {parentMissing ? (
          <span class="mark" title="Its parent has not come">
            parent missing
          </span>
        ) : null}
        {cycle ? (
          <span class="mark" title="Its parents lead back to it; it is cut here">
            cycle
          </span>
        ) : null}
        {skewed ? (
          <span class="mark" title="It began outside its parent: the clocks differ, or nobody waited for it">
            ⏱
          </span>
        ) : null}
        {span.failed || (span.outcome !== '' && span.outcome !== 'ok') ? (
          <Outcome outcome={span.outcome} failed={span.failed} />
        ) : null}
      </div>
      <div role="gridcell" class="wf-time">
        <span class="unseen">
          {duration(span.durationNs)} after {duration(span.offsetNs)}
        </span>
        <Bar row={row} scale={scale} hue={hue} round={round} logs={logs} />
      </div>
    </div>
  );
}

function logsBySpan({ logs, summary }: TraceView): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { spanId, timeMs } of logs) {
    const offset = (timeMs - summary.startMs) * 1e6;
    const known = times.get(spanId);
    if (known === undefined) times.set(spanId, [offset]);
    else known.push(offset);
  }
  return times;
}

const NONE: ReadonlySet<string> = new Set();

function useFind(traceId: string, source: TraceSource) {
  const [text, setText] = useState('');
  const [matches, setMatches] = useState<ReadonlySet<string>>(NONE);
  const asked = useRef(0);
  const search = (next: string) => {
    setText(next);
    const question = ++asked.current;
    if (next.trim() === '') {
      setMatches(NONE);
      return;
    }
    source.find(traceId, next.trim()).then(
      (ids) => question === asked.current && setMatches(new Set(ids)),
      () => setMatches(NONE),
    );
  };
  return { text, matches, search };
}

function useTraceKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof Element && event.target.closest('input, select, textarea, dialog') !== null;
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      latest.current[event.key]?.();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
