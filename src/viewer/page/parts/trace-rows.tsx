// A few traces as rows of a table, on the pages that are about something else.
import type { JSX } from 'preact';
import type { TraceSummary } from '../../api/shapes.ts';
import { ago, milliseconds } from '../format.ts';
import { shownUntil } from '../live.ts';
import { href } from '../location.ts';
import { ErrorKind, Outcome } from './badges.tsx';

/** What a trace is called: the tool or method before the name of a span. */
export function titleOf({ tool, method, name }: TraceSummary): JSX.Element {
  if (tool !== '') {
    return (
      <>
        <b>{tool}</b> {method === 'tools/call' ? '' : <span class="quiet">{method}</span>}
      </>
    );
  }
  return <b>{method || name || 'no name'}</b>;
}

/** A trace in one line, for a message to somebody. */
export function lineOf({
  traceId,
  tool,
  method,
  name,
  outcome,
  errorCode,
  errorType,
  durationMs,
}: TraceSummary): string {
  const what = tool === '' ? method || name : `${method} ${tool}`;
  const error = [errorCode, errorType].filter((text) => text !== '').join(' ');
  return [what, outcome, error, milliseconds(durationMs), `trace ${traceId}`].filter((text) => text !== '').join(' · ');
}

export function TraceRows({ traces }: { readonly traces: readonly TraceSummary[] }): JSX.Element {
  return (
    <ul class="trace-rows">
      {traces.map((trace) => (
        <li key={trace.traceId}>
          <a href={href(`/traces/${trace.traceId}`)}>
            <span class="title">{titleOf(trace)}</span>
            <Outcome outcome={trace.outcome} failed={trace.failed} />
            <ErrorKind code={trace.errorCode} type={trace.errorType} />
            <span class="number">{milliseconds(trace.durationMs)}</span>
            <span class="when">{ago(trace.startMs, shownUntil())}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}
