// One span with everything that came of it: the error first, then attributes, events, log records, links.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EventView, LogView, SpanDetail, SpanRow, TraceView } from '../../api/shapes.ts';
import {
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
  EVENT_EXCEPTION,
} from '../../../telemetry/semconv.ts';
import { AttributeTable } from './attributes.tsx';
import { ErrorKind, Kind, kindName, Outcome, Severity } from './badges.tsx';
import { Copy, Problem } from './pieces.tsx';
import { duration, inline } from '../format.ts';
import { href } from '../location.ts';
import { visibleRows, type TreeRow } from '../trace-model.ts';
import type { TraceSource } from '../trace-source.ts';

interface SpanPanelProps {
  readonly trace: TraceView;
  readonly tree: readonly TreeRow[];
  readonly span: SpanRow;
  readonly source: TraceSource;
  readonly onChoose: (spanId: string | undefined) => void;
}

export function SpanPanel({ trace, tree, span, source, onChoose }: SpanPanelProps): JSX.Element {
  const { traceId } = trace.summary;
  const [detail, setDetail] = useState<SpanDetail>();
  const [problem, setProblem] = useState<string>();
  const panel = useRef<HTMLElement>(null);
  // the row tells of a change: a span that is sent twice is another the second time
  const version = `${span.spanId} ${span.durationNs} ${span.events.length} ${span.outcome}`;
  useEffect(() => {
    let stopped = false;
    source.span(traceId, span.spanId).then(
      (found) => !stopped && setDetail(found),
      (error: unknown) => !stopped && setProblem((error as Error).message),
    );
    return () => {
      stopped = true;
    };
  }, [traceId, version]);
  // on a narrow page the panel lies over the waterfall, so it is where one is
  useEffect(() => {
    if (matchMedia('(max-width: 1099px)').matches) panel.current?.focus();
  }, []);
  const row = visibleRows(tree, new Set()).find((candidate) => candidate.span.spanId === span.spanId);
  const logs = trace.logs.filter(({ spanId }) => spanId === span.spanId);
  const resource = trace.resources[span.resource];
  const exceptions = (detail?.events ?? []).filter(({ name }) => name === EVENT_EXCEPTION);
  const events = (detail?.events ?? []).filter(({ name }) => name !== EVENT_EXCEPTION);
  return (
    <aside class="span-panel" ref={panel} tabIndex={-1} aria-label={`Span ${span.name}`}>
      <header>
        <h2>
          <Kind kind={span.kind} /> {span.name}
        </h2>
        <button type="button" class="icon" aria-label="Close" title="Esc" onClick={() => onChoose(undefined)}>
          ×
        </button>
      </header>
      <p class="facts">
        <Outcome outcome={span.outcome} failed={span.failed} />
        <ErrorKind code={span.errorCode} type={span.exception || span.errorType} />
        <b>{duration(span.durationNs)}</b>
        <span>after {duration(span.offsetNs)}</span>
        {row === undefined || row.children.length === 0 ? null : <span>self {duration(row.selfNs)}</span>}
        <span>{resource?.service}</span>
        <span>{kindName(span.kind)}</span>
      </p>
      <Problem message={problem} />
      {detail === undefined ? null : (
        <>
          {exceptions.map((exception, index) => (
            <Exception key={index} exception={exception} />
          ))}
          {detail.statusMessage === '' || exceptions.length > 0 ? null : (
            <p class="status-message">{detail.statusMessage}</p>
          )}
          <Part title="Attributes" count={Object.keys(detail.attributes).length}>
            <AttributeTable attributes={detail.attributes} label="Attributes" />
          </Part>
          <Part title="Events" count={events.length}>
            {events.map((event, index) => (
              <Event key={index} event={event} />
            ))}
          </Part>
          <Part title="Log records" count={logs.length}>
            {logs.map((log) => (
              <Record key={log.id} log={log} startMs={trace.summary.startMs} />
            ))}
          </Part>
          <Part title="Links" count={detail.links.length + detail.linkedFrom.length}>
            <ul class="links">
              {[
                ...detail.links.map((link) => ['to', link] as const),
                ...detail.linkedFrom.map((link) => ['from', link] as const),
              ].map(([way, link]) => (
                <li key={`${way} ${link.traceId} ${link.spanId}`}>
                  {way}{' '}
                  {source.live ? (
                    <a href={href(`/traces/${link.traceId}`, { span: link.spanId })}>
                      trace {link.traceId.slice(0, 8)}, span {link.spanId.slice(0, 8)}
                    </a>
                  ) : (
                    `trace ${link.traceId}, span ${link.spanId}`
                  )}
                </li>
              ))}
            </ul>
          </Part>
          <Part title="Resource" count={Object.keys(resource?.attributes ?? {}).length} closed>
            <AttributeTable attributes={resource?.attributes ?? {}} label="Resource" />
          </Part>
          <p class="quiet foot">
            Span {span.spanId}
            {detail.scope.name === '' ? '' : `, by ${detail.scope.name} ${detail.scope.version}`}
            {detail.traceState === '' ? '' : `, trace state ${detail.traceState}`}
            {droppedText(detail)}
          </p>
          <div class="actions">
            <Copy text={() => JSON.stringify(detail.otlp, undefined, 2)} label="Copy the span as OTLP/JSON">
              Copy as JSON
            </Copy>
            <Copy text={() => span.spanId} label="Copy the span id">
              Copy id
            </Copy>
          </div>
        </>
      )}
    </aside>
  );
}

function Part(props: {
  readonly title: string;
  readonly count: number;
  readonly closed?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element | null {
  const { title, count, closed = false, children } = props;
  if (count === 0) return null;
  return (
    <details open={!closed}>
      <summary>
        {title} <span class="quiet">{count}</span>
      </summary>
      {children}
    </details>
  );
}

function Exception({ exception }: { readonly exception: EventView }): JSX.Element {
  const {
    [ATTR_EXCEPTION_TYPE]: type,
    [ATTR_EXCEPTION_MESSAGE]: message,
    [ATTR_EXCEPTION_STACKTRACE]: stack,
  } = exception.attributes;
  const text = typeof stack === 'string' ? stack : '';
  return (
    <div class="thrown">
      <p>
        <b>{inline(type ?? 'exception')}</b> {inline(message ?? '')}
      </p>
      {text === '' ? null : (
        <details open>
          <summary>Stack</summary>
          <pre>{text}</pre>
          <Copy text={() => text} label="Copy the stack">
            Copy
          </Copy>
        </details>
      )}
    </div>
  );
}

function Event({ event }: { readonly event: EventView }): JSX.Element {
  return (
    <details class="event" open={event.name.startsWith('toolspan.')}>
      <summary>
        <span class="when">+{duration(Math.max(0, event.offsetNs))}</span> {event.name}
      </summary>
      <AttributeTable attributes={event.attributes} label={`Attributes of ${event.name}`} />
    </details>
  );
}

function Record({ log, startMs }: { readonly log: LogView; readonly startMs: number }): JSX.Element {
  const text = inline(log.body ?? '') || log.eventName;
  return (
    <details class="event">
      <summary>
        <span class="when">+{duration(Math.max(0, (log.timeMs - startMs) * 1e6))}</span>{' '}
        <Severity severity={log.severity} text={log.severityText} /> {text}
      </summary>
      <AttributeTable attributes={log.attributes} label="Attributes of the record" />
    </details>
  );
}

function droppedText({ dropped }: SpanDetail): string {
  const parts = Object.entries(dropped).filter(([, count]) => count > 0);
  return parts.length === 0
    ? ''
    : `; the sender left out ${parts.map(([what, count]) => `${count} ${what}`).join(', ')}`;
}
