// A trace as a tree of lines.
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { drawTree, type TreeSpan } from '../../src/demo/tree.ts';
import { verifies } from '../harness/verifies.ts';

function span(spanId: string, parentSpanId: string | undefined, start = 0, more: Partial<TreeSpan> = {}): TreeSpan {
  return {
    spanId,
    parentSpanId,
    name: spanId,
    side: 'other',
    start,
    durationMs: 1.26,
    outcome: undefined,
    error: undefined,
    ...more,
  };
}

describe('a tree', () => {
  verifies('demo.tree', () => {
    expect(
      drawTree([
        span('GET', 'call', 3, { durationMs: 0.5, outcome: '200' }),
        span('step', undefined, 1, { side: 'client', name: 'tools/call x', outcome: 'ok', durationMs: 1_234 }),
        span('call', 'step', 2, {
          side: 'server',
          name: 'tools/call x',
          outcome: 'tool_error',
          error: 'TypeError: no',
        }),
        span('late', 'step', 4),
        span('orphan', 'gone', 5, { name: 'a name that is far too long for the column it stands in, by some margin' }),
      ]),
    ).toEqual([
      'tools/call x client                               1.23 s  ok',
      '├─ tools/call x server                            1.3 ms  tool_error  TypeError: no',
      '│  └─ GET                                        0.50 ms  200',
      '└─ late                                           1.3 ms',
      'a name that is far too long for the column it…    1.3 ms',
    ]);
  });

  verifies(
    'demo.tree',
    () => {
      expect(
        drawTree([
          span('call', undefined, 0, { notes: ['opened'] }),
          span('first', 'call', 1, { notes: ['retried', 'gave up'] }),
          span('last', 'call', 2, { notes: ['closed'] }),
        ]),
      ).toEqual([
        'call                                              1.3 ms',
        '│ opened',
        '├─ first                                          1.3 ms',
        '│    retried',
        '│    gave up',
        '└─ last                                           1.3 ms',
        '     closed',
      ]);
    },
    'with what happened inside a span below it',
  );

  verifies(
    'demo.tree',
    () => {
      expect(drawTree([span('a', 'b', 1), span('b', 'a', 2)])).toHaveLength(2);
      const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
      const spans = fc.array(fc.record({ id, parent: fc.option(id, { nil: undefined }), start: fc.nat(9) }), {
        maxLength: 12,
      });
      fc.assert(
        fc.property(spans, (list) => {
          const drawn = drawTree(list.map(({ id: spanId, parent, start }) => span(spanId, parent, start)));
          expect(drawn).toHaveLength(list.length);
        }),
      );
    },
    'each span once, also in a cycle, also with one id twice',
  );
});
