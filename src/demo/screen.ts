// Where the demo shows itself: traces above, one running line below, or one JSON object a line.
import { styleText } from 'node:util';
import { SpanKind, type HrTime } from '@opentelemetry/api';
import type { Finding } from './investigator.ts';
import type { ReadableSpan } from './live-traces.ts';
import { totalsLine, type Totals } from './totals.ts';
import { drawTree, type Paint, type TreeSpan } from './tree.ts';

const CLEAR_LINE = '\r\u001B[2K';

/** Shows what happens. */
export interface Screen {
  /** Says something once, above all traces. */
  intro(lines: readonly string[]): void;
  trace(spans: readonly ReadableSpan[], totals: Totals): void;
  /** Shows a line of the log; undefined where the log goes its own way. */
  readonly log?: ((line: string) => void) | undefined;
  /** Shows what an agent found out about a failed call. */
  investigation(findings: readonly Finding[]): void;
  end(totals: Totals): void;
}

/** Draws trees; the running line is there on a terminal only, and colours only where they are wanted. */
export function terminalScreen(out: NodeJS.WriteStream): Screen {
  const style = (format: 'green' | 'red' | 'yellow' | 'dim') => (text: string) =>
    styleText(format, text, { stream: out });
  const paint: Paint = { good: style('green'), bad: style('red'), warn: style('yellow'), dim: style('dim') };
  const clear = out.isTTY ? CLEAR_LINE : '';
  let running = '';
  // on one terminal the log and the running line would write over each other
  const shared = out.isTTY && process.stderr.isTTY;
  return {
    log: shared ? (line) => void out.write(`${clear}${line}\n${running}`) : undefined,
    intro: (lines) => void out.write(`${lines.join('\n')}\n\n`),
    trace(spans, totals) {
      running = out.isTTY ? paint.dim(totalsLine(totals).slice(0, (out.columns ?? 80) - 1)) : '';
      out.write(`${clear}${drawTree(spans.map(treeSpan), paint).join('\n')}\n${running}`);
    },
    investigation(findings) {
      const lines = findings.flatMap(({ asked, learned }) => [
        `  ${paint.warn(`agent asks ${asked}`)}`,
        ...learned.map((line) => `    ${paint.dim('│')} ${line}`),
      ]);
      out.write(`${clear}\n${['A call has failed, so the agent asks the server why:', ...lines].join('\n')}\n\n`);
    },
    end: (totals) =>
      void out.write(`${clear}\n${totals.traces} traces, ${totals.spans} spans: ${totalsLine(totals)}\n`),
  };
}

/** One JSON object a line, and nothing else: traces as they end and investigations, then the totals. */
export function jsonScreen(out: NodeJS.WritableStream): Screen {
  const write = (value: object) => void out.write(`${JSON.stringify(value)}\n`);
  return {
    intro: () => {},
    trace: (spans) =>
      write({
        type: 'trace',
        traceId: spans[0]?.spanContext().traceId,
        spans: spans.map((span) => ({ ...treeSpan(span), attributes: span.attributes })),
      }),
    investigation: (findings) => write({ type: 'investigation', findings }),
    end: (totals) => write({ type: 'totals', ...totals }),
  };
}

function treeSpan(span: ReadableSpan): TreeSpan {
  const { attributes, kind } = span;
  const mcp = attributes['mcp.method.name'] !== undefined;
  return {
    spanId: span.spanContext().spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    name: span.name,
    side: mcp && kind === SpanKind.SERVER ? 'server' : mcp && kind === SpanKind.CLIENT ? 'client' : 'other',
    start: milliseconds(span.startTime),
    durationMs: milliseconds(span.duration),
    outcome: textOf(attributes['toolspan.outcome'] ?? attributes['http.response.status_code']),
    error: errorOf(span),
    notes: notesOf(span),
  };
}

// The exception where there is one, else the code, else what error.type adds to the outcome.
function errorOf({ attributes, events }: ReadableSpan): string | undefined {
  const exception = events.find(({ name }) => name === 'exception')?.attributes;
  if (exception !== undefined)
    return `${textOf(exception['exception.type'])}: ${textOf(exception['exception.message'])}`;
  const withdrawn = attributes['toolspan.outcome'] === 'cancelled';
  const error = (withdrawn ? undefined : textOf(attributes['toolspan.error.code'])) ?? textOf(attributes['error.type']);
  const known = [attributes['toolspan.outcome'], attributes['http.response.status_code']].map(textOf);
  return known.includes(error) ? undefined : error;
}

// What policies did in it.
function notesOf({ events }: ReadableSpan): string[] {
  return events.flatMap(({ name, attributes = {} }) => {
    const about = `${name.replace(/^toolspan\./, '').replaceAll(/[._]/g, ' ')}: ${textOf(attributes['toolspan.policy.name'])}`;
    switch (name) {
      case 'toolspan.retry':
        return `${about}, attempt ${textOf(attributes['toolspan.retry.attempt'])} in ${textOf(attributes['toolspan.retry.delay_ms'])} ms after ${textOf(attributes['error.type'])}`;
      case 'toolspan.circuit_breaker.transition':
        return `${about} ${textOf(attributes['toolspan.circuit_breaker.from'])} > ${textOf(attributes['toolspan.circuit_breaker.to'])} (${textOf(attributes['toolspan.circuit_breaker.reason'])})`;
      default:
        return name.startsWith('toolspan.') ? about : [];
    }
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** A duration of OpenTelemetry in ms. */
export function milliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1_000 + nanoseconds / 1e6;
}
