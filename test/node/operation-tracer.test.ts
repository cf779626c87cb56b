// The tracer of our own operations, held against the SDK's: the same calls make the same spans.
import {
  context,
  ROOT_CONTEXT,
  SamplingDecision,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Exception,
  type Link,
  type Span,
  type SpanOptions,
  type Tracer,
} from '@opentelemetry/api';
import { suppressTracing, TraceState } from '@opentelemetry/core';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import {
  AlwaysOffSampler,
  TracerProvider,
  TraceIdRatioBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanLimits,
  type SpanProcessor,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace';
import * as fc from 'fast-check';
import { describe, expect, vi } from 'vitest';
import { idGenerator, withIds } from '../../src/node/id-generator.ts';
import { startTelemetry } from '../../src/node/index.ts';
import { LeanSpan } from '../../src/node/lean-span.ts';
import { OperationTracer } from '../../src/node/operation-tracer.ts';
import { SpanBatch } from '../../src/node/span-batches.ts';
import { SpanEncoder } from '../../src/node/span-encoder.ts';
import { SCOPE_NAME } from '../../src/telemetry/names.ts';
import { operationTracerOf, registeredTracerProvider } from '../../src/telemetry/registered.ts';
import { VERSION } from '../../src/version.ts';
import { verifies } from '../harness/verifies.ts';
import { attributes, spanContext, text, time, value } from './any-span.ts';

const IDS = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

/** The two tracers of one provider, and what ended. */
function pair(options: TracerProviderOptions = {}): { sdk: Tracer; ours: Tracer; ended: ReadableSpan[] } {
  const ended: ReadableSpan[] = [];
  const keep: SpanProcessor = {
    onStart: () => {},
    onEnd: (span) => ended.push(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const provider = new TracerProvider({ idGenerator, spanProcessors: [keep], ...options });
  const ours = OperationTracer.beside(provider);
  if (ours === undefined) throw new Error('the SDK has changed: see operation-tracer.ts');
  return { sdk: provider.getTracer(SCOPE_NAME, VERSION), ours, ended };
}

const link = fc.record({ context: spanContext, attributes: fc.option(attributes, { nil: undefined }) });
const anyTime = fc.oneof(
  time,
  fc.integer({ min: 1e12, max: 2e12 }),
  fc.date({ noInvalidDate: true, min: new Date(1e12) }),
);
const exception = fc.oneof(
  text,
  fc.record(
    { name: text, message: text, stack: text, code: fc.oneof(text, fc.integer({ min: 1 })) },
    { requiredKeys: [], noNullPrototype: true },
  ),
  fc.constant(null),
);
const step: fc.Arbitrary<(span: Span) => unknown> = fc.oneof(
  fc.tuple(text, value).map(
    ([key, what]) =>
      (span: Span) =>
        span.setAttribute(key, what),
  ),
  attributes.map((what) => (span: Span) => span.setAttributes(what)),
  fc.tuple(text, attributes, anyTime).map(
    ([name, what, at]) =>
      (span: Span) =>
        span.addEvent(name, what, at),
  ),
  fc.tuple(text, anyTime).map(
    ([name, at]) =>
      (span: Span) =>
        span.addEvent(name, at),
  ),
  link.map((to) => (span: Span) => span.addLink(to as Link)),
  fc.array(link, { maxLength: 3 }).map((to) => (span: Span) => span.addLinks(to as Link[])),
  fc
    .record({ code: fc.integer({ min: 0, max: 2 }), message: fc.option(text, { nil: undefined }) })
    .map((status) => (span: Span) => span.setStatus(status as { code: number })),
  text.map((name) => (span: Span) => span.updateName(name)),
  fc.tuple(exception, anyTime).map(
    ([what, at]) =>
      (span: Span) =>
        span.recordException(what as Exception, at),
  ),
  anyTime.map((at) => (span: Span) => span.end(at)),
);
const limits: fc.Arbitrary<SpanLimits> = fc.record(
  {
    attributeCountLimit: fc.integer({ min: 33, max: 40 }),
    eventCountLimit: fc.integer({ min: 0, max: 3 }),
    linkCountLimit: fc.integer({ min: 0, max: 3 }),
    attributePerEventCountLimit: fc.integer({ min: 0, max: 2 }),
    attributePerLinkCountLimit: fc.integer({ min: 0, max: 2 }),
  },
  { requiredKeys: [] },
);
// numbers come first, whenever they were set; we begin with none
const anyKey = fc.oneof(
  text,
  fc.constantFrom('__proto__', 'constructor'),
  fc.nat(9).map(String),
  fc.constantFrom('mcp.method.name', 'network.transport', 'b'),
);
// an operation says nothing under an empty name, nor under one that means something else in an object
const namedKey = fc
  .oneof(anyKey, fc.constantFrom('jsonrpc.request.id', 'a'))
  .filter((key) => key !== '' && key !== '__proto__');
const beginning = fc.record({
  name: text,
  parent: fc.option(spanContext, { nil: undefined }),
  options: fc.record(
    {
      kind: fc.integer({ min: 0, max: 4 }),
      root: fc.boolean(),
      attributes: fc.dictionary(namedKey, text, { maxKeys: 3 }),
      links: fc.array(link, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  ),
  startTime: anyTime,
});

function serialized(span: ReadableSpan | undefined): string {
  return span === undefined ? 'none' : Buffer.from(ProtobufTraceSerializer.serializeRequest([span]) ?? []).toString();
}

const change = fc.tuple(anyKey, fc.option(text, { nil: undefined }));
const ofOne = fc.dictionary(namedKey, text, { maxKeys: 4 });
const shared = fc.dictionary(fc.constantFrom('mcp.method.name', 'network.transport', 'a', 'b'), text);

describe('a span of an operation', () => {
  verifies(
    'telemetry.same-as-stock',
    () => {
      fc.assert(
        fc.property(limits, beginning, fc.array(step, { maxLength: 12 }), time, (spanLimits, begun, steps, end) => {
          const { sdk, ours, ended } = pair({ spanLimits });
          const { name, parent, options, startTime } = begun;
          const under = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
          const [theirs, own] = [sdk, ours].map((tracer) => {
            const span = withIds(IDS, () => tracer.startSpan(name, { ...options, startTime } as SpanOptions, under));
            for (const take of steps) take(span);
            span.end(end);
            span.setAttribute('late', true).setStatus({ code: 2 });
            return span;
          }) as [Span, Span];
          expect(own).toBeInstanceOf(LeanSpan);
          expect(ended).toHaveLength(2);
          expect(serialized(ended[1])).toBe(serialized(ended[0]));
          expect(own.spanContext()).toEqual(theirs.spanContext());
          expect(shape(ended[1] as ReadableSpan)).toEqual(shape(ended[0] as ReadableSpan));
        }),
        { numRuns: 500 },
      );
    },
    'each call on it does what it does on one of the SDK',
  );

  verifies(
    'telemetry.same-as-stock',
    () => {
      fc.assert(
        fc.property(shared, ofOne, fc.array(change, { maxLength: 4 }), (common, said, changes) => {
          const { sdk, ours, ended } = pair();
          const finish = (span: Span) => {
            for (const [key, what] of changes) {
              if (what === undefined) Reflect.deleteProperty((span as LeanSpan).attributes, key);
              else span.setAttribute(key, what);
            }
            span.end([2, 0]);
          };
          // twice, since what many spans have in common is encoded once
          for (let round = 0; round < 2; round++) {
            const span = withIds(IDS, () => ours.startSpan('tools/call', { startTime: [1, 0] })) as LeanSpan;
            span.takeAttributes({ ...common, ...said }, common);
            finish(span);
          }
          const theirs = withIds(IDS, () => sdk.startSpan('tools/call', { startTime: [1, 0] }));
          finish(theirs.setAttributes(common).setAttributes(said));
          const [first, second, stock] = ended as [ReadableSpan, ReadableSpan, ReadableSpan];
          const encoder = new SpanEncoder();
          for (const span of [first, second]) {
            const batch = new SpanBatch(span.resource);
            batch.add(span, encoder);
            expect(Buffer.from(batch.encode()).toString()).toBe(serialized(stock));
            expect(serialized(span)).toBe(serialized(stock));
          }
        }),
        { numRuns: 500 },
      );
    },
    'what it has in common with others is written as it is, unless somebody has changed it',
  );

  verifies(
    'telemetry.same-as-stock',
    () => {
      const stamp: SpanProcessor = {
        onStart: (span) => void span.setAttribute('stamped', 'by the application'),
        onEnd: () => {},
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      };
      const { ours } = pair({ spanProcessors: [stamp] });
      const span = ours.startSpan('tools/call', { attributes: { method: 'tools/call' } }) as LeanSpan;
      span.takeAttributes({ method: 'tools/call', id: '1' }, { method: 'tools/call' });
      expect(span.attributes).toEqual({ method: 'tools/call', stamped: 'by the application', id: '1' });
    },
    'what a processor has put into it at its start stays',
  );
});

const READABLE = [
  'name',
  'kind',
  'parentSpanContext',
  'startTime',
  'endTime',
  'duration',
  'status',
  'attributes',
  'events',
  'links',
  'ended',
  'droppedAttributesCount',
  'droppedEventsCount',
  'droppedLinksCount',
  'resource',
  'instrumentationScope',
] as const;

function shape(span: ReadableSpan): unknown[] {
  return READABLE.map((key) => span[key]);
}

describe('the tracer of operations', () => {
  const decided = (tracer: Tracer, under: Context = ROOT_CONTEXT) =>
    withIds(IDS, () => {
      const span = tracer.startSpan('tools/call', { attributes: { asked: 'sampler' } }, under);
      return { ...span.spanContext(), recording: span.isRecording(), attributes: (span as LeanSpan).attributes };
    });
  const askedFor: Sampler = {
    shouldSample: (_context, _traceId, _name, _kind, given: Attributes) => ({
      decision: SamplingDecision.RECORD,
      attributes: { given: given['asked'], sampled: 'by rule' },
      traceState: new TraceState('rule=1'),
    }),
    toString: () => 'by rule',
  };
  const samplers: [string, Sampler | undefined][] = [
    ['the default', undefined],
    ['none', new AlwaysOffSampler()],
    ['a share', new TraceIdRatioBasedSampler(0.5)],
    ['one of the application', askedFor],
  ];

  for (const [name, sampler] of samplers) {
    verifies(
      'telemetry.environment',
      () => {
        const { sdk, ours } = pair(sampler === undefined ? {} : { sampler });
        const parent = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: TraceFlags.NONE, isRemote: true };
        const under = trace.setSpanContext(ROOT_CONTEXT, parent);
        expect(decided(ours)).toEqual(decided(sdk));
        expect(decided(ours, under)).toEqual(decided(sdk, under));
        expect(decided(ours, suppressTracing(ROOT_CONTEXT))).toEqual(decided(sdk, suppressTracing(ROOT_CONTEXT)));
      },
      `it asks the sampler: ${name}`,
    );
  }

  verifies(
    'telemetry.environment',
    () => {
      const beside = (spanLimits: SpanLimits) => OperationTracer.beside(new TracerProvider({ spanLimits }));
      expect(beside({})).toBeDefined();
      expect(beside({ attributeCountLimit: 8 })).toBeUndefined();
      expect(beside({ attributeValueLengthLimit: 100 })).toBeUndefined();
    },
    'narrow limits are left to the SDK',
  );

  verifies(
    'telemetry.environment',
    () => {
      const tracer = trace.getTracer('of an SDK that is not known');
      expect(OperationTracer.beside({ getTracer: () => tracer })).toBeUndefined();
    },
    'so is an SDK whose tracers look otherwise',
  );

  verifies(
    'telemetry.same-as-stock',
    () => {
      const { ours, ended } = pair();
      const inside = ours.startActiveSpan('tools/call', (span) => {
        span.end();
        return context.active();
      });
      expect([inside === undefined, ended.map(({ name }) => name)]).toEqual([false, ['tools/call']]);
    },
    'a span may be made active at once',
  );

  verifies(
    'telemetry.same-as-stock',
    async () => {
      for (const signal of ['TRACES', 'METRICS', 'LOGS']) vi.stubEnv(`OTEL_${signal}_EXPORTER`, 'none');
      const telemetry = await startTelemetry({ handleSignals: false });
      const span = operationTracerOf(registeredTracerProvider()).startSpan('tools/call');
      expect(span).toBeInstanceOf(LeanSpan);
      span.end();
      await telemetry.shutdown();
      vi.unstubAllEnvs();
    },
    'startTelemetry has one',
  );
});
