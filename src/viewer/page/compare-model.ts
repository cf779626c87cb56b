// Two traces side by side: spans are paired by what they are and where they stand, not by id. Pure.
import type { SpanRow } from '../api/shapes.ts';
import type { TreeRow } from './trace-model.ts';

/** A row of the comparison: a span of one trace, of the other, or of both. */
export interface PairedRow {
  readonly depth: number;
  readonly name: string;
  readonly left: SpanRow | undefined;
  readonly right: SpanRow | undefined;
}

/** Pairs the trees: children of paired spans are paired in order, by name and kind. */
export function pairTrees(left: readonly TreeRow[], right: readonly TreeRow[]): PairedRow[] {
  const rows: PairedRow[] = [];
  const stack = pairSiblings(left, right, 0).toReversed();
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const { a, b, depth } = pair;
    rows.push({ depth, name: (a ?? b)?.span.name ?? '', left: a?.span, right: b?.span });
    stack.push(...pairSiblings(a?.children ?? [], b?.children ?? [], depth + 1).toReversed());
  }
  return rows;
}

interface Pair {
  readonly a: TreeRow | undefined;
  readonly b: TreeRow | undefined;
  readonly depth: number;
}

function pairSiblings(left: readonly TreeRow[], right: readonly TreeRow[], depth: number): Pair[] {
  const waiting = Map.groupBy(right, keyOf);
  const pairs: Pair[] = left.map((a) => ({ a, b: waiting.get(keyOf(a))?.shift(), depth }));
  // what only the right one has stands after what it came after
  for (const [index, b] of right.entries()) {
    if (waiting.get(keyOf(b))?.includes(b) !== true) continue;
    const before = right[index - 1];
    const at = before === undefined ? -1 : pairs.findIndex((pair) => pair.b === before);
    pairs.splice(at + 1, 0, { a: undefined, b, depth });
  }
  return pairs;
}

function keyOf({ span }: TreeRow): string {
  return `${span.kind} ${span.name}`;
}
