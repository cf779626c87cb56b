// The bulkhead: how many run, who waits, and that no slot is ever lost.
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { bulkhead, refusalOf, type BulkheadOptions, type PolicyEvent } from '../../src/resilience/index.ts';
import { Deferred, ManualClock, same, settled, watch } from '../harness/manual-clock.ts';
import { verifies } from '../harness/verifies.ts';

function under(options: BulkheadOptions = {}) {
  const clock = new ManualClock();
  const policy = bulkhead({ clock, ...options });
  const events: PolicyEvent[] = [];
  policy.on((event) => events.push(event));
  const begun: string[] = [];
  const start = (name: string) => {
    const work = new Deferred();
    const caller = new AbortController();
    const call = watch(
      policy.run(
        () => {
          begun.push(name);
          return work.promise;
        },
        { signal: caller.signal },
      ),
    );
    return { name, work, caller, call };
  };
  return { clock, events, begun, start };
}

describe('a bulkhead', () => {
  verifies('bulkhead.queue', async () => {
    const { clock, events, begun, start } = under({ concurrency: 1, queue: 3, name: 'queue' });
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(start);
    const e = start('e');
    await settled();
    expect([begun, e.call.state, refusalOf(e.call.value)]).toEqual([['a'], 'rejected', 'bulkhead']);
    expect(e.call.value).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
    expect(events).toEqual([{ type: 'bulkhead.rejected', policy: 'queue', running: 1, waiting: 3 }]);
    // who is withdrawn leaves at once, and makes room
    b?.caller.abort('b has had enough');
    await settled();
    expect(b?.call).toEqual({ state: 'rejected', value: 'b has had enough' });
    const f = start('f');
    await settled();
    expect(f.call.state).toBe('pending');
    await clock.pass(250);
    a?.work.reject(new Error('a fails'));
    await settled();
    expect(begun).toEqual(['a', 'c']);
    expect(events.at(-1)).toEqual({ type: 'bulkhead.waited', policy: 'queue', waitedMs: 250 });
    c?.work.resolve('c');
    await settled();
    d?.work.resolve('d');
    await settled();
    expect(begun).toEqual(['a', 'c', 'd', 'f']);
    expect([c?.call.value, d?.call.value]).toEqual(['c', 'd']);
  });

  verifies(
    'bulkhead.queue',
    async () => {
      const { begun, start } = under({ concurrency: 1, queue: 2 });
      const [a, b] = ['a', 'b'].map(start);
      // the slot is b's as a leaves, and c cannot slip in between
      a?.work.resolve('a');
      const c = start('c');
      await settled();
      expect([begun, c.call.state]).toEqual([['a', 'b'], 'pending']);
      b?.caller.abort();
      await settled();
      expect([begun, b?.call.state]).toEqual([['a', 'b', 'c'], 'rejected']);
    },
    'nobody overtakes',
  );

  let steps = 0;
  verifies('bulkhead.model', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constant({ do: 'start' } as const) },
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constantFrom('resolve', 'reject', 'abort'), which: fc.nat(19) }),
      },
    );
    const run = fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(4),
      fc.array(step, { maxLength: 1_000, size: 'max' }),
      async (concurrency, queue, list) => {
        const { begun, start } = under({ concurrency, queue });
        const model = { running: [] as string[], waiting: [] as string[], begun: [] as string[] };
        const calls = new Map<string, ReturnType<typeof start>>();
        for (const next of list) {
          steps++;
          if (next.do === 'start') {
            const name = String(steps);
            const call = start(name);
            if (model.running.length < concurrency) {
              model.running.push(name);
              model.begun.push(name);
            } else if (model.waiting.length < queue) model.waiting.push(name);
            if (model.running.includes(name) || model.waiting.includes(name)) calls.set(name, call);
            await settled(4);
            same('state', call.call.state, calls.has(name) ? 'pending' : 'rejected');
          } else {
            const open = [...model.running, ...model.waiting];
            const name = open[next.which % Math.max(1, open.length)];
            const call = name === undefined ? undefined : calls.get(name);
            if (name === undefined || call === undefined) continue;
            const waits = model.waiting.includes(name);
            // what waits has nothing that could settle
            if (waits && next.do !== 'abort') continue;
            if (next.do === 'resolve') call.work.resolve(name);
            else if (next.do === 'reject') call.work.reject(new Error(name));
            else call.caller.abort();
            model.waiting = model.waiting.filter((other) => other !== name);
            if (!waits) {
              model.running = model.running.filter((other) => other !== name);
              const successor = model.waiting.shift();
              if (successor !== undefined) {
                model.running.push(successor);
                model.begun.push(successor);
              }
            }
            calls.delete(name);
            await settled(9);
            same('state', call.call.state, next.do === 'resolve' ? 'fulfilled' : 'rejected');
          }
          same('begun', begun.length, model.begun.length);
          same('begun last', begun.at(-1), model.begun.at(-1));
        }
      },
    );
    const enough = () => steps > 51_000;
    while (!enough()) await fc.assert(run, { numRuns: 10 });
  });
});
