// Our context manager, held against the SDK's own: what is active where, in every way of going in and coming out.
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { describe, expect } from 'vitest';
import { CallContextManager } from '../../src/node/context-manager.ts';
import { verifies } from '../harness/verifies.ts';

const NAME = createContextKey('name');
const named = (name: string) => ROOT_CONTEXT.setValue(NAME, name);

/** What is active at each point of a program that goes in and out in every way. */
async function activeIn(manager: AsyncLocalStorageContextManager): Promise<unknown[]> {
  manager.enable();
  const seen: unknown[] = [];
  const see = (where: string) => seen.push([where, manager.active().getValue(NAME)]);
  const other = new AsyncLocalStorage<string>();

  see('outside');
  const inside = manager.with(
    named('a'),
    function (this: { readonly is: string }, ...args: unknown[]) {
      see('a');
      seen.push(this.is, args);
      manager.with(named('b'), () => see('b within a'));
      manager.with(manager.active(), () => see('a within a'));
      see('a after b');
      expect(() =>
        manager.with(named('c'), () => {
          throw new Error('out of c');
        }),
      ).toThrow('out of c');
      see('a after a throw');
      return other.run('stored', async () => {
        await nextTurn();
        see('a after await');
        const kept = other.getStore();
        await manager.with(named('d'), async () => {
          seen.push([kept, other.getStore()]);
          await nextTurn();
          see('d after await');
        });
        see('a after d');
      });
    },
    { is: 'the receiver' },
    1,
    'two',
  );
  see('outside again');
  await inside;
  see('outside after await');

  const emitter = manager.bind(named('e'), new EventEmitter());
  emitter.on('event', () => see('e by an event'));
  emitter.emit('event');
  manager.bind(named('f'), () => see('f by a function'))();
  const token = manager.attach(named('g'));
  see('g attached');
  token.dispose();
  see('detached');
  manager.disable();
  return seen;
}

describe('contexts', () => {
  verifies('telemetry.contexts', async () => {
    const stock = await activeIn(new AsyncLocalStorageContextManager());
    expect(stock).toContainEqual(['d after await', 'd']);
    expect(await activeIn(new CallContextManager())).toEqual(stock);
  });

  verifies(
    'telemetry.contexts',
    async () => {
      const manager = new CallContextManager();
      const entered: Context[] = [];
      const calls = Array.from({ length: 20 }, async (_, index) => {
        const own = named(String(index));
        await manager.with(own, async () => {
          for (let turn = 0; turn < index % 4; turn++) await nextTurn();
          entered.push(own);
          expect(manager.active()).toBe(own);
        });
      });
      await Promise.all(calls);
      expect(entered).toHaveLength(20);
      expect(manager.active()).toBe(ROOT_CONTEXT);
    },
    'many at a time',
  );
});
