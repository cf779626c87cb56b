// A tracer provider that may be asked before there is an SDK: what it is told then is kept, ids included, and told to the SDK
// once that is up. The tracers of the API lose spans that start before.
import {
  context as contexts,
  trace,
  TraceFlags,
  type AttributeValue,
  type Attributes,
  type Context,
  type Exception,
  type Link,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  type TimeInput,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { SCOPE_NAME } from '../telemetry/names.ts';
import { operationTracerOf, registeredTracerProvider } from '../telemetry/registered.ts';
import { idGenerator, withIds } from './id-generator.ts';

const MAX_EARLY_SPANS = 1_000;

/** Whether a trace that begins here is recorded, before the sampler of the SDK can be asked. */
export type EarlySampler = (traceId: string, parent: SpanContext | undefined) => boolean;

/** Serves spans from the start, and hands them to the registered provider when there is one. */
export class LateTracerProvider implements TracerProvider {
  readonly #sample: EarlySampler;
  readonly #tracers = new Map<string, LateTracer>();
  #early: EarlySpan[] = [];
  #provider: TracerProvider | undefined;
  #ended: () => void = () => {};

  constructor(sample: EarlySampler) {
    this.#sample = sample;
  }

  /** Calls back, once, when the first span that came early has ended. */
  onFirstEnd(listener: () => void): void {
    this.#ended = listener;
  }

  getTracer(name: string, version?: string): Tracer {
    const key = `${name}@${version ?? ''}`;
    let tracer = this.#tracers.get(key);
    if (tracer === undefined) {
      tracer = new LateTracer(this, name, version);
      this.#tracers.set(key, tracer);
    }
    return tracer;
  }

  /** The provider that spans go to by now; one of the application's own may be there from the first. */
  current(): TracerProvider | undefined {
    if (this.#provider === undefined && isSdk(registeredTracerProvider())) this.attach();
    return this.#provider;
  }

  /** The tracer that makes spans by now; undefined where none does yet. @internal */
  tracer(name: string, version: string | undefined): Tracer | undefined {
    const provider = this.current();
    if (provider === undefined || name !== SCOPE_NAME) return provider?.getTracer(name, version);
    return operationTracerOf(provider);
  }

  /** Hands over what came early; from now on the registered provider is asked. */
  attach(): void {
    const provider = registeredTracerProvider();
    this.#provider = provider;
    const early = this.#early;
    this.#early = [];
    for (const span of early) span.attach(provider);
  }

  /** @internal */
  keep(span: EarlySpan): boolean {
    return this.#early.length < MAX_EARLY_SPANS && this.#early.push(span) > 0;
  }

  /** @internal */
  noteEnded(): void {
    const listener = this.#ended;
    this.#ended = () => {};
    listener();
  }

  /** @internal */
  sampled(traceId: string, parent: SpanContext | undefined): boolean {
    return this.#sample(traceId, parent);
  }
}

function isSdk(provider: object): boolean {
  return typeof (provider as { forceFlush?: unknown }).forceFlush === 'function';
}

class LateTracer implements Tracer {
  readonly #provider: LateTracerProvider;
  readonly name: string;
  readonly version: string | undefined;
  #tracer: Tracer | undefined;

  constructor(provider: LateTracerProvider, name: string, version: string | undefined) {
    this.#provider = provider;
    this.name = name;
    this.version = version;
  }

  startSpan(name: string, options: SpanOptions = {}, parent: Context = contexts.active()): Span {
    this.#tracer ??= this.#provider.tracer(this.name, this.version);
    return this.#tracer?.startSpan(name, options, parent) ?? this.#startEarly(name, options, parent);
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, ...rest: unknown[]): ReturnType<F> {
    const run = rest.at(-1) as (span: Span) => ReturnType<F>;
    const [options, parent = contexts.active()] = rest.slice(0, -1) as [SpanOptions?, Context?];
    const span = this.startSpan(name, options, parent);
    return contexts.with(trace.setSpan(parent, span), run, undefined, span);
  }

  #startEarly(name: string, options: SpanOptions, parent: Context): Span {
    const above = trace.getSpanContext(parent);
    const caller = above !== undefined && trace.isSpanContextValid(above) ? above : undefined;
    const traceId = caller?.traceId ?? idGenerator.generateTraceId();
    const sampled = this.#provider.sampled(traceId, caller);
    const spanContext: SpanContext = {
      traceId,
      spanId: idGenerator.generateSpanId(),
      traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      ...(caller?.traceState === undefined ? undefined : { traceState: caller.traceState }),
    };
    if (!sampled) return trace.wrapSpanContext(spanContext);
    const begun = { ...options, startTime: options.startTime ?? Date.now() };
    const begin = (provider: TracerProvider) =>
      withIds(spanContext, () => provider.getTracer(this.name, this.version).startSpan(name, begun, parent));
    const span = new EarlySpan(spanContext, begin, () => this.#provider.noteEnded());
    return this.#provider.keep(span) ? span : trace.wrapSpanContext(spanContext);
  }
}

/** A span that was begun before there was an SDK. */
class EarlySpan implements Span {
  readonly #spanContext: SpanContext;
  readonly #begin: (provider: TracerProvider) => Span;
  readonly #whenEnded: () => void;
  #told: ((span: Span) => void)[] = [];
  #ended = false;
  #span: Span | undefined;

  constructor(spanContext: SpanContext, begin: (provider: TracerProvider) => Span, whenEnded: () => void) {
    this.#spanContext = spanContext;
    this.#begin = begin;
    this.#whenEnded = whenEnded;
  }

  /** Becomes a span of this provider: everything that was told is told again. */
  attach(provider: TracerProvider): void {
    const span = this.#begin(provider);
    this.#span = span;
    for (const tell of this.#told) tell(span);
    this.#told = [];
  }

  spanContext(): SpanContext {
    return this.#spanContext;
  }

  isRecording(): boolean {
    return this.#span?.isRecording() ?? !this.#ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    return this.#tell((span) => span.setAttribute(key, value));
  }

  setAttributes(attributes: Attributes): this {
    return this.#tell((span) => span.setAttributes(attributes));
  }

  addEvent(name: string, attributes?: Attributes | TimeInput, time?: TimeInput): this {
    const isTime = typeof attributes !== 'object' || Array.isArray(attributes) || attributes instanceof Date;
    const at = time ?? (isTime && attributes !== undefined ? undefined : Date.now());
    return this.#tell((span) => span.addEvent(name, attributes, at));
  }

  addLink(link: Link): this {
    return this.#tell((span) => span.addLink(link));
  }

  addLinks(links: Link[]): this {
    return this.#tell((span) => span.addLinks(links));
  }

  setStatus(status: SpanStatus): this {
    return this.#tell((span) => span.setStatus(status));
  }

  updateName(name: string): this {
    return this.#tell((span) => span.updateName(name));
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const at = time ?? Date.now();
    this.#tell((span) => span.recordException(exception, at));
  }

  end(time?: TimeInput): void {
    if (this.#ended) return;
    // the time of an end that is told later is the time now
    const at = time ?? Date.now();
    this.#tell((span) => span.end(at));
    this.#ended = true;
    this.#whenEnded();
  }

  #tell(tell: (span: Span) => void): this {
    if (this.#span !== undefined) tell(this.#span);
    else if (!this.#ended) this.#told.push(tell);
    return this;
  }
}
