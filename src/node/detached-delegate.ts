// Lets a batch processor go on at once while its export is still under way: the SDK holds a timer during an export and during a
// flush that keeps the process alive, and its processors say nothing of what is lost.
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { IOtlpExportDelegate } from '@opentelemetry/otlp-exporter-base';
import { asError } from '../diagnostics.ts';

/** Told of the end of each export. */
export interface Ends<Items> {
  delivered(): void;
  lost(items: Items, error: Error): void;
}

/** A delegate that waits for no delivery; whoever wants to wait has `settled`. */
export interface DetachedDelegate<Items> extends IOtlpExportDelegate<Items> {
  /** Waits until all that was handed over is delivered or lost. */
  settled(): Promise<void>;
}

/** A delegate that reports every export as taken, and tells what was lost. */
export function detached<Items>(inner: IOtlpExportDelegate<Items>, ends: Ends<Items>): DetachedDelegate<Items> {
  const pending = new Set<Promise<void>>();
  const settled = async (): Promise<void> => {
    await Promise.all(pending);
  };
  return {
    export(items, resultCallback) {
      const { promise, resolve } = Promise.withResolvers<void>();
      pending.add(promise);
      void promise.then(() => pending.delete(promise));
      const ended = (result: ExportResult) => {
        if (result.code === ExportResultCode.SUCCESS) ends.delivered();
        else ends.lost(items, result.error ?? new Error('export failed'));
        resolve();
      };
      try {
        inner.export(items, ended);
      } catch (error) {
        ended({ code: ExportResultCode.FAILED, error: asError(error) });
      }
      resultCallback({ code: ExportResultCode.SUCCESS });
    },
    setMetrics: (metrics) => inner.setMetrics(metrics),
    forceFlush: () => Promise.resolve(),
    settled,
    async shutdown() {
      await settled();
      await inner.shutdown();
    },
  };
}
