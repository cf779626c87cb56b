// The providers that may be asked before there is an SDK, and the lean SDK they wait for.
import { metrics, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import {
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace';
import * as fc from 'fast-check';
import { afterEach, describe, expect, vi } from 'vitest';
import { earlySampler } from '../../src/node/early-sampler.ts';
import { idGenerator } from '../../src/node/id-generator.ts';
import { LateMeterProvider } from '../../src/node/late-meter.ts';
import { LateTracerProvider } from '../../src/node/late-tracer.ts';
import { leanSuffices } from '../../src/node/lean-sdk.ts';
import { Child } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { recorder } from '../harness/recorder.ts';
import { INITIALIZE } from '../harness/scripted.ts';
import { attributesOf, type OtlpTraces } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

afterEach(() => {
  trace.disable();
  metrics.disable();
  vi.unstubAllEnvs();
});

describe('spans', () => {
  verifies(
    'register.late',
    () => {
      const late = new LateTracerProvider(() => true);
      const tracer = late.getTracer('early', '1');
      let ended = 0;
      late.onFirstEnd(() => ended++);
      const parent = tracer.startSpan('parent', { kind: SpanKind.SERVER, startTime: [100, 5], attributes: { a: 1 } });
      const child = tracer.startSpan('child', { startTime: [150, 0] }, trace.setSpan(ROOT_CONTEXT, parent));
      expect([parent.isRecording(), child.spanContext().traceId]).toEqual([true, parent.spanContext().traceId]);
      child.setAttribute('b', 2).setAttributes({ c: 3 }).updateName('renamed');
      child
        .addEvent('event', { d: 4 })
        .addLink({ context: parent.spanContext() })
        .setStatus({ code: SpanStatusCode.ERROR });
      child.end([200, 0]);
      child.setAttribute('after', true);
      expect([ended, child.isRecording()]).toEqual([1, false]);

      const exporter = new InMemorySpanExporter();
      trace.setGlobalTracerProvider(
        new TracerProvider({ idGenerator, spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
      );
      late.attach();
      // the parent is still open, and now one of the SDK's
      parent.setAttribute('late', true);
      parent.end([300, 0]);
      const [first, second] = exporter.getFinishedSpans();
      expect(first).toMatchObject({
        name: 'renamed',
        attributes: { b: 2, c: 3 },
        status: { code: 2 },
        endTime: [200, 0],
      });
      expect(first?.spanContext()).toMatchObject({
        spanId: child.spanContext().spanId,
        traceId: child.spanContext().traceId,
      });
      expect(first?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
      expect([first?.events.length, first?.links.length]).toEqual([1, 1]);
      expect(second).toMatchObject({ name: 'parent', startTime: [100, 5], attributes: { a: 1, late: true } });
      expect(second?.spanContext().spanId).toBe(parent.spanContext().spanId);
      expect(tracer.startSpan('later').spanContext().spanId).not.toBe(parent.spanContext().spanId);
    },
    'spans keep ids, parents and everything that was told',
  );

  verifies(
    'register.late',
    () => {
      const late = new LateTracerProvider(() => true);
      const spans = Array.from({ length: 1_500 }, () => late.getTracer('x').startSpan('x'));
      expect(spans.filter((span) => span.isRecording())).toHaveLength(1_000);
    },
    'no more than a thousand spans wait',
  );

  verifies(
    'register.own-sdk',
    () => {
      const { tracerProvider, spans } = recorder();
      trace.setGlobalTracerProvider(tracerProvider);
      new LateTracerProvider(() => true).getTracer('x').startSpan('at once').end();
      expect(spans().map(({ name }) => name)).toEqual(['at once']);
    },
    'one that is registered already is asked at once',
  );
});

describe('measurements', () => {
  verifies(
    'register.late',
    async () => {
      const late = new LateMeterProvider();
      const meter = late.getMeter('early', '1');
      const labels = { a: 1 };
      const histogram = meter.createHistogram('h', { unit: 's' });
      const counter = meter.createCounter('c');
      const upDown = meter.createUpDownCounter('u');
      const gauge = meter.createObservableGauge('g');
      histogram.record(1, labels);
      counter.add(2);
      upDown.add(3);
      gauge.addCallback((result) => result.observe(7));
      const { meterProvider, points } = recorder();
      metrics.setGlobalMeterProvider(meterProvider);
      late.attach();
      histogram.record(2, labels);
      counter.add(1);
      upDown.add(-1);
      late.getMeter('another').createCounter('n').add(5);
      const value = async (name: string) => (await points(name)).map((point) => point.value);
      expect(await value('h')).toEqual([2]);
      expect((await points('h'))[0]).toMatchObject({ sum: 3, attributes: labels });
      expect([await value('c'), await value('u'), await value('g'), await value('n')]).toEqual([[3], [2], [7], [5]]);
    },
    'measurements are made once there is somebody to make them',
  );
});

describe('sampling', () => {
  verifies('register.sampling', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(undefined, 0, 1),
        (bytes, ratio, parentFlags) => {
          const traceId = Buffer.from(bytes).toString('hex');
          fc.pre(!/^0+$/.test(traceId));
          const root = new TraceIdRatioBasedSampler(ratio);
          const taken = (decision: SamplingDecision) => decision === SamplingDecision.RECORD_AND_SAMPLED;
          const parent =
            parentFlags === undefined ? undefined : { traceId, spanId: 'a'.repeat(16), traceFlags: parentFlags };
          const around = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
          const environment = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: String(ratio) };
          expect(earlySampler(environment)(traceId, parent)).toBe(taken(root.shouldSample(around, traceId).decision));
          const based = new ParentBasedSampler({ root });
          const decision = based.shouldSample(around, traceId, 'x', SpanKind.SERVER, {}, []).decision;
          expect(
            earlySampler({ ...environment, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' })(traceId, parent),
          ).toBe(taken(decision));
        },
      ),
      { numRuns: 500 },
    );
    const traceId = 'f'.repeat(32);
    expect(earlySampler({})(traceId, undefined)).toBe(true);
    expect(earlySampler({})(traceId, { traceId, spanId: 'a'.repeat(16), traceFlags: TraceFlags.NONE })).toBe(false);
    expect(earlySampler({ OTEL_TRACES_SAMPLER: 'always_off' })(traceId, undefined)).toBe(false);
    expect(
      earlySampler({ OTEL_TRACES_SAMPLER: 'always_on' })(traceId, {
        traceId,
        spanId: 'a'.repeat(16),
        traceFlags: TraceFlags.NONE,
      }),
    ).toBe(true);
  });
});

describe('the lean SDK', () => {
  verifies(
    'register.lean-sdk',
    () => {
      expect(leanSuffices()).toBe(true);
      for (const [variable, value, suffices] of [
        ['OTEL_PROPAGATORS', 'b3', false],
        ['OTEL_PROPAGATORS', 'tracecontext', true],
        ['OTEL_PROPAGATORS', 'none', true],
        ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', false],
        ['OTEL_METRICS_EXPORTER', 'prometheus', false],
        ['OTEL_TRACES_EXPORTER', 'console', true],
      ] as const) {
        vi.stubEnv(variable, value);
        expect([variable, value, leanSuffices()]).toEqual([variable, value, suffices]);
        vi.unstubAllEnvs();
      }
    },
    'gives way',
  );

  const exported = async (env: Record<string, string>, args: readonly string[]) => {
    const collector = await startCollector();
    const child = new Child(process.execPath, args, { env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
    child.write(INITIALIZE);
    await child.lines(1);
    await child.end();
    await collector.close();
    return {
      spans: collector.spans(),
      resource: collector.bodies<OtlpTraces>('traces')[0]?.resourceSpans?.[0]?.resource,
    };
  };
  const plain = `${ROOT}test/fixtures/plain-server.ts`;
  const lean = ['--import', `${ROOT}src/register/index.ts`, plain, 'v1'];
  const full = [plain, 'v1', 'stdio', 'instrumented'];

  for (const [how, env] of [
    ['nothing set', {}],
    ['resource', { OTEL_RESOURCE_ATTRIBUTES: 'team=a,service.name=named', OTEL_NODE_RESOURCE_DETECTORS: 'env,host' }],
    ['limits', { OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '2', OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '4' }],
    ['a sampler', { OTEL_TRACES_SAMPLER: 'parentbased_always_off' }],
    ['a sampler that is none', { OTEL_TRACES_SAMPLER: 'sometimes' }],
  ] as const) {
    verifies(
      'register.lean-sdk',
      async () => {
        const shown = ({ spans, resource }: Awaited<ReturnType<typeof exported>>) => {
          const { 'process.pid': _pid, 'service.instance.id': _id, ...attributes } = attributesOf(resource?.attributes);
          return { attributes, spans: spans.map(({ name, attributes: own }) => [name, own]) };
        };
        expect(shown(await exported(env, lean))).toEqual(shown(await exported(env, full)));
      },
      how,
    );
  }
});
