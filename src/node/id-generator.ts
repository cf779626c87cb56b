// Makes trace and span ids: random as the stock generator's, cut from text that is made for many ids at once. A span that was
// begun before there was an SDK keeps the ids that it has told to others.
import type { IdGenerator } from '@opentelemetry/sdk-trace';

// Drawn rarely, since a draw costs much. An id that is kept keeps the text it was cut from, so that is shorter.
const random = Buffer.alloc(8_192);
const TEXT_BYTES = 1_024;
const TRACE_ID = 32;
const SPAN_ID = 16;

let drawn = random.length;
let digits = '';
let at = 0;

function next(length: number): string {
  if (at + length > digits.length) {
    if (drawn === random.length) {
      crypto.getRandomValues(random);
      drawn = 0;
    }
    digits = random.toString('hex', drawn, drawn + TEXT_BYTES);
    drawn += TEXT_BYTES;
    at = 0;
  }
  const id = digits.slice(at, at + length);
  at += length;
  // all zeros is no id: https://www.w3.org/TR/trace-context-2/#parent-id
  return id.startsWith('00000000') && /^0+$/.test(id) ? next(length) : id;
}

/** The ids of a span. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

let given: SpanIds | undefined;

export const idGenerator: IdGenerator = {
  generateTraceId: () => given?.traceId ?? next(TRACE_ID),
  generateSpanId: () => given?.spanId ?? next(SPAN_ID),
};

/** Makes one span with these ids. */
export function withIds<T>(ids: SpanIds, makeSpan: () => T): T {
  given = ids;
  try {
    return makeSpan();
  } finally {
    given = undefined;
  }
}
