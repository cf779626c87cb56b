// The context that the work on a message runs in.
import { context, createContextKey, ROOT_CONTEXT, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import * as fc from 'fast-check';
import { afterEach, describe, expect } from 'vitest';
import { runningCalls, type RunningCall } from '../../src/context.ts';
import { runCall, withSpan } from '../../src/telemetry/call-context.ts';
import { withValue } from '../../src/telemetry/layered-context.ts';
import { verifies } from '../harness/verifies.ts';

const KEYS = Array.from({ length: 12 }, (_, index) => createContextKey(`key ${index}`));

describe('a context with a value more', () => {
  const step = fc.record({ key: fc.constantFrom(...KEYS), value: fc.option(fc.nat()), direct: fc.boolean() });

  verifies('context.values', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let theirs: Context = ROOT_CONTEXT;
        let ours: Context = ROOT_CONTEXT;
        for (const { key, value, direct } of steps) {
          theirs = value === null ? theirs.deleteValue(key) : theirs.setValue(key, value);
          if (value === null) ours = ours.deleteValue(key);
          else ours = direct ? withValue(ours, key, value) : ours.setValue(key, value);
          expect(KEYS.map((each) => ours.getValue(each))).toEqual(KEYS.map((each) => theirs.getValue(each)));
        }
      }),
    );
  });

  verifies(
    'context.values',
    () => {
      let derived: Context = ROOT_CONTEXT;
      // work that goes on by itself derives each context from the last
      for (let turn = 0; turn < 200_000; turn++) derived = withValue(derived, KEYS[turn % 12] as symbol, turn);
      expect(derived.getValue(createContextKey('nobody set it'))).toBeUndefined();
      expect(derived.getValue(KEYS[0] as symbol)).toBe(199_992);
    },
    'however often one is derived from another',
  );
});

describe('the running call', () => {
  const call = { method: 'tools/call' } as RunningCall;
  const span = trace.wrapSpanContext({
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    traceFlags: TraceFlags.SAMPLED,
  });
  const inside = withSpan(ROOT_CONTEXT, span);
  const seen = (): unknown[] => [runningCalls.get(), trace.getActiveSpan()];
  const work = async (): Promise<unknown[][]> => {
    const { promise, resolve } = Promise.withResolvers<unknown[][]>();
    const handler = async () => {
      const first = seen();
      await new Promise(setImmediate);
      const nested = { method: 'prompts/get' } as RunningCall;
      runCall(nested, context.active(), () => resolve([first, seen()]), {}, {}, undefined);
    };
    runCall(call, inside, () => void handler(), {}, {}, undefined);
    return promise;
  };

  afterEach(() => context.disable());

  verifies(
    'context.call',
    async () => {
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      expect(await work()).toEqual([
        [call, span],
        [{ method: 'prompts/get' }, span],
      ]);
      expect(seen()).toEqual([undefined, undefined]);
    },
    'in the context',
  );

  verifies(
    'context.call',
    async () => {
      expect(await work()).toEqual([
        [call, undefined],
        [{ method: 'prompts/get' }, undefined],
      ]);
      expect(seen()).toEqual([undefined, undefined]);
    },
    'also where no contexts are kept',
  );

  verifies(
    'context.call',
    () => {
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      let outside: unknown;
      const handler = () => {
        outside = context.with(ROOT_CONTEXT, () => runningCalls.get());
      };
      runCall(call, inside, handler, {}, {}, undefined);
      expect(outside).toBeUndefined();
    },
    'not in what is taken out of its context',
  );
});
