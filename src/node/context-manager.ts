// Whether contexts are kept: the API does not say whether a context manager is registered, and refuses a second one with a complaint.
import { context, ROOT_CONTEXT } from '@opentelemetry/api';

const PROBE = Symbol('toolspan.context-manager');

/** Whether somebody has registered a context manager. */
export function contextManagerIsRegistered(): boolean {
  return context.with(ROOT_CONTEXT.setValue(PROBE, true), () => context.active().getValue(PROBE) === true);
}
