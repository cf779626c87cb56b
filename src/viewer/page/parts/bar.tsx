// The bar of a span: its time, its attempts with the waits between them, what happened on it, and its length beside it.
import type { JSX } from 'preact';
import {
  EVENT_TOOLSPAN_BULKHEAD_REJECTED,
  EVENT_TOOLSPAN_CIRCUIT_BREAKER_REJECTED,
  EVENT_TOOLSPAN_CIRCUIT_BREAKER_TRANSITION,
  EVENT_TOOLSPAN_FALLBACK,
  EVENT_TOOLSPAN_RATE_LIMIT_REJECTED,
  EVENT_TOOLSPAN_RETRY,
  EVENT_TOOLSPAN_TIMEOUT,
} from '../../../telemetry/names.ts';
import { EVENT_EXCEPTION } from '../../../telemetry/semconv.ts';
import type { EventMark } from '../../api/shapes.ts';
import { duration, inline } from '../format.ts';
import { attemptsOf, type TreeRow } from '../trace-model.ts';

/** The part of a trace that is shown. */
export interface Scale {
  readonly fromNs: number;
  readonly toNs: number;
}

interface BarProps {
  readonly row: TreeRow;
  readonly scale: Scale;
  readonly hue: number;
  readonly round: { readonly fromNs: number; readonly toNs: number } | undefined;
  readonly logs: readonly number[] | undefined;
}

const TICKS = 5;
const SIGNS: readonly (readonly [name: string, sign: string])[] = [
  [EVENT_TOOLSPAN_RETRY, 'retry'],
  [EVENT_TOOLSPAN_CIRCUIT_BREAKER_TRANSITION, 'breaker'],
  [EVENT_TOOLSPAN_CIRCUIT_BREAKER_REJECTED, 'rejected'],
  [EVENT_TOOLSPAN_BULKHEAD_REJECTED, 'rejected'],
  [EVENT_TOOLSPAN_RATE_LIMIT_REJECTED, 'rejected'],
  [EVENT_TOOLSPAN_FALLBACK, 'fallback'],
  [EVENT_TOOLSPAN_TIMEOUT, 'timeout'],
  [EVENT_EXCEPTION, 'exception'],
];
// two marks closer than this share of the width would cover each other
const TOUCHING = 0.8;
// a label needs about this share of the width
const LEAST_ROOM = 12;

export function Bar({ row, scale, hue, round, logs }: BarProps): JSX.Element {
  const { span } = row;
  const length = scale.toNs - scale.fromNs;
  const place = (ns: number) => ((ns - scale.fromNs) / length) * 100;
  const [left, right] = [place(span.offsetNs), place(span.offsetNs + span.durationNs)];
  const outside = right < 0 || left > 100;
  const attempts = attemptsOf(span);
  // the label stands where there is more room, but not on the wait for the round before
  const before = round === undefined && left > 100 - right;
  const room = before ? left : 100 - right;
  const beside = room < LEAST_ROOM ? 'inside' : before ? 'before' : 'after';
  return (
    <>
      {round === undefined ? null : (
        <span
          class="round"
          title={`Waited ${duration(round.toNs - round.fromNs)} for input`}
          style={{
            left: `${clamp(place(round.fromNs))}%`,
            width: `${clamp(place(round.toNs)) - clamp(place(round.fromNs))}%`,
          }}
        />
      )}
      {outside ? (
        <span class={`outside ${left > 100 ? 'after' : ''}`} aria-hidden="true">
          {left > 100 ? '›' : '‹'}
        </span>
      ) : (
        <span
          class={`bar hue-${hue} kind-${span.kind} ${span.failed ? 'bad' : ''} ${attempts.length > 0 ? 'tried' : ''}`}
          style={{ left: `${clamp(left)}%`, width: `max(3px, ${clamp(right) - clamp(left)}%)` }}
        >
          {attempts.map(({ fromNs, toNs, waiting }, index) => (
            <i
              key={index}
              class={waiting ? 'wait' : 'attempt'}
              style={{
                left: `${share(fromNs - span.offsetNs, span.durationNs)}%`,
                width: `${share(toNs - fromNs, span.durationNs)}%`,
              }}
              title={waiting ? `waited ${duration(toNs - fromNs)}` : `attempt of ${duration(toNs - fromNs)}`}
            />
          ))}
        </span>
      )}
      {clustered(marksOf(span.events), (mark) => place(mark.offsetNs)).map(({ at, marks, sign }) => (
        <i key={at} class={`sign ${sign}`} style={{ left: `${at}%` }} title={marks.map(describe).join('\n')} />
      ))}
      {clustered(
        (logs ?? []).map((offsetNs) => ({ name: 'log', offsetNs })),
        (log) => place(log.offsetNs),
      ).map(({ at, marks }) => (
        <i key={`log ${at}`} class="sign log" style={{ left: `${at}%` }} title={`${marks.length} log records`} />
      ))}
      <span
        class={`length ${beside}`}
        style={beside === 'inside' ? {} : before ? { right: `${100 - clamp(left)}%` } : { left: `${clamp(right)}%` }}
      >
        {duration(span.durationNs)}
      </span>
    </>
  );
}

/** The scale above the bars. */
export function Ticks({ scale }: { readonly scale: Scale }): JSX.Element {
  return (
    <span class="ticks">
      {Array.from({ length: TICKS }, (_, index) => (
        <span key={index} style={{ left: `${(index / TICKS) * 100}%` }}>
          {duration(scale.fromNs + ((scale.toNs - scale.fromNs) * index) / TICKS)}
        </span>
      ))}
    </span>
  );
}

interface Marked extends EventMark {
  readonly sign?: string;
}

function marksOf(events: readonly EventMark[]): Marked[] {
  return events.map((event) => ({ ...event, sign: SIGNS.find(([name]) => name === event.name)?.[1] ?? 'event' }));
}

// What would overlap is one mark, with the sign of the first that is not ordinary.
function clustered(marks: readonly Marked[], place: (mark: Marked) => number) {
  const clusters: { at: number; marks: Marked[]; sign: string }[] = [];
  for (const mark of marks.toSorted((a, b) => a.offsetNs - b.offsetNs)) {
    const at = place(mark);
    if (at < -0.01 || at > 100.01) continue;
    const last = clusters.at(-1);
    if (last === undefined || at - last.at > TOUCHING) {
      clusters.push({ at: clamp(at), marks: [mark], sign: mark.sign ?? 'log' });
    } else {
      last.marks.push(mark);
      if (last.sign === 'event' || last.sign === 'retry') last.sign = mark.sign ?? last.sign;
    }
  }
  return clusters;
}

function describe({ name, offsetNs, attributes }: Marked): string {
  const details = Object.entries(attributes ?? {}).map(
    ([key, value]) => `${key.split('.').at(-1) ?? key} ${inline(value)}`,
  );
  return `${name} at ${duration(Math.max(0, offsetNs))}${details.length > 0 ? `: ${details.join(', ')}` : ''}`.slice(
    0,
    400,
  );
}

function share(part: number, whole: number): number {
  return whole <= 0 ? 0 : (part / whole) * 100;
}

function clamp(percent: number): number {
  return Math.max(0, Math.min(100, percent));
}
