// Our encoding of spans, held against the stock serializer byte by byte.
import { ROOT_CONTEXT, trace, type Attributes } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { SpanEncoder } from '../../src/node/span-encoder.ts';
import { SpanBatch } from '../../src/node/span-batches.ts';
import { verifies } from '../harness/verifies.ts';
import { attributes, spanContext, text, time } from './any-span.ts';

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
