// The answer of get_trace: the spans that this process holds of one trace, as a tree, with what happened in them.
import { recentTraces, tracesAreHeld, type RecentEvent, type RecentSpan } from '../state/recent-traces.ts';
import { redactor } from '../redaction/current.ts';
import { SCOPE_NAME } from '../telemetry/names.ts';
import {
  ATTR_ERROR_TYPE,
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
} from '../telemetry/semconv.ts';
import type { Caller } from './access.ts';
import { rounded } from './figures.ts';
import { isOpen, isOpenEvent, MAX_TEXT, shownAttributes } from './open.ts';
import type { TraceOutput } from './answers.ts';

const MAX_SPANS = 200;
const MAX_LINES = 40;
// Written by a ToolError: meant for the client.
const OPEN_MESSAGES_OF = 'ToolError';

/** The trace, or that it is not held. */
export function traceAnswer(
  traceId: string,
  { scope }: Caller,
  link: (traceId: string) => string | null,
): { output: TraceOutput; text: string } {
  const trace = recentTraces.get(traceId);
  if (trace === undefined) {
    const why = tracesAreHeld()
      ? 'This process holds no span of this trace: it is too old, was not sampled, or ran elsewhere.'
      : 'This process holds no traces: no agentSpanProcessor is registered.';
    const output = {
      trace_id: traceId,
      found: false,
      duration_ms: null,
      spans: [],
      more_spans: 0,
      link: link(traceId),
    };
    return { output, text: why };
  }
  const all = trace.spans.map((span) => span.read());
  const start = Math.min(...all.map(({ startedAt }) => startedAt));
  const end = Math.max(...all.map(({ startedAt, durationMs }) => startedAt + durationMs));
  const ordered = depthFirst(all);
  const output: TraceOutput = {
    trace_id: traceId,
    found: true,
    duration_ms: rounded(end - start),
    spans: ordered.slice(0, MAX_SPANS).map(([span, depth]) => spanAnswer(span, depth, start, scope === 'all')),
    more_spans: Math.max(0, ordered.length - MAX_SPANS) + trace.left,
    link: link(traceId),
  };
  return { output, text: textOf(output) };
}

// Parents before children, siblings by start. A span whose parent is elsewhere is a root; one in a cycle comes last.
function depthFirst(spans: readonly RecentSpan[]): [span: RecentSpan, depth: number][] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const inOrder = spans.toSorted((a, b) => a.startedAt - b.startedAt);
  const children = Map.groupBy(inOrder, ({ parentSpanId }) =>
    parentSpanId !== undefined && ids.has(parentSpanId) ? parentSpanId : '',
  );
  const ordered: [RecentSpan, number][] = [];
  const seen = new Set<RecentSpan>();
  const visit = (span: RecentSpan, depth: number) => {
    if (seen.has(span)) return;
    seen.add(span);
    ordered.push([span, depth]);
    for (const child of children.get(span.spanId) ?? []) visit(child, depth + 1);
  };
  for (const root of children.get('') ?? []) visit(root, 0);
  for (const span of inOrder) visit(span, 0);
  return ordered;
}

function spanAnswer(span: RecentSpan, depth: number, start: number, everything: boolean): TraceOutput['spans'][number] {
  const exception = span.events.findLast(({ attributes }) => attributes[ATTR_EXCEPTION_TYPE] !== undefined);
  const isOurs = span.scope === SCOPE_NAME;
  return {
    span_id: span.spanId,
    parent_span_id: span.parentSpanId ?? null,
    depth,
    // of others a stranger learns the kind: their names may be anything
    name: everything || isOurs ? redacted(span.name) : `${span.kind.toUpperCase()} span`,
    kind: span.kind,
    start_ms: rounded(span.startedAt - start) ?? 0,
    duration_ms: rounded(span.durationMs) ?? 0,
    failed: span.failed,
    error: errorOf(span, exception, everything),
    attributes: shownAttributes(span.attributes, everything ? isNoStack : isOpen),
    events: span.events.map((event) => ({
      name: everything || isOpenEvent(event.name) ? redacted(event.name) : 'event',
      at_ms: rounded(event.offsetMs) ?? 0,
      attributes: shownAttributes(
        event.attributes,
        everything
          ? isNoStack
          : (key, value) => isOpen(key, value) || (key === ATTR_EXCEPTION_MESSAGE && isForClients(span, event)),
      ),
    })),
  };
}

function errorOf(span: RecentSpan, exception: RecentEvent | undefined, everything: boolean): string | null {
  const { [ATTR_EXCEPTION_TYPE]: type, [ATTR_EXCEPTION_MESSAGE]: message } = exception?.attributes ?? {};
  const known = (key: string, value: unknown) => typeof value === 'string' && (everything || isOpen(key, value));
  if (exception === undefined || !known(ATTR_EXCEPTION_TYPE, type)) {
    const error = span.attributes[ATTR_ERROR_TYPE];
    return known(ATTR_ERROR_TYPE, error) ? redacted(String(error)) : null;
  }
  const shown = typeof message === 'string' && (everything || isForClients(span, exception));
  return redacted(shown ? `${String(type)}: ${message}` : String(type));
}

function isForClients({ scope }: RecentSpan, { attributes }: RecentEvent): boolean {
  return scope === SCOPE_NAME && attributes[ATTR_EXCEPTION_TYPE] === OPEN_MESSAGES_OF;
}

// a stack is for the log: it is long, and tells of the machine
function isNoStack(key: string): boolean {
  return key !== ATTR_EXCEPTION_STACKTRACE;
}

function redacted(text: string): string {
  return redactor().text(text, MAX_TEXT);
}

function textOf({ spans, duration_ms: duration, more_spans: more }: TraceOutput): string {
  const lines: string[] = [`${spans.length} spans in ${duration} ms`];
  for (const { depth, name, kind, duration_ms: took, error, events } of spans.slice(0, MAX_LINES)) {
    const lead = '  '.repeat(depth);
    lines.push(`${lead}${name} ${kind} ${took} ms${error === null ? '' : `  ${error}`}`);
    for (const event of events) {
      if (event.attributes[ATTR_EXCEPTION_TYPE] === undefined) {
        lines.push(`${lead}  - ${event.name} at ${event.at_ms} ms`);
      }
    }
  }
  const hidden = Math.max(0, spans.length - MAX_LINES) + more;
  if (hidden > 0) lines.push(`${hidden} more spans.`);
  return lines.join('\n');
}
