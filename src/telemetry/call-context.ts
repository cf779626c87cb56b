// What the work on a message runs in: a context of OpenTelemetry with its span and the running call, or, where no contexts are
// kept, the storage of running calls alone.
import { context, ROOT_CONTEXT, trace, type Context, type Span } from '@opentelemetry/api';
import { RUNNING_CALL, runningCalls, type RunningCall } from '../context.ts';
import { withValue } from './layered-context.ts';

runningCalls.readFrom(() => context.active().getValue(RUNNING_CALL) as RunningCall | undefined);

// The API does not tell the key of the span, but uses it.
const SPAN = keyOf((probe) => trace.setSpan(probe, trace.wrapSpanContext({ traceId: '', spanId: '', traceFlags: 0 })));

/** This context with a span that is active in it. */
export function withSpan(base: Context, span: Span): Context {
  return withValue(base, SPAN, span);
}

type Handler = (message: unknown, extra: unknown) => void;

/** Hands a message to its handler, as work on this call. */
export function runCall(
  call: RunningCall,
  inside: Context,
  handler: Handler,
  receiver: object,
  message: unknown,
  extra: unknown,
): void {
  const own = withValue(inside, RUNNING_CALL, call);
  context.with(own, deliver, undefined, own, call, handler, receiver, message, extra);
}

function deliver(
  own: Context,
  call: RunningCall,
  handler: Handler,
  receiver: object,
  message: unknown,
  extra: unknown,
): void {
  if (context.active() === own) handler.call(receiver, message, extra);
  else runningCalls.run(call, () => handler.call(receiver, message, extra));
}

function keyOf(set: (probe: Context) => unknown): symbol {
  let found = Symbol('unknown');
  const probe: Context = {
    getValue: () => undefined,
    setValue: (key) => {
      found = key;
      return probe;
    },
    deleteValue: () => ROOT_CONTEXT,
  };
  set(probe);
  return found;
}
