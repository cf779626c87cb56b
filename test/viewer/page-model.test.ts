// What the page works out of a trace, without a browser.
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import type { SpanRow } from '../../src/viewer/api/shapes.ts';
import { pairTrees } from '../../src/viewer/page/compare-model.ts';
import { conventionOf } from '../../src/viewer/page/conventions.ts';
import { ago, bytes, count, duration, percent } from '../../src/viewer/page/format.ts';
import {
  ancestorsOf,
  attemptsOf,
  buildTree,
  criticalPath,
  roundsOf,
  visibleRows,
  type TreeRow,
} from '../../src/viewer/page/trace-model.ts';
import { verifies } from '../harness/verifies.ts';

function span(spanId: string, parentId: string, offsetNs = 0, durationNs = 10, more: Partial<SpanRow> = {}): SpanRow {
  return {
    spanId,
    parentId,
    name: spanId,
    kind: 1,
    resource: 0,
    offsetNs,
    durationNs,
    failed: false,
    tool: '',
    method: '',
    outcome: '',
    errorCode: '',
    errorType: '',
    exception: '',
    events: [],
    ...more,
  };
}

const all = (tree: readonly TreeRow[]) => visibleRows(tree, new Set());
const names = (tree: readonly TreeRow[]) =>
  all(tree).map(({ span: { spanId }, depth }) => `${' '.repeat(depth)}${spanId}`);

describe('a tree of spans', () => {
  verifies('page.model', () => {
    const tree = buildTree([
      span('late', 'root', 50),
      span('leaf', 'early', 21),
      span('root', '', 0, 100),
      span('early', 'root', 20, 15),
    ]);
    expect(names(tree)).toEqual(['root', ' early', '  leaf', ' late']);
    expect(visibleRows(tree, new Set(['early'])).map((row) => row.span.spanId)).toEqual(['root', 'early', 'late']);
    expect(tree[0]).toMatchObject({ descendants: 3, selfNs: 75, last: true, parentMissing: false });
    // children that overlap cover their time once, and what is outside the parent is not its time
    const [root] = buildTree([
      span('r', '', 0, 100),
      span('a', 'r', 10, 40),
      span('b', 'r', 30, 40),
      span('c', 'r', 90, 50),
    ]);
    expect(root?.selfNs).toBe(30);
    expect(root?.children.map(({ skewed }) => skewed)).toEqual([false, false, false]);
    expect(buildTree([span('r', '', 10, 5), span('a', 'r', 2)])[0]?.children[0]?.skewed).toBe(true);
    const orphans = buildTree([span('a', 'gone', 5), span('b', 'gone', 1), span('c', 'b', 2, 1, { failed: true })]);
    expect(names(orphans)).toEqual(['b', ' c', 'a']);
    expect(orphans.every(({ parentMissing }) => parentMissing)).toBe(true);
    expect(orphans[0]?.failedBelow).toBe(true);
  });

  verifies(
    'page.model',
    () => {
      const cycle = buildTree([
        span('a', 'c', 1),
        span('b', 'a', 2),
        span('c', 'b', 3),
        span('self', 'self', 9),
        span('tail', 'c', 4),
      ]);
      expect(names(cycle)).toEqual(
        ['a', ' b', '  c', '   tail', 'self'].toSorted((x, y) =>
          x.trim() === 'self' ? 1 : y.trim() === 'self' ? -1 : 0,
        ),
      );
      expect(cycle.filter((row) => row.cycle).map((row) => row.span.spanId)).toEqual(
        expect.arrayContaining(['a', 'self']),
      );
      const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
      const spans = fc.uniqueArray(fc.record({ id, parent: fc.option(id, { nil: '' }), at: fc.nat(20) }), {
        selector: (one) => one.id,
      });
      fc.assert(
        fc.property(spans, (list) => {
          const tree = buildTree(list.map(({ id: spanId, parent, at }) => span(spanId, parent, at)));
          const rows = all(tree);
          expect(rows.map((row) => row.span.spanId).toSorted()).toEqual(list.map((one) => one.id).toSorted());
          expect(rows.every(({ selfNs }) => selfNs >= 0)).toBe(true);
          expect(tree.reduce((sum, { descendants }) => sum + descendants + 1, 0)).toBe(list.length);
          criticalPath(tree);
          roundsOf(tree);
        }),
        { numRuns: 500 },
      );
    },
    'each once, also in cycles',
  );

  verifies(
    'page.model',
    () => {
      const chain = Array.from({ length: 20_000 }, (_, n) => span(`s${n}`, n === 0 ? '' : `s${n - 1}`, n));
      const tree = buildTree(chain);
      expect(all(tree)).toHaveLength(20_000);
      expect(tree[0]?.descendants).toBe(19_999);
      expect(criticalPath(tree).size).toBeGreaterThan(1);
      expect(ancestorsOf(chain, new Set(['s3'])).size).toBe(3);
    },
    'also a chain that is deeper than a stack',
  );

  verifies(
    'page.model',
    () => {
      const tree = buildTree([
        span('root', '', 0, 100),
        span('first', 'root', 5, 20),
        span('beside', 'root', 8, 10),
        span('second', 'root', 30, 60),
        span('in second', 'second', 40, 49),
        span('outlives', 'root', 95, 500),
      ]);
      expect([...criticalPath(tree)].toSorted()).toEqual(['first', 'in second', 'outlives', 'root', 'second']);
    },
    'with the path that took the time',
  );

  verifies(
    'page.model',
    () => {
      const retry = (offsetNs: number, delayMs: unknown) => ({
        name: 'toolspan.retry',
        offsetNs,
        attributes: { 'toolspan.retry.delay_ms': delayMs as number },
      });
      expect(attemptsOf(span('x', '', 0, 10e6))).toEqual([]);
      expect(attemptsOf(span('x', '', 0, 10e6, { events: [retry(5e6, 2), retry(1e6, 1)] }))).toEqual([
        { fromNs: 0, toNs: 1e6, waiting: false },
        { fromNs: 1e6, toNs: 2e6, waiting: true },
        { fromNs: 2e6, toNs: 5e6, waiting: false },
        { fromNs: 5e6, toNs: 7e6, waiting: true },
        { fromNs: 7e6, toNs: 10e6, waiting: false },
      ]);
      // whatever a sender says of its delay
      for (const delay of ['long', -5, 1e12, Number.NaN]) {
        expect(attemptsOf(span('x', '', 0, 10, { events: [retry(5, delay)] })).at(-1)?.toNs, String(delay)).toBe(10);
      }
      const call = (id: string, offsetNs: number, outcome: string) =>
        span(id, 'r', offsetNs, 10, { kind: 2, method: 'tools/call', tool: 'book', outcome });
      const rounds = roundsOf(
        buildTree([
          span('r', '', 0, 200),
          call('1', 0, 'input_required'),
          call('2', 50, 'input_required'),
          call('3', 90, 'ok'),
          call('4', 150, 'ok'),
        ]),
      );
      expect([...rounds]).toEqual([
        ['2', { spanId: '1', fromNs: 10, toNs: 50 }],
        ['3', { spanId: '2', fromNs: 60, toNs: 90 }],
      ]);
    },
    'with attempts and rounds',
  );

  verifies(
    'page.model',
    () => {
      const left = buildTree([
        span('r', '', 0, 10, { name: 'call' }),
        span('a', 'r', 1, 2, { name: 'GET' }),
        span('b', 'r', 4, 2, { name: 'GET' }),
      ]);
      const right = buildTree([
        span('r2', '', 0, 30, { name: 'call' }),
        span('a2', 'r2', 1, 9, { name: 'GET' }),
        span('n', 'r2', 11, 2, { name: 'new' }),
        span('n2', 'n', 11, 1, { name: 'inside' }),
      ]);
      const rows = pairTrees(left, right).map(({ depth, name, left: a, right: b }) => [
        depth,
        name,
        a?.spanId,
        b?.spanId,
      ]);
      expect(rows).toEqual([
        [0, 'call', 'r', 'r2'],
        [1, 'GET', 'a', 'a2'],
        [1, 'new', undefined, 'n'],
        [2, 'inside', undefined, 'n2'],
        [1, 'GET', 'b', undefined],
      ]);
    },
    'and two of them are paired by what they are',
  );

  verifies(
    'page.model',
    () => {
      expect([0, 999, 1_500, 12_345_678, 1.5e9, 59.9e9, 61e9, 3_600e9, 7_500e9].map(duration)).toEqual([
        '0 ns',
        '999 ns',
        '1.50 µs',
        '12.3 ms',
        '1.50 s',
        '59.9 s',
        '1 m 1 s',
        '1 h',
        '2 h 5 m',
      ]);
      expect([0, 12, 1_234, 12_345, 4.5e6, 0.25, 0.0001].map(count)).toEqual([
        '0',
        '12',
        '1234',
        '12.3 k',
        '4.50 M',
        '0.25',
        '1.0e-4',
      ]);
      expect([0, 0.004, 0.25, Number.NaN].map(percent)).toEqual(['0 %', '0.4 %', '25 %', '–']);
      expect([512, 2_048, 268_435_456].map(bytes)).toEqual(['512 B', '2.00 KiB', '256 MiB']);
      expect([0, 5_000, 120_000, 7.2e6, 2e8].map((past) => ago(1e12 - past, 1e12))).toEqual([
        'just now',
        '5 s ago',
        '2 min ago',
        '2 h ago',
        '2 d ago',
      ]);
      expect(conventionOf('mcp.method.name')).toMatch(/\/mcp\.md$/);
      expect(conventionOf('http.response.status_code')).toMatch(/\/attributes\/http\/$/);
      for (const own of ['toolspan.outcome', 'city', 'constructor.name', '__proto__.x'])
        expect(conventionOf(own), own).toBeUndefined();
    },
    'in words that people read',
  );
});
