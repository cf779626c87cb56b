// The context manager of our own SDKs, and whether there is one at all: the API does not say whether a context manager is
// registered, and refuses a second one with a complaint.
import type { AsyncLocalStorage } from 'node:async_hooks';
import { context, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { runStored } from '../async-storage.ts';

const PROBE = Symbol('toolspan.context-manager');

/** Whether somebody has registered a context manager. */
export function contextManagerIsRegistered(): boolean {
  return context.with(ROOT_CONTEXT.setValue(PROBE, true), () => context.active().getValue(PROBE) === true);
}

/** Keeps contexts as the SDK's own does, and enters one for less. */
export class CallContextManager extends AsyncLocalStorageContextManager {
  override with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    entered: Context,
    work: F,
    receiver?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const { _asyncLocalStorage: storage } = this as unknown as { _asyncLocalStorage: AsyncLocalStorage<Context> };
    return runStored(storage, entered, work, receiver, ...args);
  }
}
