// Changing one member of a message and no other byte of it.
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { edited } from '../../src/proxy/json-bytes.ts';
import { traceMetaEdits } from '../../src/proxy/trace-meta.ts';
import { verifies } from '../harness/verifies.ts';

const ADDED = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const HERE = JSON.stringify(ADDED.traceparent);

function annotate(text: string, added: Record<string, string> = ADDED): string {
  const bytes = Buffer.from(text);
  return edited(bytes, traceMetaEdits(bytes, text.indexOf('{'), added)).toString('utf8');
}

describe('the trace context in a message', () => {
  const cases: readonly (readonly [how: string, before: string, after: string])[] = [
    ['no params', '{"id":1,"method":"ping"}', `{"id":1,"method":"ping","params":{"_meta":{"traceparent":${HERE}}}}`],
    ['empty params', '{"method":"x","params":{ }}', `{"method":"x","params":{"_meta":{"traceparent":${HERE}} }}`],
    ['params', '{"params": {"a": 1}}', `{"params": {"_meta":{"traceparent":${HERE}},"a": 1}}`],
    [
      'other keys of _meta',
      '{"params":{"_meta":{"progressToken":12345678901234567890}}}',
      `{"params":{"_meta":{"traceparent":${HERE},"progressToken":12345678901234567890}}}`,
    ],
    ['empty _meta', '{"params":{"_meta":{}}}', `{"params":{"_meta":{"traceparent":${HERE}}}}`],
    [
      'a caller in _meta',
      '{"params":{"_meta":{"traceparent" : "00-1-2-01", "x":[1]}}}',
      `{"params":{"_meta":{"traceparent" : ${HERE}, "x":[1]}}}`,
    ],
    [
      'a key that is there twice',
      '{"params":{"_meta":{"traceparent":"a","traceparent":"b"}}}',
      `{"params":{"_meta":{"traceparent":${HERE},"traceparent":${HERE}}}}`,
    ],
    [
      'params that are there twice',
      '{"params":{"a":1},"params":{"b":1}}',
      `{"params":{"a":1},"params":{"_meta":{"traceparent":${HERE}},"b":1}}`,
    ],
    [
      'a key with escapes',
      String.raw`{"par\u0061ms":{"_met\u0061":{"x":"}\"{"}}}`,
      String.raw`{"par\u0061ms":{"_met\u0061":{"traceparent":HERE,"x":"}\"{"}}}`.replace('HERE', HERE),
    ],
    ['params in a list', '{"params":[{"_meta":{}}]}', '{"params":[{"_meta":{}}]}'],
    ['a _meta that is no object', '{"params":{"_meta":"x"}}', '{"params":{"_meta":"x"}}'],
    ['a line end', '{"method":"x"}\r\n', `{"method":"x","params":{"_meta":{"traceparent":${HERE}}}}\r\n`],
  ];
  for (const [how, before, after] of cases) {
    verifies('wrap.propagate', () => expect(annotate(before)).toBe(after), how);
  }

  verifies(
    'wrap.propagate',
    () => {
      const json = fc.json({ maxDepth: 4 }).map((text) => JSON.parse(text) as unknown);
      fc.assert(
        fc.property(
          fc.record({ id: fc.integer(), method: fc.string(), before: json, params: json, after: json }),
          fc.option(fc.dictionary(fc.string(), fc.jsonValue())),
          fc.nat({ max: 3 }),
          (message, meta, indent) => {
            const params =
              isObject(message.params) && meta !== null ? { ...message.params, _meta: meta } : message.params;
            const text = JSON.stringify({ ...message, params }, undefined, indent);
            const now = annotate(text);
            const read = JSON.parse(now) as { params?: { _meta?: Record<string, unknown> } };
            if (isObject(params) && (params['_meta'] === undefined || isObject(params['_meta']))) {
              expect(read.params?._meta?.['traceparent']).toBe(ADDED.traceparent);
              // without what was added it is the text that was sent
              const start = now.indexOf(HERE);
              expect(text.startsWith(now.slice(0, start).replace(/("_meta":\{)?"traceparent":$/, ''))).toBe(true);
            } else {
              expect(now).toBe(text);
            }
          },
        ),
        { numRuns: 500 },
      );
    },
    'any message, however it is written',
  );
});

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
