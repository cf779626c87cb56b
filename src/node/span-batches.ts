// The span processor before our OTLP exporter: encodes each span as it ends and keeps only its bytes, which costs less
// than keeping the spans alive until a batch is full.
import { context, ROOT_CONTEXT, TraceFlags } from '@opentelemetry/api';
import { ExportResultCode, suppressTracing, type ExportResult, type InstrumentationScope } from '@opentelemetry/core';
import type { IOtlpExportDelegate } from '@opentelemetry/otlp-exporter-base';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { asError, complainAboutFailure } from '../diagnostics.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { encodeRequest, SpanEncoder } from './span-encoder.ts';

/** Limits of a batch, as `OTEL_BSP_*` have them. */
export interface SpanBatchLimits {
  /** Most spans that wait while a collector is slow; more are dropped and counted. Default 2048. */
  readonly maxQueueSize?: number;
  /** Most spans in one export. Default 512. */
  readonly maxExportBatchSize?: number;
  /** Longest time from the end of a span to its export, in ms. Default 5000. */
  readonly scheduledDelayMillis?: number;
}

/** Encoded spans of one resource, by scope. */
export class SpanBatch {
  readonly resource: Resource;
  readonly #scopes = new Map<InstrumentationScope, ProtobufWriter>();
  /** How many spans it holds. */
  count = 0;

  constructor(resource: Resource) {
    this.resource = resource;
  }

  add(span: ReadableSpan, encoder: SpanEncoder): void {
    let spans = this.#scopes.get(span.instrumentationScope);
    if (spans === undefined) {
      spans = new ProtobufWriter(4_096);
      this.#scopes.set(span.instrumentationScope, spans);
    }
    const before = spans.length;
    try {
      encoder.span(spans, span);
    } catch (error) {
      spans.rewind(before);
      throw error;
    }
    this.count++;
  }

  /** The batch as one OTLP request. */
  encode(): Uint8Array {
    return encodeRequest(
      this.resource,
      Array.from(this.#scopes, ([scope, spans]) => ({ scope, spans: spans.view() })),
    );
  }
}

/** Told of what was delivered and what was lost. */
export interface BatchLosses {
  delivered(): void;
  exportFailed(count: number, error: Error): void;
  queueFull(count: number): void;
  notEncoded(count: number): void;
}

// So many requests may be under way; what comes then waits.
const MAX_EXPORTS = 8;

/** Collects ended spans and hands them on in batches, without holding the process. */
export class SpanBatches implements SpanProcessor {
  readonly #delegate: IOtlpExportDelegate<SpanBatch>;
  readonly #losses: BatchLosses;
  readonly #pending: () => void;
  readonly #limits: Required<SpanBatchLimits>;
  readonly #encoder = new SpanEncoder();
  readonly #waiting: SpanBatch[] = [];
  readonly #exports = new Set<Promise<void>>();
  #open: SpanBatch | undefined;
  #queued = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param pending called when a batch waits for the resource to be settled. */
  constructor(
    delegate: IOtlpExportDelegate<SpanBatch>,
    losses: BatchLosses,
    limits: SpanBatchLimits,
    pending: () => void = () => {},
  ) {
    const { maxQueueSize = 2_048, maxExportBatchSize = 512, scheduledDelayMillis = 5_000 } = limits;
    this.#delegate = delegate;
    this.#losses = losses;
    this.#pending = pending;
    this.#limits = {
      maxQueueSize,
      maxExportBatchSize: Math.min(maxExportBatchSize, maxQueueSize),
      scheduledDelayMillis,
    };
  }

  /** How many spans wait for their turn. */
  get queued(): number {
    return this.#queued;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#stopped || (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.#queued >= this.#limits.maxQueueSize) {
      this.#losses.queueFull(1);
      return;
    }
    this.#open ??= new SpanBatch(span.resource);
    try {
      this.#open.add(span, this.#encoder);
    } catch (error) {
      complainAboutFailure('encoding a span', error);
      this.#losses.notEncoded(1);
      return;
    }
    this.#queued++;
    if (this.#open.count >= this.#limits.maxExportBatchSize) this.#closeBatch();
    else this.#timer ??= setTimeout(() => this.#closeBatch(), this.#limits.scheduledDelayMillis).unref();
  }

  /**
   * Hands on everything collected so far. It does not wait for the delivery: the SDK holds a timer until this settles, which
   * would keep the process alive. `settled` waits.
   */
  forceFlush(): Promise<void> {
    this.#closeBatch();
    return Promise.resolve();
  }

  /** Waits until all that was handed on, and all that waits for its turn, is delivered or lost. */
  async settled(): Promise<void> {
    while (this.#exports.size > 0) await Promise.all(this.#exports);
  }

  async shutdown(): Promise<void> {
    this.#stopped = true;
    this.#closeBatch();
    await this.settled();
    await this.#delegate.shutdown();
  }

  #closeBatch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#open !== undefined) this.#waiting.push(this.#open);
    this.#open = undefined;
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    while (this.#exports.size < MAX_EXPORTS) {
      const batch = this.#waiting.shift();
      if (batch === undefined) return;
      this.#queued -= batch.count;
      // the export itself must not become a span, nor part of the call that happened to fill the batch
      const under = context.with(suppressTracing(ROOT_CONTEXT), () => this.#export(batch));
      this.#exports.add(under);
      void this.#whenDone(under);
    }
  }

  async #whenDone(under: Promise<void>): Promise<void> {
    await under;
    this.#exports.delete(under);
    this.#sendWaiting();
  }

  async #export(batch: SpanBatch): Promise<void> {
    const { resource } = batch;
    try {
      if (resource.asyncAttributesPending === true) {
        this.#pending();
        await resource.waitForAsyncAttributes?.();
      }
      const { promise: result, resolve } = Promise.withResolvers<ExportResult>();
      this.#delegate.export(batch, resolve);
      const { code, error } = await result;
      if (code !== ExportResultCode.SUCCESS) throw error ?? new Error('export failed');
      this.#losses.delivered();
    } catch (error) {
      this.#losses.exportFailed(batch.count, asError(error));
    }
  }
}
