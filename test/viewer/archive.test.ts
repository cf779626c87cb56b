// The file that keeps what was received over a restart.
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
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
import { Child } from '../harness/child.ts';
import { verifies } from '../harness/verifies.ts';
import { logsBody, numbersBody, spanId, spansBody, traceId, type SampleSpan } from './otlp-bodies.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
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
      const { restored } = archive.restore();
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
      expect(new Archive(file, new Store({ now: () => NOW })).restore()).toEqual({ restored: 0, unreadable: 0 });
    },
    'within the bounds of the store',
  );

  verifies(
    'store.archive',
    () => {
      const file = join(folder(), 'view.db');
      const store = new Store({ maxBytes: 4 * MIB, now: () => NOW });
      const archive = new Archive(file, store);
      archive.restore();
      const take = (signal: Signal, bytes: Buffer) => {
        store.add(signal, bytes);
        archive.append(signal, bytes);
      };
      take('traces', body('traces', spansBody([made({ attributes: { 'gen_ai.tool.name': 'early' } })])));
      for (let index = 0; index < 100; index++) {
        // many points, each a little thing in memory and much in a body
        const points = Array.from({ length: 1_000 }, (_, n) => ({
          timeMs: NOW + index,
          value: n,
          attributes: { n: n % 100, note: 'n'.repeat(80) },
        }));
        take('metrics', body('metrics', numbersBody('many', 'gauge', points)));
      }
      archive.close();
      expect(statSync(file).size).toBeLessThan(6 * MIB);
      // a smaller bound makes a smaller file
      const smaller = new Store({ maxBytes: 2 * MIB, now: () => NOW });
      const reopened = new Archive(file, smaller);
      expect(reopened.restore().restored).toBeGreaterThan(1);
      expect(smaller.metrics.instruments.has('many')).toBe(true);
      // metrics do not push out what else there is
      expect(smaller.fill.traces).toBe(1);
      reopened.close();
      expect(statSync(file).size).toBeLessThan(3 * MIB);
    },
    'metrics too',
  );

  function filled(bodies: number): string {
    const file = join(folder(), 'view.db');
    const store = new Store({ now: () => NOW });
    const archive = new Archive(file, store);
    for (let index = 0; index < bodies; index++) {
      const bytes = body('traces', spansBody([made({ attributes: { note: 'n'.repeat(5_000) } })]));
      store.add('traces', bytes);
      archive.append('traces', bytes);
    }
    archive.close();
    return file;
  }

  verifies('store.archive-damaged', () => {
    const file = filled(5);
    const database = new DatabaseSync(file);
    database.exec(`UPDATE body SET bytes = x'ff' WHERE id = 2; UPDATE body SET signal = 9 WHERE id = 3`);
    database.close();
    const store = new Store({ now: () => NOW });
    const archive = new Archive(file, store);
    expect(archive.restore()).toEqual({ restored: 3, unreadable: 2 });
    expect(store.fill.traces).toBe(3);
    archive.close();
    // what cannot be read goes from the file
    const again = new Archive(file, new Store({ now: () => NOW }));
    expect(again.restore()).toEqual({ restored: 3, unreadable: 0 });
    again.close();
  });

  verifies(
    'store.archive-damaged',
    () => {
      const file = filled(100);
      const size = statSync(file).size;
      const handle = openSync(file, 'r+');
      // all but the first pages, which say what it is
      writeSync(handle, Buffer.alloc(size - 20_000, 0xff), 0, size - 20_000, 20_000);
      closeSync(handle);
      const open = () => {
        const archive = new Archive(file, new Store({ now: () => NOW }));
        try {
          archive.restore();
        } finally {
          archive.close();
        }
      };
      expect(open).toThrow(ArchiveError);
      expect(open).toThrow(/view\.db cannot be used \(database disk image is malformed\); move it away/);
    },
    'pages that are none',
  );

  verifies(
    'store.archive-damaged',
    async () => {
      const file = filled(3);
      const database = new DatabaseSync(file);
      database.exec(`UPDATE body SET bytes = x'ff' WHERE id = 2; UPDATE body SET received_ms = ${Date.now()}`);
      database.close();
      const child = new Child(process.execPath, [MAIN, 'view', '--db', file]);
      await child.lines(6);
      expect(child.stdout).toMatch(/view\.db {3}\(2 earlier requests; 1 could not be read and was dropped\)/);
      await child.kill('SIGTERM');
    },
    'as the command says it',
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
