// One trace: its waterfall, the span that is chosen, and its log records.
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { TraceView } from '../../api/shapes.ts';
import { ErrorKind, Outcome, Severity } from '../parts/badges.tsx';
import { Copy, Empty } from '../parts/pieces.tsx';
import { lineOf, titleOf } from '../parts/trace-rows.tsx';
import { SpanPanel } from '../parts/span-panel.tsx';
import { Waterfall } from '../parts/waterfall.tsx';
import { ago, clock, duration, inline } from '../format.ts';
import { shownUntil } from '../live.ts';
import { adjust, href, useLocation } from '../location.ts';
import { ask, useQuery } from '../query.ts';
import { viewerSource, type TraceSource } from '../trace-source.ts';
import { buildTree } from '../trace-model.ts';

const RECEIVING_MS = 3_000;

export function TraceRoute({ traceId }: { readonly traceId: string }): JSX.Element {
  const { data, error } = useQuery<TraceView>(traceId, () => `/api/traces/${traceId}`, {
    everyMs: 400,
    matters: ({ signals, traceIds }) =>
      traceIds.length === 0 ? signals.includes('traces') : traceIds.includes(traceId),
  });
  if (data !== undefined && data.summary.traceId === traceId) return <Trace trace={data} source={viewerSource} />;
  return error === undefined ? (
    <></>
  ) : (
    <Empty title="This trace is not here.">
      <p>{error}</p>
      <a href={href('/traces')}>All traces</a>
    </Empty>
  );
}

/** A trace from the viewer or from a file. */
export function Trace({ trace, source }: { readonly trace: TraceView; readonly source: TraceSource }): JSX.Element {
  const { params } = useLocation();
  const [chosenInFile, setChosenInFile] = useState<string>();
  const chosen = source.live ? (params.get('span') ?? undefined) : chosenInFile;
  const choose = (spanId: string | undefined) => (source.live ? adjust({ span: spanId }) : setChosenInFile(spanId));
  const tree = useMemo(() => buildTree(trace.spans), [trace]);
  const row = trace.spans.find(({ spanId }) => spanId === chosen);
  return (
    <div class={`trace ${row === undefined ? '' : 'with-panel'}`}>
      <Heading trace={trace} source={source} />
      <div class="trace-body">
        <div class="trace-main">
          <Waterfall trace={trace} tree={tree} source={source} chosen={chosen} onChoose={choose} />
          <TraceLogs trace={trace} onChoose={choose} />
        </div>
        {row === undefined ? null : (
          <SpanPanel key={row.spanId} trace={trace} tree={tree} span={row} source={source} onChoose={choose} />
        )}
      </div>
    </div>
  );
}

function Heading({ trace, source }: { readonly trace: TraceView; readonly source: TraceSource }): JSX.Element {
  const { summary, durationNs, spansLeftOut, updatedMs } = trace;
  const { traceId } = summary;
  const receiving = useReceiving(source.live ? updatedMs : 0);
  return (
    <header class="trace-head">
      {source.live ? (
        <p class="crumbs">
          <a href={href('/traces')}>Traces</a> <span aria-hidden="true">/</span>
        </p>
      ) : null}
      <div class="title-line">
        <h1>{titleOf(summary)}</h1>
        <Outcome outcome={summary.outcome} failed={summary.failed} />
        <ErrorKind code={summary.errorCode} type={summary.errorType} />
        {receiving ? <span class="mark receiving">still receiving</span> : null}
        {summary.parentMissing ? <span class="mark">parent missing</span> : null}
      </div>
      <p class="facts">
        <b>{duration(durationNs)}</b>
        <span>
          {new Date(summary.startMs).toLocaleDateString()} {clock(summary.startMs)}
        </span>
        <span>{source.live ? ago(summary.startMs, shownUntil()) : ''}</span>
        <span>
          {summary.spans} {summary.spans === 1 ? 'span' : 'spans'}
        </span>
        <span>{summary.services.join(', ')}</span>
        {spansLeftOut > 0 ? <span class="tone warn">{spansLeftOut} more spans are not shown</span> : null}
      </p>
      <div class="actions">
        <Copy text={() => traceId} label="Copy the trace id">
          Id {traceId.slice(0, 8)}
        </Copy>
        <Copy text={() => lineOf(summary)} label="Copy a summary in one line">
          Summary
        </Copy>
        {source.live ? (
          <>
            <Copy text={() => window.location.href} label="Copy a link to this view">
              Link
            </Copy>
            <Copy
              text={async () => JSON.stringify(await ask(`/api/traces/${traceId}/otlp`), undefined, 2)}
              label="Copy the trace as OTLP/JSON"
            >
              JSON
            </Copy>
            <a
              class="button small"
              href={`/api/traces/${traceId}/share`}
              download={`trace-${traceId}.html`}
              title="One HTML file that needs no server"
            >
              Share
            </a>
            <a class="button small" href={href('/compare', { a: traceId })}>
              Compare
            </a>
          </>
        ) : null}
      </div>
    </header>
  );
}

function useReceiving(updatedMs: number): boolean {
  const [receiving, setReceiving] = useState(false);
  useEffect(() => {
    const left = updatedMs + RECEIVING_MS - Date.now();
    setReceiving(left > 0);
    if (left <= 0) return undefined;
    const timer = setTimeout(() => setReceiving(false), left);
    return () => clearTimeout(timer);
  }, [updatedMs]);
  return receiving;
}

function TraceLogs({
  trace,
  onChoose,
}: {
  readonly trace: TraceView;
  readonly onChoose: (spanId: string) => void;
}): JSX.Element | null {
  const { logs, summary } = trace;
  if (logs.length === 0) return null;
  return (
    <details class="trace-logs" open={logs.length <= 12}>
      <summary>
        Log records <span class="quiet">{logs.length}</span>
      </summary>
      <ol>
        {logs.map((log) => (
          <li key={log.id}>
            <button type="button" class="log-line" disabled={log.spanId === ''} onClick={() => onChoose(log.spanId)}>
              <span class="when">+{duration(Math.max(0, (log.timeMs - summary.startMs) * 1e6))}</span>
              <Severity severity={log.severity} text={log.severityText} />
              {log.eventName === '' ? null : <span class="mark">{log.eventName}</span>}
              <span class="body">{inline(log.body ?? '') || inline(log.attributes)}</span>
            </button>
          </li>
        ))}
      </ol>
    </details>
  );
}
