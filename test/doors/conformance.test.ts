// The same scenarios through every door: a server instrumented by hand, by register, and by wrap.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startCollector, type Collector } from '../harness/collector.ts';
import type { Peer } from '../harness/matrix.ts';
import { eventually } from '../harness/poll.ts';
import type { RecordedSpan } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';
import { observerRequirements } from '../requirements/observer.ts';
import { connectBehind, type Carrier, type Door } from './behind.ts';
import { DIFFERENCES, table, type PlainSpan } from './differences.ts';
import { NOT_OF_DOORS, SCENARIOS, type Scenario, type ThroughDoor } from './scenarios.ts';

const HERE = new URL('..', import.meta.url).pathname;
const DOC = `${HERE}../docs/doors.md`;
const STATUS = ['UNSET', 'OK', 'ERROR'];
const LAST_CALL = 'f'.repeat(32);

const traceOf = (index: number) => (index + 1).toString(16).padStart(32, '0');
const CALLER = 'b7ad6b7169203331';
const metaOf = (traceId: string) => ({ traceparent: `00-${traceId}-${CALLER}-01`, tracestate: 'vendor=1' });

/** Runs all scenarios behind a door; gives the spans of each, as they are compared. */
async function spansBehind(door: Door, peer: Peer, carrier: Carrier): Promise<Map<string, PlainSpan[]>> {
  const collector = await startCollector();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_METRICS_EXPORTER: 'none' };
  const { client, transport, stop } = await connectBehind(door, peer, carrier, env);
  for (const [index, scenario] of fitting(peer, carrier).entries()) {
    await scenario.run(throughDoor(peer, carrier, client, transport, metaOf(traceOf(index))));
  }
  // once this one is answered, those that were sent past the client are too
  await client.callTool({ name: 'echo', arguments: { text: 'last' }, _meta: metaOf(LAST_CALL) });
  await client.close();
  await eventually('the last of the spans', async () => {
    await stop();
    return collector.spans().some(({ traceId }) => traceId === LAST_CALL) || undefined;
  });
  await collector.close();
  return byScenario(collector, peer, carrier);
}

function fitting(peer: Peer, carrier: Carrier): Scenario[] {
  return SCENARIOS.filter(({ fits }) => fits?.(peer, carrier) ?? true);
}

function throughDoor(
  peer: Peer,
  carrier: Carrier,
  client: ThroughDoor['client'],
  transport: { send(message: never): Promise<void> },
  _meta: ThroughDoor['_meta'],
): ThroughDoor {
  return {
    peer,
    carrier,
    client,
    _meta,
    async call(name, args = {}, signal) {
      const params = { name, arguments: args, _meta };
      const options = signal === undefined ? {} : { signal };
      const calling = peer === 'v1' ? client.callTool(params, undefined, options) : client.callTool(params, options);
      return calling.catch((error: unknown) => error);
    },
    async send(message) {
      await transport.send(message as never);
    },
  };
}

function byScenario(collector: Collector, peer: Peer, carrier: Carrier): Map<string, PlainSpan[]> {
  const spans = collector.spans().filter(({ scope }) => scope === 'toolspan');
  return new Map(
    fitting(peer, carrier).map(({ name }, index) => {
      const own = spans.filter(({ traceId }) => traceId === traceOf(index));
      // spans that end at once may come in any order
      return [name, own.map((span) => plain(span, own)).toSorted(compare)];
    }),
  );
}

function plain(span: RecordedSpan, all: readonly RecordedSpan[]): PlainSpan {
  const { 'jsonrpc.request.id': id, 'mcp.session.id': session, ...attributes } = span.attributes;
  return {
    name: span.name,
    kind: span.kind === 1 ? 'SERVER' : 'CLIENT',
    parent:
      span.parentSpanId === CALLER
        ? 'caller'
        : (all.find(({ spanId }) => spanId === span.parentSpanId)?.name ?? 'none'),
    attributes: { ...attributes, hasId: id !== undefined, inSession: session !== undefined },
    status: STATUS[span.status.code] ?? '',
    events: span.events.map((event) => [event.name, event.attributes['exception.type']].filter(Boolean).join(' ')),
    links: span.links.length,
  };
}

const compare = (a: PlainSpan, b: PlainSpan): number => JSON.stringify(a).localeCompare(JSON.stringify(b));

const used = new Set<number>();

function expectedThrough(door: Door, spans: PlainSpan[], peer: Peer, carrier: Carrier, scenario: string): PlainSpan[] {
  return spans
    .map((span) =>
      DIFFERENCES.reduce((now, difference, index) => {
        if (difference.door !== door) return now;
        const next = difference.apply(now, peer, carrier, scenario);
        if (JSON.stringify(next) !== JSON.stringify(now)) used.add(index);
        return next;
      }, span),
    )
    .toSorted(compare);
}

const PEERS: readonly Peer[] = ['v1', 'v2 legacy', 'v2 modern'];

for (const carrier of ['stdio', 'http'] as const) {
  for (const peer of PEERS) {
    describe(`${peer} over ${carrier}`, () => {
      verifies(
        'doors.conformance',
        async () => {
          const byHand = await spansBehind('by hand', peer, carrier);
          for (const [scenario, spans] of byHand) expect(spans.length, scenario).toBeGreaterThan(0);
          for (const door of ['register', 'wrap'] as const) {
            const through = await spansBehind(door, peer, carrier);
            for (const [scenario, spans] of byHand) {
              expect(through.get(scenario), `${door}: ${scenario}`).toEqual(
                expectedThrough(door, spans, peer, carrier, scenario),
              );
            }
          }
        },
        `${peer} over ${carrier}`,
      );
    });
  }
}

describe('the differences', () => {
  verifies(
    'doors.conformance',
    () => {
      expect(DIFFERENCES.filter((_, index) => !used.has(index)).map(({ where }) => where)).toEqual([]);
    },
    'each that is documented is there',
  );

  verifies(
    'doors.conformance',
    () => {
      if (process.env['UPDATE_DOCS'] === 'true') {
        const text = readFileSync(DOC, 'utf8');
        writeFileSync(DOC, text.replace(/(<!-- differences -->\n\n)[\s\S]*?(\n\n<!-- end -->)/, `$1${table()}$2`));
      }
      const rows = (text: string) => text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
      const doc = /<!-- differences -->\n\n([\s\S]*?)\n\n<!-- end -->/.exec(readFileSync(DOC, 'utf8'))?.[1] ?? '';
      const isRule = (row: readonly string[]) => row.some((cell) => /^-+$/.test(cell));
      expect(rows(doc).filter((row) => !isRule(row))).toEqual(rows(table()).filter((row) => !isRule(row)));
    },
    'docs/doors.md has them (made by UPDATE_DOCS=true)',
  );

  test('every requirement of the observer is shown by a scenario, or is said why not', () => {
    const shown = new Set<string>(SCENARIOS.flatMap(({ shows }) => shows));
    const open = Object.keys(observerRequirements).filter((id) => !shown.has(id) && !Object.hasOwn(NOT_OF_DOORS, id));
    expect(open).toEqual([]);
    expect(Object.keys(NOT_OF_DOORS).filter((id) => shown.has(id))).toEqual([]);
  });
});
