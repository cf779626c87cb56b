// A trace as a tree of rows: who called whom, what is missing, what took the time. Pure.
import { ATTR_TOOLSPAN_RETRY_DELAY_MS, EVENT_TOOLSPAN_RETRY } from '../../telemetry/names.ts';
import type { SpanRow } from '../api/shapes.ts';

/** One row of the waterfall. */
export interface TreeRow {
  readonly span: SpanRow;
  readonly depth: number;
  readonly children: readonly TreeRow[];
  /** Its parent was named but has not come. */
  readonly parentMissing: boolean;
  /** It was cut out of a cycle here. */
  readonly cycle: boolean;
  /** Duration less what its children cover, in ns. */
  readonly selfNs: number;
  /** It began before its parent, or ended after: their clocks differ, or it was not waited for. */
  readonly skewed: boolean;
  readonly last: boolean;
  /** All spans below it. */
  readonly descendants: number;
  readonly failedBelow: boolean;
}

interface Growing {
  span: SpanRow;
  children: Growing[];
  cycle: boolean;
}

/** Builds the tree; every span is in it once, whatever parents they name. */
export function buildTree(spans: readonly SpanRow[]): TreeRow[] {
  const nodes = new Map<string, Growing>();
  for (const span of spans) if (!nodes.has(span.spanId)) nodes.set(span.spanId, { span, children: [], cycle: false });
  const roots: Growing[] = [];
  for (const node of nodes.values()) {
    const parent = node.span.parentId === '' ? undefined : nodes.get(node.span.parentId);
    if (parent === undefined || parent === node) {
      node.cycle = parent === node;
      roots.push(node);
    } else parent.children.push(node);
  }
  const reached = new Set<Growing>();
  for (const root of roots) reach(root, reached);
  // what is left hangs in a cycle: it is cut before its earliest span
  for (const node of nodes.values()) {
    if (reached.has(node)) continue;
    const parent = nodes.get(node.span.parentId);
    if (parent !== undefined) parent.children = parent.children.filter((child) => child !== node);
    node.cycle = true;
    roots.push(node);
    reach(node, reached);
  }
  return finish(roots.toSorted(byStart), nodes);
}

/** The rows that are shown, in order: those below a collapsed row are not. */
export function visibleRows(tree: readonly TreeRow[], collapsed: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = [];
  const stack = tree.toReversed();
  for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
    rows.push(row);
    if (!collapsed.has(row.span.spanId)) stack.push(...row.children.toReversed());
  }
  return rows;
}

/** Ids of the spans above these: what must be open for them to be seen. */
export function ancestorsOf(spans: readonly SpanRow[], ids: ReadonlySet<string>): Set<string> {
  const parents = new Map(spans.map(({ spanId, parentId }) => [spanId, parentId]));
  const above = new Set<string>();
  for (const id of ids) {
    for (let at = parents.get(id); at !== undefined && at !== '' && !above.has(at); at = parents.get(at)) above.add(at);
  }
  return above;
}

/**
 * The critical path: what had to end before the trace could. From the root's end backwards, always into the child
 * that ended last before that moment.
 */
export function criticalPath(tree: readonly TreeRow[]): Set<string> {
  const path = new Set<string>();
  const stack = tree.slice(0, 1).map((row) => ({ row, until: endOf(row) }));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { row } = next;
    path.add(row.span.spanId);
    let until = Math.min(next.until, endOf(row));
    for (const child of row.children.toSorted((a, b) => endOf(b) - endOf(a))) {
      // clamped: a child that outlives its parent is waited for only so long
      const end = Math.min(endOf(child), endOf(row));
      if (end > until || end <= row.span.offsetNs || child.span.offsetNs >= until) continue;
      stack.push({ row: child, until: end });
      until = child.span.offsetNs;
    }
  }
  return path;
}

/** A piece of the bar of a span that was tried more than once. */
export interface Attempt {
  readonly fromNs: number;
  readonly toNs: number;
  /** Waiting for the next attempt. */
  readonly waiting: boolean;
}

/** Attempts and the waits between them, from the retry events of a span; nothing where it was tried once. */
export function attemptsOf({ offsetNs, durationNs, events }: SpanRow): Attempt[] {
  const retries = events
    .filter(({ name }) => name === EVENT_TOOLSPAN_RETRY)
    .toSorted((a, b) => a.offsetNs - b.offsetNs);
  if (retries.length === 0) return [];
  const end = offsetNs + durationNs;
  const pieces: Attempt[] = [];
  let from = offsetNs;
  for (const { offsetNs: at, attributes } of retries) {
    const delay = Number(attributes?.[ATTR_TOOLSPAN_RETRY_DELAY_MS] ?? 0) * 1e6;
    const next = Math.min(end, at + (Number.isFinite(delay) ? Math.max(0, delay) : 0));
    pieces.push({ fromNs: from, toNs: at, waiting: false });
    if (next > at) pieces.push({ fromNs: at, toNs: next, waiting: true });
    from = next;
  }
  return [...pieces, { fromNs: from, toNs: end, waiting: false }];
}

/** A round that asked back: the wait until the same call was made again. */
export interface Round {
  readonly spanId: string;
  readonly fromNs: number;
  readonly toNs: number;
}

/** Waits between an answer of `input_required` and the next call of the same thing by the same caller. */
export function roundsOf(tree: readonly TreeRow[]): Map<string, Round> {
  const rounds = new Map<string, Round>();
  const stack: (readonly TreeRow[])[] = [tree];
  for (let siblings = stack.pop(); siblings !== undefined; siblings = stack.pop()) {
    const open = new Map<string, SpanRow>();
    for (const { span, children } of siblings) {
      stack.push(children);
      const key = `${span.kind} ${span.method} ${span.tool}`;
      const before = open.get(key);
      if (before !== undefined && span.method !== '') {
        rounds.set(span.spanId, {
          spanId: before.spanId,
          fromNs: before.offsetNs + before.durationNs,
          toNs: span.offsetNs,
        });
        open.delete(key);
      }
      if (span.outcome === 'input_required') open.set(key, span);
    }
  }
  return rounds;
}

function reach(from: Growing, reached: Set<Growing>): void {
  const stack = [from];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    stack.push(...node.children);
  }
}

// not by recursion: a chain of 10,000 spans is deeper than a stack
function finish(roots: readonly Growing[], nodes: ReadonlyMap<string, Growing>): TreeRow[] {
  const order: { node: Growing; depth: number; last: boolean; parent: SpanRow | undefined }[] = [];
  const stack = roots
    .map((node, index) => ({
      node,
      depth: 0,
      last: index === roots.length - 1,
      parent: undefined as SpanRow | undefined,
    }))
    .toReversed();
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    order.push(entry);
    const { node, depth } = entry;
    const children = node.children.toSorted(byStart);
    node.children = children;
    for (let index = children.length - 1; index >= 0; index--) {
      const child = children[index];
      if (child === undefined) continue;
      stack.push({ node: child, depth: depth + 1, last: index === children.length - 1, parent: node.span });
    }
  }
  const rows = new Map<Growing, TreeRow>();
  for (const { node, depth, last, parent } of order.toReversed()) {
    const { span } = node;
    const children = node.children.flatMap((child) => rows.get(child) ?? []);
    rows.set(node, {
      span,
      depth,
      children,
      parentMissing: span.parentId !== '' && !nodes.has(span.parentId),
      cycle: node.cycle,
      selfNs: selfTime(span, node.children),
      skewed:
        parent !== undefined &&
        (span.offsetNs < parent.offsetNs || span.offsetNs > parent.offsetNs + parent.durationNs),
      last,
      descendants: children.reduce((sum, child) => sum + 1 + child.descendants, 0),
      failedBelow: children.some((child) => child.span.failed || child.failedBelow),
    });
  }
  return roots.flatMap((root) => rows.get(root) ?? []);
}

function selfTime(span: SpanRow, children: readonly Growing[]): number {
  const end = span.offsetNs + span.durationNs;
  let [covered, until] = [0, span.offsetNs];
  for (const { span: child } of children) {
    const from = Math.max(child.offsetNs, until);
    const to = Math.min(child.offsetNs + child.durationNs, end);
    if (to > from) [covered, until] = [covered + to - from, to];
  }
  return Math.max(0, span.durationNs - covered);
}

function byStart(a: Growing, b: Growing): number {
  return a.span.offsetNs - b.span.offsetNs || b.span.durationNs - a.span.durationNs;
}

function endOf({ span }: TreeRow): number {
  return span.offsetNs + span.durationNs;
}
