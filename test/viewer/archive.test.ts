// The file that keeps what was received over a restart.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished } from 'vitest';
import { encodeMessage } from '../../src/viewer/otlp/encode.ts';
import { REQUESTS, type Signal } from '../../src/viewer/otlp/schema.ts';
import { Archive } from '../../src/viewer/store/archive.ts';
import { ArchiveError } from '../../src/viewer/store/archive-error.ts';
import { searchTraces } from '../../src/viewer/store/search.ts';
import { Store } from '../../src/viewer/store/store.ts';
import { verifies } from '../harness/verifies.ts';
import { logsBody, numbersBody, spanId, spansBody, traceId, type SampleSpan } from './otlp-bodies.ts';

const MIB = 1024 * 1024;
const NOW = 1_800_000_000_000;

const body = (signal: Signal, json: object) => encodeMessage(REQUESTS[signal], json);

function made(more: Partial<SampleSpan> = {}): SampleSpan {
  return { traceId: traceId(), spanId: spanId(), name: 'tools/call x', kind: 2, startMs: NOW, durationMs: 10, ...more };
}

describe('the archive', () => {
  function folder(): string {
    const made_ = mkdtempSync(join(tmpdir(), 'toolspan-'));
    onTestFinished(() => rmSync(made_, { recursive: true }));
    return made_;
  }

  verifies('store.archive', () => {
    const file = join(folder(), 'view.db');
    const keep = (store: Store) => {
      const archive = new Archive(file, store);
      const restored = archive.restore();
      return {
        restored,
        close: () => archive.close(),
        take(signal: Signal, bytes: Buffer) {
          store.add(signal, bytes);
          archive.append(signal, bytes);
        },
      };
    };
    const span = made({ startMs: NOW, attributes: { 'gen_ai.tool.name': 'kept' } });
    let now = NOW;
    const first = keep(new Store({ now: () => now }));
    first.take('traces', body('traces', spansBody([span])));
    first.take('logs', body('logs', logsBody([{ timeMs: NOW, severity: 9, body: 'kept', traceId: span.traceId }])));
    first.take('metrics', body('metrics', numbersBody('kept', 'gauge', [{ timeMs: NOW, value: 4 }])));
    first.close();
    now += 1_000;
    const store = new Store({ now: () => now });
    const second = keep(store);
    expect(second.restored).toBe(3);
    expect(searchTraces(store.spans, { columns: { tool: 'kept' }, limit: 5 }).traces.map(({ id }) => id)).toEqual([
      span.traceId,
    ]);
    expect(store.logs.ofTrace(span.traceId)).toHaveLength(1);
    expect(store.metrics.instruments.has('kept')).toBe(true);
    second.close();
    // what is too old is not taken again, and goes from the file
    now += 2 * 86_400_000;
    const third = keep(new Store({ now: () => now }));
    expect(third.restored).toBe(0);
    third.close();
  });

  verifies(
    'store.archive',
    () => {
      const file = join(folder(), 'view.db');
      const store = new Store({ maxBytes: 2 * MIB, now: () => NOW });
      const archive = new Archive(file, store);
      archive.restore();
      for (let index = 0; index < 100; index++) {
        const bytes = body(
          'traces',
          spansBody(Array.from({ length: 60 }, () => made({ attributes: { note: 'n'.repeat(300) } }))),
        );
        store.add('traces', bytes);
        archive.append('traces', bytes);
      }
      archive.close();
      const database = new DatabaseSync(file);
      const { bytes } = database.prepare('SELECT sum(length(bytes)) AS bytes FROM body').get() as { bytes: number };
      database.close();
      expect(bytes).toBeLessThan(3 * MIB);
      const again = new Store({ maxBytes: 2 * MIB, now: () => NOW });
      const reopened = new Archive(file, again);
      reopened.restore();
      expect(again.fill.traces).toBeGreaterThan(store.fill.traces / 2);
      reopened.clear();
      reopened.close();
      expect(new Archive(file, new Store({ now: () => NOW })).restore()).toBe(0);
    },
    'within the bounds of the store',
  );

  verifies(
    'store.archive',
    () => {
      const where = folder();
      const text = join(where, 'text.db');
      writeFileSync(
        text,
        'not a database, but long enough to be read as the head of one, which has 100 bytes at least........',
      );
      expect(() => new Archive(text, new Store())).toThrow(ArchiveError);
      const foreign = join(where, 'foreign.db');
      const database = new DatabaseSync(foreign);
      database.exec('CREATE TABLE mine (a)');
      database.close();
      expect(() => new Archive(foreign, new Store())).toThrow(/is a database of another program/);
      const used = join(where, 'used.db');
      const archive = new Archive(used, new Store());
      archive.restore();
      expect(() => new Archive(used, new Store())).toThrow(/that no other viewer uses/);
      archive.close();
      expect(() => new Archive(join(where, 'no', 'such', 'folder.db'), new Store())).toThrow(ArchiveError);
    },
    'and never in a file of somebody else',
  );
});
