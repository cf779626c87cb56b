// The tracer of our own operations where the SDK is one of ours: it asks the SDK's sampler, ids and processors as the SDK's own
// tracer does, and makes spans that cost less.
import {
  context as contexts,
  createNoopMeter,
  INVALID_SPAN_CONTEXT,
  SpanKind,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Counter,
  type Span,
  type SpanContext,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { SamplingDecision, type IdGenerator, type Sampler } from '@opentelemetry/sdk-trace';
import { isRecord } from '../protocol/message.ts';
import { VERSION } from '../version.ts';
import { SCOPE_NAME } from '../telemetry/names.ts';
import { leavesRoom, LeanSpan, linkWithin, timeOf, type SpanHome } from './lean-span.ts';

interface TracerMetrics {
  readonly startedSpans: Counter;
  startSpan(parent: SpanContext | undefined, decision: SamplingDecision): () => void;
}

// What a tracer of the SDK holds: private, so read with care.
interface SdkTracer extends Tracer {
  readonly instrumentationScope: SpanHome['instrumentationScope'];
  readonly _sampler: Sampler;
  readonly _spanLimits: SpanHome['limits'];
  readonly _idGenerator: IdGenerator;
  readonly _resource: SpanHome['resource'];
  readonly _spanProcessor: SpanHome['processor'];
  readonly _tracerMetrics: TracerMetrics;
}

// The SDK counts its own spans only where it was told to.
const UNCOUNTED = createNoopMeter().createCounter('');
const nothing = (): void => {};

/** Makes spans as a tracer of the SDK does. */
export class OperationTracer implements Tracer {
  readonly #tracer: SdkTracer;
  readonly #home: SpanHome;

  private constructor(tracer: SdkTracer) {
    this.#tracer = tracer;
    this.#home = {
      resource: tracer._resource,
      instrumentationScope: tracer.instrumentationScope,
      processor: tracer._spanProcessor,
      limits: tracer._spanLimits,
    };
  }

  /** The tracer beside those of this provider; undefined where its tracers are not as they are known here. */
  static beside(provider: TracerProvider): OperationTracer | undefined {
    const tracer = provider.getTracer(SCOPE_NAME, VERSION);
    return isSdkTracer(tracer) && leavesRoom(tracer._spanLimits) ? new OperationTracer(tracer) : undefined;
  }

  startSpan(name: string, options: SpanOptions = {}, given: Context = contexts.active()): Span {
    const parent = options.root === true ? trace.deleteSpan(given) : given;
    if (isTracingSuppressed(parent)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const { _idGenerator: ids, _sampler: sampler, _tracerMetrics: metrics } = this.#tracer;
    const above = trace.getSpanContext(parent);
    const caller = above !== undefined && trace.isSpanContextValid(above) ? above : undefined;
    const spanId = ids.generateSpanId();
    const traceId = caller?.traceId ?? ids.generateTraceId();
    const { kind = SpanKind.INTERNAL } = options;
    const links = options.links?.map((link) => linkWithin(this.#home.limits, link)) ?? [];
    const attributes: Attributes = { ...options.attributes };
    const sampled = sampler.shouldSample(parent, traceId, name, kind, attributes, links);
    const recordEnd = metrics.startedSpans === UNCOUNTED ? nothing : metrics.startSpan(above, sampled.decision);
    const spanContext: SpanContext = {
      traceId,
      spanId,
      traceFlags: sampled.decision === SamplingDecision.RECORD_AND_SAMPLED ? TraceFlags.SAMPLED : TraceFlags.NONE,
    };
    const traceState = sampled.traceState ?? caller?.traceState;
    if (traceState !== undefined) spanContext.traceState = traceState;
    if (sampled.decision === SamplingDecision.NOT_RECORD) return trace.wrapSpanContext(spanContext);
    const span = new LeanSpan(this.#home, {
      spanContext,
      parentSpanContext: caller,
      name,
      kind,
      startTime: timeOf(options.startTime),
      attributes,
      links,
      recordEnd,
    });
    if (sampled.attributes !== undefined) span.setAttributes(sampled.attributes);
    this.#home.processor.onStart(span, parent);
    return span;
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, ...rest: unknown[]): ReturnType<F> {
    return (this.#tracer.startActiveSpan as (...args: unknown[]) => ReturnType<F>)(name, ...rest);
  }
}

function isSdkTracer(tracer: object): tracer is SdkTracer {
  const { _sampler, _spanLimits, _idGenerator, _resource, _spanProcessor, _tracerMetrics, instrumentationScope } =
    tracer as Partial<SdkTracer>;
  return (
    [_spanLimits, _resource, instrumentationScope].every(isRecord) &&
    typeof _sampler?.shouldSample === 'function' &&
    typeof _idGenerator?.generateSpanId === 'function' &&
    typeof _spanProcessor?.onEnd === 'function' &&
    typeof _tracerMetrics?.startSpan === 'function'
  );
}
