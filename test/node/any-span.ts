// Whatever a span may be made of, for property tests.
import { TraceFlags, type Attributes, type SpanContext } from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import * as fc from 'fast-check';

export const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('', 'tools/call', '\ud800 alone', '🦩'.repeat(40), 'x'.repeat(20_000)),
);
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 127, 128, -1, 2 ** 32, 2 ** 53, -(2 ** 63), 2 ** 63, Number.NaN, Number.POSITIVE_INFINITY),
);
export const value = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.array(text, { maxLength: 3 }),
  fc.array(number, { maxLength: 3 }),
  fc.array(fc.boolean(), { maxLength: 3 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.dictionary(text, fc.oneof(text, number, fc.constant(null)), { maxKeys: 3 }),
);
export const attributes = fc.dictionary(text, value, { maxKeys: 4 }) as fc.Arbitrary<Attributes>;
export const time = fc.tuple(fc.integer({ min: 0, max: 2 ** 33 }), fc.integer({ min: 0, max: 999_999_999 }));
const id = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'123456789abcdef'.split('')), minLength: length, maxLength: length });
export const spanContext: fc.Arbitrary<SpanContext> = fc.record({
  traceId: id(32),
  spanId: id(16),
  traceFlags: fc.constant(TraceFlags.SAMPLED),
  isRemote: fc.boolean(),
  traceState: fc.constantFrom(undefined, new TraceState('vendor=1,other=2')) as fc.Arbitrary<TraceState>,
});
