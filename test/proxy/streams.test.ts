// Lines and events are found however the bytes come in.
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { Lines } from '../../src/proxy/lines.ts';
import { readEvent, SseEvents } from '../../src/proxy/sse.ts';
import { verifies } from '../harness/verifies.ts';

/** Cuts bytes at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return at.map((to, index) => bytes.subarray(index === 0 ? 0 : at[index - 1], to));
}

const texts = fc.array(fc.oneof(fc.constantFrom('\n', '\r\n', '{"a":1}', '🙂', ''), fc.string({ unit: 'binary' })));
const places = fc.array(fc.nat());

describe('lines', () => {
  verifies(
    'wrap.bytes',
    () => {
      fc.assert(
        fc.property(texts, places, fc.integer({ min: 1, max: 40 }), (parts, at, max) => {
          const bytes = Buffer.from(parts.join(''));
          const seen: Buffer[] = [];
          const whole: string[] = [];
          const lines = new Lines(
            {
              line(line) {
                seen.push(Buffer.from(line));
                whole.push(line.toString('utf8'));
              },
              longPiece: (piece) => void seen.push(Buffer.from(piece)),
            },
            max,
          );
          for (const chunk of cut(bytes, at)) lines.write(chunk);
          lines.end();
          expect(Buffer.concat(seen).equals(bytes)).toBe(true);
          const short = bytes
            .toString('utf8')
            .split(/(?<=\n)/)
            .filter((line) => line !== '' && Buffer.byteLength(line) <= max);
          expect(whole).toEqual(short);
        }),
        { numRuns: 500 },
      );
    },
    'cut anywhere',
  );
});

describe('events', () => {
  const message = { jsonrpc: '2.0', id: 1, result: { text: 'grüße 🙂' } };
  const stream = (eol: string) =>
    [
      ': a comment',
      '',
      `data: ${JSON.stringify(message)}`,
      '',
      'event: endpoint',
      'data: /messages?id=1',
      '',
      'id: 7',
      `data:${JSON.stringify(message).slice(0, 17)}`,
      `data: ${JSON.stringify(message).slice(17)}`,
      '',
      'retry: 100',
      'data',
      '',
      '',
    ].join(eol);

  for (const [name, eol] of [
    ['LF', '\n'],
    ['CR', '\r'],
    ['CRLF', '\r\n'],
  ] as const) {
    verifies(
      'wrap.http-stream',
      () => {
        const bytes = Buffer.from(stream(eol));
        fc.assert(
          fc.property(places, (at) => {
            const seen: Buffer[] = [];
            const events = new SseEvents({
              line: (event) => void seen.push(Buffer.from(event)),
              longPiece: (piece) => void seen.push(Buffer.from(piece)),
            });
            for (const chunk of cut(bytes, at)) events.write(chunk);
            events.end();
            expect(Buffer.concat(seen).equals(bytes)).toBe(true);
            const read = seen.map(readEvent).filter(({ data }) => data !== undefined);
            expect(read.map(({ type, hasId }) => [type, hasId])).toEqual([
              ['message', false],
              ['endpoint', false],
              ['message', true],
              ['message', false],
            ]);
            expect(JSON.parse(read[0]?.data ?? '')).toEqual(message);
            expect(read[1]?.data).toBe('/messages?id=1');
            expect(read[2]?.data?.replace('\n', '')).toBe(JSON.stringify(message));
            expect(read[2]?.dataFrom).toBeUndefined();
          }),
          { numRuns: 300 },
        );
      },
      `lines that end with ${name}, cut anywhere`,
    );
  }
});
