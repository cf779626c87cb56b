// The store: what it holds, in what order it lets go, what it finds.
import { describe, expect } from 'vitest';
import { encodeMessage } from '../../src/viewer/otlp/encode.ts';
import { REQUESTS, type Signal } from '../../src/viewer/otlp/schema.ts';
import { searchLogs } from '../../src/viewer/store/search-logs.ts';
import { searchTraces, type TraceQuery } from '../../src/viewer/store/search.ts';
import { Store } from '../../src/viewer/store/store.ts';
import { verifies } from '../harness/verifies.ts';
import { logsBody, numbersBody, spanId, spansBody, traceId, type SampleSpan } from './otlp-bodies.ts';

const MIB = 1024 * 1024;
const NOW = 1_800_000_000_000;

const body = (signal: Signal, json: object) => encodeMessage(REQUESTS[signal], json);
const addSpans = (store: Store, spans: readonly SampleSpan[], service?: string) =>
  store.add('traces', body('traces', spansBody(spans, service)));

function made(more: Partial<SampleSpan> = {}): SampleSpan {
  return { traceId: traceId(), spanId: spanId(), name: 'tools/call x', kind: 2, startMs: NOW, durationMs: 10, ...more };
}

function find(store: Store, query: Partial<TraceQuery>): string[] {
  return searchTraces(store.spans, { limit: 50, ...query }).traces.map(({ id }) => id);
}

describe('bounds', () => {
  verifies('store.bounds', () => {
    const store = new Store({ maxBytes: 4 * MIB, now: () => NOW });
    const ids: string[] = [];
    let most = 0;
    for (let index = 0; index < 200; index++) {
      const spans = Array.from({ length: 50 }, () => {
        const id = traceId();
        ids.push(id);
        return [made({ traceId: id, attributes: { note: 'n'.repeat(200) } }), made({ traceId: id })];
      });
      addSpans(store, spans.flat());
      most = Math.max(most, store.fill.bytes);
    }
    expect(most).toBeLessThanOrEqual(4 * MIB);
    const { traces, spans, evictedTraces } = store.fill;
    expect(traces + evictedTraces).toBe(ids.length);
    expect(evictedTraces).toBeGreaterThan(5_000);
    // whole, and the oldest: what is left are the last ones with both of their spans
    expect(spans).toBe(traces * 2);
    expect([...store.spans.traces.keys()]).toEqual(ids.slice(-traces));
  });

  verifies(
    'store.bounds',
    () => {
      const store = new Store({ maxBytes: 4 * MIB, now: () => NOW });
      const long = traceId();
      const early = made({ traceId: long, name: 'early' });
      addSpans(store, [early]);
      for (let index = 0; index < 150; index++) {
        addSpans(
          store,
          Array.from({ length: 100 }, () => made({ attributes: { note: 'n'.repeat(200) } })),
        );
        if (index === 5) addSpans(store, [made({ traceId: long, name: 'late' })]);
      }
      // its late span went with its early one, though its segment may still be there
      expect(store.spans.traces.has(long)).toBe(false);
      expect(find(store, { columns: { name: 'late' } })).toEqual([]);
      addSpans(store, [made({ traceId: long, name: 'after' })]);
      expect(store.spans.traces.get(long)?.spans).toHaveLength(1);
    },
    'a trace whose spans lie far apart goes whole',
  );

  verifies(
    'store.bounds',
    () => {
      const store = new Store({ maxBytes: 4 * MIB, now: () => NOW });
      for (let index = 0; index < 300; index++) {
        const text = `${index} `.repeat(100);
        const logs = Array.from({ length: 40 }, () => ({ timeMs: NOW, severity: 9, body: text, traceId: traceId() }));
        store.add('logs', body('logs', logsBody(logs)));
        const points = Array.from({ length: 40 }, (_, n) => ({ timeMs: NOW, value: 1, attributes: { n, index } }));
        store.add('metrics', body('metrics', numbersBody('many', 'gauge', points)));
      }
      expect(store.fill.bytes).toBeLessThanOrEqual(4 * MIB);
      expect(store.fill.logs).toBeGreaterThan(100);
      expect(store.metrics.bytes).toBeLessThanOrEqual(MIB);
      expect(store.metrics.instruments.get('many')?.series.size).toBeGreaterThan(100);
    },
    'of all signals together',
  );

  verifies('store.age', () => {
    let now = NOW;
    const store = new Store({ maxAgeMs: 60_000, now: () => now });
    addSpans(store, [made({ name: 'old' })]);
    store.add('logs', body('logs', logsBody([{ timeMs: now, severity: 9, body: 'old' }])));
    store.add('metrics', body('metrics', numbersBody('old', 'gauge', [{ timeMs: now, value: 1 }])));
    now += 30_000;
    addSpans(store, [made({ name: 'young' })]);
    now += 40_000;
    store.maintain();
    expect(store.fill).toMatchObject({ traces: 1, logs: 0, instruments: 0, evictedTraces: 1 });
    expect(find(store, { columns: { name: 'young' } })).toHaveLength(1);
    // also where nothing more comes
    for (let step = 0; step < 3; step++) {
      now += 60_000;
      store.maintain();
    }
    expect(store.fill).toMatchObject({ traces: 0, spans: 0 });
  });

  verifies('store.sideways', () => {
    const store = new Store({ now: () => NOW });
    const attributes = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`key ${n}`, `value ${n}`]));
    const events = Array.from({ length: 3_000 }, (_, n) => ({ name: `e${n}`, atMs: NOW }));
    addSpans(store, [made({ attributes, events })]);
    expect(find(store, { words: [{ key: 'key 3', text: 'value 3', whole: true }] })).toHaveLength(1);
    // beyond the limit it is kept, but not found
    expect(find(store, { words: [{ key: 'key 1999', text: 'value 1999', whole: true }] })).toHaveLength(0);
    const points = Array.from({ length: 2_500 }, (_, n) => ({ timeMs: NOW, value: 1, attributes: { n } }));
    const accepted = store.add('metrics', body('metrics', numbersBody('wide', 'gauge', points)));
    expect(accepted).toMatchObject({ received: 2_500, rejected: 500 });
    for (let n = 0; n < 1_200; n++) {
      store.add('metrics', body('metrics', numbersBody('long', 'gauge', [{ timeMs: NOW + n, value: n }])));
    }
    const [series] = store.metrics.instruments.get('long')?.series.values() ?? [];
    expect(series?.points).toHaveLength(1_000);
    expect(series?.points[0]?.value).toBe(200);
    expect(
      store.add('metrics', body('metrics', numbersBody('long', 'sum', [{ timeMs: NOW, value: 1 }]))),
    ).toMatchObject({ rejected: 1 });
  });

  verifies(
    'store.bounds',
    () => {
      expect(() => new Store({ maxBytes: 10 })).toThrow(RangeError);
      expect(() => new Store({ maxAgeMs: 1 })).toThrow(/option "maxAgeMs" must be a number of milliseconds from 1000/);
    },
    'that are checked',
  );
});

describe('traces', () => {
  verifies('store.merge', () => {
    const store = new Store({ now: () => NOW });
    const id = traceId();
    const root = made({ traceId: id, startMs: NOW, durationMs: 100 });
    const child = made({ traceId: id, parentSpanId: root.spanId, startMs: NOW + 10, durationMs: 20 });
    addSpans(store, [child]);
    addSpans(store, [made()]);
    addSpans(store, [root]);
    addSpans(store, [root, child]);
    const trace = store.spans.traces.get(id);
    expect(trace?.spans).toHaveLength(2);
    expect(trace).toMatchObject({ startMs: NOW, durationMs: 100 });
    // sent as it began, and again as it ended
    const begun = made({ traceId: id, durationMs: 0 });
    addSpans(store, [begun]);
    addSpans(store, [{ ...begun, durationMs: 300, error: 'no' }]);
    expect(trace?.spans).toHaveLength(3);
    expect(trace).toMatchObject({ durationMs: 300, failed: true });
    expect(store.fill.spans).toBe(4);
  });

  verifies(
    'store.merge',
    () => {
      const store = new Store({ now: () => NOW });
      const id = traceId();
      const spans = Array.from({ length: 500 }, () => made({ traceId: id }));
      addSpans(store, spans);
      addSpans(store, spans.toReversed());
      expect(store.spans.traces.get(id)?.spans).toHaveLength(500);
      addSpans(
        store,
        spans.map((span) => ({ ...span, durationMs: 11 })),
      );
      expect(store.spans.traces.get(id)?.spans).toHaveLength(500);
      expect(store.fill.spans).toBe(500);
      store.clear();
      expect(store.fill).toMatchObject({ spans: 0, traces: 0 });
    },
    'also of a large trace',
  );

  verifies('store.search', () => {
    const store = new Store({ now: () => NOW });
    const weather = made({
      startMs: NOW - 5_000,
      durationMs: 250,
      attributes: {
        'gen_ai.tool.name': 'forecast',
        'mcp.method.name': 'tools/call',
        'toolspan.outcome': 'tool_error',
        'toolspan.error.code': 'TIMEOUT',
        'http.response.status_code': 503,
        retried: true,
        cities: 'Paris',
      },
      events: [{ name: 'exception', atMs: NOW, attributes: { 'exception.message': 'Upstream TOOK too long' } }],
      error: 'late',
    });
    const plain = made({
      startMs: NOW - 1_000,
      attributes: { 'gen_ai.tool.name': 'echo', 'mcp.method.name': 'tools/call' },
    });
    const ping = made({ startMs: NOW, name: 'ping', attributes: { 'mcp.method.name': 'ping' } });
    addSpans(store, [weather], 'weather');
    addSpans(store, [plain, ping], 'other');
    const words = (text: string, key?: string, whole = true) => ({ words: [{ key, text, whole }] });
    const found: [Partial<TraceQuery>, SampleSpan[]][] = [
      [{}, [ping, plain, weather]],
      [{ hideNoise: true }, [plain, weather]],
      [{ columns: { tool: 'forecast' } }, [weather]],
      [{ columns: { tool: 'FORECAST' } }, [weather]],
      [{ columns: { tool: 'fore' } }, []],
      [{ columns: { method: 'tools/call' } }, [plain, weather]],
      [{ columns: { outcome: 'tool_error', errorCode: 'TIMEOUT' } }, [weather]],
      [{ columns: { outcome: 'tool_error', tool: 'echo' } }, []],
      [{ failed: true }, [weather]],
      [{ service: 'other' }, [ping, plain]],
      [{ service: 'nobody' }, []],
      [{ minMs: 100 }, [weather]],
      [{ maxMs: 100 }, [ping, plain]],
      [{ fromMs: NOW - 2_000 }, [ping, plain]],
      [{ toMs: NOW - 500, fromMs: NOW - 2_000 }, [plain]],
      [words('503', 'http.response.status_code'), [weather]],
      [words('true', 'retried'), [weather]],
      [words('50', 'http.response.status_code'), []],
      [words('503', 'cities'), []],
      [words('took TOO', undefined, false), [weather]],
      [words('late', 'status.message'), [weather]],
      [words('nowhere', undefined, false), []],
      [{ ...words('paris', undefined, false), columns: { tool: 'forecast' }, failed: true, minMs: 1 }, [weather]],
      [{ sort: 'slowest' }, [weather, ...[ping, plain].toSorted((a, b) => (a.traceId < b.traceId ? -1 : 1))]],
    ];
    for (const [query, expected] of found) {
      expect(find(store, query), JSON.stringify(query)).toEqual(expected.map((span) => span.traceId));
    }
  });

  verifies(
    'store.search',
    () => {
      const store = new Store({ now: () => NOW });
      // across segments, sealed and open, with texts that other alphabets change when they are lowered
      const names = ['İstanbul', 'straße', 'ΣΊΣΥΦΟΣ', 'plain', 'with\u0000zero'];
      for (let index = 0; index < 9_000; index += 500) {
        addSpans(
          store,
          Array.from({ length: 500 }, (_, n) =>
            made({ startMs: NOW + index + n, attributes: { city: names[n % 5] ?? '', n: index + n } }),
          ),
        );
      }
      for (const name of names.slice(0, 4)) {
        const { total } = searchTraces(store.spans, { limit: 5, words: [{ key: 'city', text: name, whole: true }] });
        expect(total, name).toBe(1_800);
      }
      const one = searchTraces(store.spans, { limit: 5, words: [{ key: 'n', text: '4321', whole: true }] });
      expect(one.total).toBe(1);
      expect(one.traces[0]?.startMs).toBe(NOW + 4_321);
      expect(searchTraces(store.spans, { limit: 5, words: [{ text: '432', whole: false }] }).total).toBeGreaterThan(10);
    },
    'in every segment and alphabet',
  );

  verifies(
    'store.search',
    () => {
      const store = new Store({ now: () => NOW });
      const spans = Array.from({ length: 230 }, (_, n) => made({ startMs: NOW + (n % 40), durationMs: n % 7 }));
      addSpans(store, spans);
      for (const sort of ['newest', 'slowest'] as const) {
        const seen: string[] = [];
        let after: TraceQuery['after'];
        for (let page = 0; page < 20; page++) {
          const { traces, total } = searchTraces(store.spans, { limit: 30, sort, after });
          expect(total).toBe(230);
          seen.push(...traces.map(({ id }) => id));
          const last = traces.at(-1);
          if (last === undefined) break;
          after = { value: sort === 'newest' ? last.startMs : last.durationMs, traceId: last.id };
        }
        expect(new Set(seen).size).toBe(230);
        expect(seen).toHaveLength(230);
      }
    },
    'page by page, each once',
  );

  verifies(
    'store.search',
    () => {
      const store = new Store({ now: () => NOW });
      const id = traceId();
      const logs = Array.from({ length: 5_000 }, (_, n) => ({
        timeMs: NOW + n,
        severity: n % 10 === 0 ? 17 : 9,
        body: `line ${n}`,
        attributes: { n },
        ...(n % 1_000 === 0 && { traceId: id, spanId: spanId() }),
      }));
      store.add('logs', body('logs', logsBody(logs, 'a')));
      const total = (query: object) => searchLogs(store.logs, { limit: 10, ...query }).total;
      expect(total({})).toBe(5_000);
      expect(total({ minSeverity: 17 })).toBe(500);
      expect(total({ traceId: id })).toBe(5);
      expect(total({ service: 'b' })).toBe(0);
      expect(total({ fromMs: NOW + 4_990 })).toBe(10);
      expect(total({ words: [{ text: 'LINE 4999', whole: false }] })).toBe(1);
      expect(total({ words: [{ key: 'n', text: '7', whole: true }] })).toBe(1);
      const { places } = searchLogs(store.logs, { limit: 3 });
      expect(places.map(({ segment, row }) => Math.round(segment.timeMs[row] ?? 0))).toEqual([
        NOW + 4_999,
        NOW + 4_998,
        NOW + 4_997,
      ]);
    },
    'and log records',
  );
});
