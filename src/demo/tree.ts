// A trace as a tree of lines: who called whom, how long it took, how it ended. Pure.

/** What the drawing needs of a span. */
export interface TreeSpan {
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** `server` and `client` are shown; anything else is inside one of them. */
  readonly side: 'server' | 'client' | 'other';
  /** In ms since some moment common to the trace. */
  readonly start: number;
  readonly durationMs: number;
  /** The MCP outcome, an HTTP status, or nothing. */
  readonly outcome: string | undefined;
  readonly error: string | undefined;
  /** What happened inside it, one line each. */
  readonly notes?: readonly string[];
}

/** How parts of a line are shown; plain text by default. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly dim: (text: string) => string;
}

const PLAIN: Paint = { good: (text) => text, bad: (text) => text, warn: (text) => text, dim: (text) => text };
const LABEL_WIDTH = 46;
const GOOD = new Set(['ok', 'input_required']);

/** Draws the spans of one trace. A span whose parent is not there stands at the left; a cycle is cut once. */
export function drawTree(spans: readonly TreeSpan[], paint: Paint = PLAIN): string[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentSpanId }) =>
    parentSpanId !== undefined && ids.has(parentSpanId) ? parentSpanId : '',
  );
  const drawn = new Set<TreeSpan>();
  const lines: string[] = [];
  const draw = (span: TreeSpan, lead: string, branch: string, below: string) => {
    drawn.add(span);
    lines.push(line(span, lead + branch, paint));
    const next = inOrder(children.get(span.spanId) ?? []).filter((child) => !drawn.has(child));
    for (const note of span.notes ?? []) {
      lines.push(`${paint.dim(`${lead}${below}${next.length > 0 ? '│' : ' '}`)} ${paint.warn(note)}`);
    }
    next.forEach((child, index) => {
      const last = index === next.length - 1;
      if (!drawn.has(child)) draw(child, lead + below, last ? '└─ ' : '├─ ', last ? '   ' : '│  ');
    });
  };
  for (const root of inOrder(children.get('') ?? [])) draw(root, '', '', '');
  // what is left hangs in a cycle
  for (const span of inOrder(spans)) if (!drawn.has(span)) draw(span, '', '', '');
  return lines;
}

function inOrder(spans: readonly TreeSpan[]): TreeSpan[] {
  return spans.toSorted((a, b) => a.start - b.start);
}

function line(span: TreeSpan, lead: string, paint: Paint): string {
  const side = span.side === 'other' ? '' : ` ${span.side}`;
  const label = fit(`${span.name}${side}`, LABEL_WIDTH - lead.length);
  const duration = formatDuration(span.durationMs).padStart(9);
  const bad = span.error !== undefined;
  const outcome = span.outcome ?? '';
  const painted = bad
    ? paint.bad(outcome)
    : GOOD.has(outcome) || /^[23]\d\d$/.test(outcome)
      ? paint.good(outcome)
      : paint.warn(outcome);
  const error = span.error === undefined ? '' : `  ${paint.bad(span.error)}`;
  return `${paint.dim(lead)}${label} ${paint.dim(duration)}  ${painted}${error}`.trimEnd();
}

function formatDuration(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  return ms < 1_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

function fit(text: string, width: number): string {
  const room = Math.max(width, 8);
  return text.length > room ? `${text.slice(0, room - 1)}…` : text.padEnd(room);
}
