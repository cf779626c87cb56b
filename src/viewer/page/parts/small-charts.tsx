// Charts of a line's height: calls over time, states over time, outcomes as shares.
import type { JSX } from 'preact';
import type { StateTimeline, Window } from '../../api/shapes.ts';
import { clock } from '../format.ts';
import { href } from '../location.ts';
import { State, toneOfState } from './badges.tsx';

/** Calls by part of the window. */
export function Sparkline({
  values,
  label,
}: {
  readonly values: readonly number[];
  readonly label: string;
}): JSX.Element {
  const max = Math.max(1, ...values);
  const width = 100 / values.length;
  return (
    <svg class="sparkline" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={label}>
      {values.map((value, index) =>
        value === 0 ? null : (
          <rect
            key={index}
            x={index * width}
            y={20 - Math.max(1.5, (value / max) * 20)}
            width={width * 0.8}
            height={Math.max(1.5, (value / max) * 20)}
          />
        ),
      )}
    </svg>
  );
}

const ORDER = ['ok', 'input_required', 'cancelled', 'tool_error', 'protocol_error', 'aborted', 'expired', 'error'];

/** Outcomes as shares of one bar. */
export function Outcomes({ outcomes }: { readonly outcomes: Readonly<Record<string, number>> }): JSX.Element {
  const known = Object.entries(outcomes).toSorted(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b));
  const total = known.reduce((sum, [, count]) => sum + count, 0);
  const label = known.map(([name, count]) => `${count} ${name}`).join(', ');
  let at = 0;
  return (
    <svg class="outcomes" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={label}>
      <title>{label}</title>
      {known.map(([name, count]) => {
        const width = (count / Math.max(1, total)) * 100;
        at += width;
        return <rect key={name} class={`outcome-${name}`} x={at - width} y="0" width={width} height="8" />;
      })}
    </svg>
  );
}

/** States over time, one line for each. */
export function Timelines({
  lines,
  window,
}: {
  readonly lines: readonly StateTimeline[];
  readonly window: Window;
}): JSX.Element {
  const place = (ms: number) => ((ms - window.fromMs) / (window.toMs - window.fromMs)) * 100;
  return (
    <table class="timelines">
      <caption class="unseen">States over time</caption>
      <thead class="unseen">
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Over time</th>
          <th scope="col">Now</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={`${line.service} ${line.name}`}>
            <th scope="row" title={line.service}>
              {line.name === '' ? line.service : line.name}
            </th>
            <td>
              <svg viewBox="0 0 100 14" preserveAspectRatio="none" role="img" aria-label={changesOf(line)}>
                <rect class="track" x="0" y="0" width="100" height="14" />
                {line.changes.map(({ atMs, state }, index) => {
                  const end = line.changes[index + 1]?.atMs ?? window.toMs;
                  const x = Math.max(0, place(atMs));
                  return (
                    <rect
                      key={atMs}
                      class={`tone-${toneOfState(state)}`}
                      x={x}
                      y="0"
                      width={Math.max(0.4, place(end) - x)}
                      height="14"
                    >
                      <title>{`${state} since ${clock(atMs)}`}</title>
                    </rect>
                  );
                })}
              </svg>
            </td>
            <td class="now">
              <State state={line.now} />
              {latestTrace(line)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function latestTrace({ changes, name }: StateTimeline): JSX.Element | null {
  const traceId = changes.findLast((change) => change.traceId !== undefined)?.traceId;
  if (traceId === undefined) return null;
  return (
    <a href={href(`/traces/${traceId}`)} aria-label={`Trace of the latest change of ${name}`}>
      trace
    </a>
  );
}

function changesOf({ changes }: StateTimeline): string {
  return changes.map(({ atMs, state }) => `${state} since ${clock(atMs)}`).join(', ') || 'no state in this time';
}
