// Lets a batch processor go on at once while its export is still under way: the stock processors hold a timer during an
// export that keeps the process alive, and say nothing of what is lost.
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { IOtlpExportDelegate } from '@opentelemetry/otlp-exporter-base';
import { asError } from '../diagnostics.ts';

/** Told of the end of each export. */
export interface Ends<Items> {
  delivered(): void;
  lost(items: Items, error: Error): void;
}

/** A delegate that reports every export as taken, waits for the real end in `forceFlush`, and tells what was lost. */
export function detached<Items>(inner: IOtlpExportDelegate<Items>, ends: Ends<Items>): IOtlpExportDelegate<Items> {
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
    forceFlush: settled,
    async shutdown() {
      await settled();
      await inner.shutdown();
    },
  };
}
