// The answer of get_trace: the spans that this process holds of one trace, as a tree, with what happened in them.
import { recentTraces, tracesAreHeld, type RecentEvent, type RecentSpan } from '../state/recent-traces.ts';
import {
  ATTR_ERROR_TYPE,
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
} from '../telemetry/semconv.ts';
import { cut } from '../redaction/cut.ts';
import type { Caller } from './access.ts';
import { rounded } from './figures.ts';
import type { TraceOutput } from './answers.ts';

const MAX_SPANS = 200;
const MAX_TEXT = 200;
const MAX_LINES = 40;
// What a stranger may see: how it went, and nothing of hosts, paths, queries or arguments.
const OPEN_ATTRIBUTES =
  /^(toolspan\.|mcp\.(method|protocol)|gen_ai\.(tool|prompt|operation)\.name$|error\.type$|rpc\.|jsonrpc\.|http\.(request\.(method|resend_count)|response\.status_code)$|network\.(transport|protocol\.name)$|exception\.type$)/;
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
  return {
    span_id: span.spanId,
    parent_span_id: span.parentSpanId ?? null,
    depth,
    name: span.name,
    kind: span.kind,
    start_ms: rounded(span.startedAt - start) ?? 0,
    duration_ms: rounded(span.durationMs) ?? 0,
    failed: span.failed,
    error: errorOf(span, exception, everything),
    attributes: shown(span.attributes, everything),
    events: span.events.map(({ name, offsetMs, attributes }) => ({
      name,
      at_ms: rounded(offsetMs) ?? 0,
      attributes: shown(attributes, everything || attributes[ATTR_EXCEPTION_TYPE] === OPEN_MESSAGES_OF),
    })),
  };
}

function errorOf(span: RecentSpan, exception: RecentEvent | undefined, everything: boolean): string | null {
  const { [ATTR_EXCEPTION_TYPE]: type, [ATTR_EXCEPTION_MESSAGE]: message } = exception?.attributes ?? {};
  if (typeof type !== 'string') {
    const error = span.attributes[ATTR_ERROR_TYPE];
    return typeof error === 'string' ? cut(error, MAX_TEXT) : null;
  }
  const open = everything || type === OPEN_MESSAGES_OF;
  return cut(open && typeof message === 'string' ? `${type}: ${message}` : type, MAX_TEXT);
}

function shown(
  attributes: Readonly<Record<string, unknown>>,
  everything: boolean,
): Record<string, string | number | boolean> {
  const result: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(attributes)) {
    // a stack is for the log: it is long, and tells of the machine
    if (key === ATTR_EXCEPTION_STACKTRACE || (!everything && !OPEN_ATTRIBUTES.test(key))) continue;
    if (typeof value === 'number' || typeof value === 'boolean') result[key] = value;
    else if (value !== undefined)
      result[key] = cut(typeof value === 'string' ? value : JSON.stringify(value), MAX_TEXT);
  }
  return result;
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
