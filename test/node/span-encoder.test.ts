// Our encoding of spans, held against the stock serializer byte by byte.
import { ROOT_CONTEXT, trace, TraceFlags, type Attributes, type SpanContext } from '@opentelemetry/api';
import { TraceState } from '@opentelemetry/core';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { SpanEncoder } from '../../src/node/span-encoder.ts';
import { SpanBatch } from '../../src/node/span-batches.ts';
import { verifies } from '../harness/verifies.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('', 'tools/call', '\ud800 alone', '🦩'.repeat(40), 'x'.repeat(20_000)),
);
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 127, 128, -1, 2 ** 32, 2 ** 53, -(2 ** 63), 2 ** 63, Number.NaN, Number.POSITIVE_INFINITY),
);
const value = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.array(text, { maxLength: 3 }),
  fc.array(number, { maxLength: 3 }),
  fc.array(fc.boolean(), { maxLength: 3 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.dictionary(text, fc.oneof(text, number, fc.constant(null)), { maxKeys: 3 }),
);
const attributes = fc.dictionary(text, value, { maxKeys: 4 }) as fc.Arbitrary<Attributes>;
const time = fc.tuple(fc.integer({ min: 0, max: 2 ** 33 }), fc.integer({ min: 0, max: 999_999_999 }));
const id = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'123456789abcdef'.split('')), minLength: length, maxLength: length });
const spanContext: fc.Arbitrary<SpanContext> = fc.record({
  traceId: id(32),
  spanId: id(16),
  traceFlags: fc.constant(TraceFlags.SAMPLED),
  isRemote: fc.boolean(),
  traceState: fc.constantFrom(undefined, new TraceState('vendor=1,other=2')) as fc.Arbitrary<TraceState>,
});
const description = fc.record({
  scope: fc.constantFrom('one', 'two'),
  name: text,
  kind: fc.integer({ min: 0, max: 4 }),
  parent: fc.option(spanContext, { nil: undefined }),
  start: time,
  end: time,
  attributes,
  events: fc.array(fc.record({ name: text, attributes: fc.option(attributes, { nil: undefined }), time }), {
    maxLength: 2,
  }),
  links: fc.array(fc.record({ context: spanContext, attributes: fc.option(attributes, { nil: undefined }) }), {
    maxLength: 2,
  }),
  status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: fc.option(text, { nil: undefined }) }),
});
type Description = typeof description extends fc.Arbitrary<infer T> ? T : never;

/** Real spans of the SDK. */
function spansOf(descriptions: readonly Description[], resourceAttributes: Attributes): ReadableSpan[] {
  const ended: ReadableSpan[] = [];
  const nothing = () => Promise.resolve();
  const keep = {
    onStart: () => {},
    onEnd: (span: ReadableSpan) => ended.push(span),
    forceFlush: nothing,
    shutdown: nothing,
  };
  const provider = new TracerProvider({
    spanProcessors: [keep],
    resource: resourceFromAttributes(resourceAttributes, { schemaUrl: 'https://schema' }),
  });
  for (const { scope, name, kind, parent, start, end, attributes: own, events, links, status } of descriptions) {
    const tracer = provider.getTracer(scope, '1.0', scope === 'two' ? { schemaUrl: 'https://two' } : undefined);
    const under = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    const span = tracer.startSpan(name, { kind, startTime: start, attributes: own, links: links as [] }, under);
    for (const event of events) span.addEvent(event.name, event.attributes, event.time);
    span.setStatus(status as { code: number });
    span.end(end);
  }
  return ended;
}

describe('spans in protobuf', () => {
  verifies(
    'telemetry.same-as-stock',
    () => {
      const encoder = new SpanEncoder();
      fc.assert(
        fc.property(fc.array(description, { minLength: 1, maxLength: 4 }), attributes, (descriptions, resource) => {
          // each twice, since what repeats is encoded once
          const spans = spansOf([...descriptions, ...descriptions], resource);
          const batch = new SpanBatch((spans[0] as ReadableSpan).resource);
          for (const span of spans) batch.add(span, encoder);
          const stock = ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array();
          expect(Buffer.from(batch.encode()).equals(Buffer.from(stock))).toBe(true);
        }),
        { numRuns: 1_000 },
      );
    },
    'spans in protobuf, byte for byte',
  );

  verifies(
    'labels.sizes',
    () => {
      const encoder = new SpanEncoder();
      const many = Array.from({ length: 5_000 }, (_, index) => ({ [`key ${index % 500}`]: `value ${index}` }));
      const spans = spansOf(
        many.map((own) => ({ ...plain, attributes: own })),
        {},
      );
      const batch = new SpanBatch((spans[0] as ReadableSpan).resource);
      for (const span of spans) batch.add(span, encoder);
      expect(
        Buffer.from(batch.encode()).equals(Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? [])),
      ).toBe(true);
    },
    'more keys and values than are remembered',
  );
});

const plain: Description = {
  scope: 'one',
  name: 'work',
  kind: 0,
  parent: undefined,
  start: [1, 2],
  end: [3, 4],
  attributes: {},
  events: [],
  links: [],
  status: { code: 0, message: undefined },
};
