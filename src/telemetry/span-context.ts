// The span of a context, where it is one: without an SDK there are spans too, whose ids are all zeros.
import { isSpanContextValid, trace, type Context, type SpanContext } from '@opentelemetry/api';

/** The ids of the span of a context; undefined where it has none, or one without ids. */
export function spanContextIn(context: Context): SpanContext | undefined {
  const span = trace.getSpanContext(context);
  return span !== undefined && isSpanContextValid(span) ? span : undefined;
}
