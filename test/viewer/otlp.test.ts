// Reading OTLP: held field by field against the encoders of OpenTelemetry, and against what the specification allows.
import { SpanKind, SpanStatusCode, ValueType, type Attributes, type HrTime } from '@opentelemetry/api';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { decodeMessage } from '../../src/viewer/otlp/decode.ts';
import { encodeMessage } from '../../src/viewer/otlp/encode.ts';
import { readLogs } from '../../src/viewer/otlp/read-logs.ts';
import { readSpans } from '../../src/viewer/otlp/read-spans.ts';
import { REQUESTS, type Signal } from '../../src/viewer/otlp/schema.ts';
import { MalformedError, WireReader } from '../../src/viewer/otlp/wire.ts';
import { verifies } from '../harness/verifies.ts';
import { spansBody } from './otlp-bodies.ts';

const hex = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 90 }), fc.constantFrom('tools/call', 'é', '日本語', '😀'));
const time = fc.tuple(
  fc.integer({ min: 0, max: 4e9 }),
  fc.integer({ min: 0, max: 999_999_999 }),
) as fc.Arbitrary<HrTime>;
const value = fc.oneof(
  text,
  fc.boolean(),
  fc.maxSafeInteger(),
  // of whole numbers beyond 2^53 the two encoders of OpenTelemetry make different things
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
  fc.array(text, { maxLength: 4 }),
);
const attributes = fc.dictionary(fc.string({ minLength: 1, maxLength: 30 }), value, {
  maxKeys: 8,
}) as fc.Arbitrary<Attributes>;
const count = fc.integer({ min: 0, max: 9_000 });

const span = fc.record({
  name: text,
  kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER),
  traceId: hex(16),
  spanId: hex(8),
  parentSpanId: fc.option(hex(8), { nil: undefined }),
  startTime: time,
  endTime: time,
  attributes,
  events: fc.array(fc.record({ name: text, time, attributes, droppedAttributesCount: count }), { maxLength: 3 }),
  links: fc.array(
    fc.record({ context: fc.record({ traceId: hex(16), spanId: hex(8), traceFlags: fc.constant(1) }), attributes }),
    {
      maxLength: 2,
    },
  ),
  status: fc.record({
    code: fc.constantFrom(SpanStatusCode.UNSET, SpanStatusCode.OK, SpanStatusCode.ERROR),
    message: fc.option(text, { nil: undefined }),
  }),
  droppedAttributesCount: count,
  droppedEventsCount: count,
  droppedLinksCount: count,
  resource: attributes.map((of) => resourceFromAttributes(of)),
  scope: fc.record({ name: text, version: text }),
});

type Made = typeof span extends fc.Arbitrary<infer T> ? T : never;

function readable({ traceId, spanId, parentSpanId, scope, ...rest }: Made): ReadableSpan {
  return {
    ...rest,
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    parentSpanContext: parentSpanId === undefined ? undefined : { traceId, spanId: parentSpanId, traceFlags: 1 },
    instrumentationScope: scope,
    duration: [0, 0],
    ended: true,
  } as unknown as ReadableSpan;
}

const decoded = (signal: Signal, body: Uint8Array) =>
  decodeMessage(REQUESTS[signal], new WireReader(Buffer.from(body)));
/** What OTLP/JSON says, as it is after our encoder, without what stands for nothing in protobuf. */
const through = (signal: Signal, json: Uint8Array) =>
  decoded(signal, encodeMessage(REQUESTS[signal], JSON.parse(Buffer.from(json).toString('utf8'))));
const bare = (message: unknown): unknown =>
  JSON.parse(
    JSON.stringify(message, (key, entry: unknown) => {
      const isNothing = entry === '' || entry === 0 || entry === '0' || entry === false;
      // the one of several values that is set says something also where it is empty
      return isNothing && !/Value$|^as|^values$/.test(key) && !Number.isInteger(Number(key)) ? undefined : entry;
    }),
  );

describe('OTLP', () => {
  verifies('receiver.protobuf', () => {
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 4 }), (made) => {
        const spans = made.map(readable);
        const protobuf = ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array();
        const json = JsonTraceSerializer.serializeRequest(spans) ?? new Uint8Array();
        expect(bare(decoded('traces', protobuf))).toEqual(bare(through('traces', json)));
        const read = readSpans(Buffer.from(protobuf)).flatMap(({ records }) => records);
        expect(new Set(read.map(({ name }) => name))).toEqual(
          new Set(made.map(({ name }) => Buffer.from(name).toString())),
        );
        for (const one of made) {
          const found = read.find(({ traceId, spanIdHigh, spanIdLow }) => {
            const id = spanIdHigh.toString(16).padStart(8, '0') + spanIdLow.toString(16).padStart(8, '0');
            return traceId === (/^0+$/.test(one.traceId) ? '' : one.traceId) && id === one.spanId;
          });
          expect(found?.kind).toBe(one.kind + 1);
          expect(found?.failed).toBe(one.status.code === SpanStatusCode.ERROR);
          const ns = (at: HrTime) => BigInt(at[0]) * 1_000_000_000n + BigInt(at[1]);
          const length = Number(ns(one.endTime) - ns(one.startTime));
          expect(found?.durationNs).toBe(Math.max(0, length));
        }
      }),
      { numRuns: 300 },
    );
  });

  verifies(
    'receiver.protobuf',
    () => {
      const log = fc.record({
        hrTime: time,
        hrTimeObserved: time,
        severityNumber: fc.integer({ min: 0, max: 24 }),
        severityText: text,
        body: value,
        attributes,
        eventName: text,
        droppedAttributesCount: count,
        spanContext: fc.option(fc.record({ traceId: hex(16), spanId: hex(8), traceFlags: fc.constant(1) }), {
          nil: undefined,
        }),
        resource: attributes.map((of) => resourceFromAttributes(of)),
        instrumentationScope: fc.record({ name: text }),
      });
      fc.assert(
        fc.property(fc.array(log, { minLength: 1, maxLength: 4 }), (made) => {
          const logs = made as unknown as ReadableLogRecord[];
          const protobuf = ProtobufLogsSerializer.serializeRequest(logs) ?? new Uint8Array();
          const json = JsonLogsSerializer.serializeRequest(logs) ?? new Uint8Array();
          expect(bare(decoded('logs', protobuf))).toEqual(bare(through('logs', json)));
          const read = readLogs(Buffer.from(protobuf)).flatMap(({ records }) => records);
          expect(read.map(({ severity }) => severity).toSorted()).toEqual(
            made.map(({ severityNumber }) => severityNumber).toSorted(),
          );
        }),
        { numRuns: 200 },
      );
    },
    'log records',
  );

  verifies(
    'receiver.protobuf',
    () => {
      const request = metricsOfEveryKind();
      const protobuf = ProtobufMetricsSerializer.serializeRequest(request) ?? new Uint8Array();
      const json = JsonMetricsSerializer.serializeRequest(request) ?? new Uint8Array();
      expect(bare(decoded('metrics', protobuf))).toEqual(bare(through('metrics', json)));
      expect(JSON.stringify(decoded('metrics', protobuf))).toContain('"scale":-2');
    },
    'metrics of every kind',
  );

  verifies('receiver.json', () => {
    const read = (json: object) => through('traces', Buffer.from(JSON.stringify(json)));
    const one = (more: object) => ({
      resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: 'AB'.repeat(16), ...more }] }] }],
    });
    const expected = read(one({ startTimeUnixNano: '1700000000000000001', kind: 2, droppedEventsCount: 3 }));
    expect(JSON.stringify(expected)).toContain(
      '"traceId":"abababababababababababababababab","startTimeUnixNano":"1700000000000000001","kind":2',
    );
    // names for enumerations, numbers as text, unknown fields, null for what is not there
    expect(
      read(
        one({
          startTimeUnixNano: '1700000000000000001',
          kind: 'SPAN_KIND_SERVER',
          droppedEventsCount: '3',
          parentSpanId: null,
          somethingNew: { deep: [1] },
          __proto__: { polluted: true },
        }),
      ),
    ).toEqual(expected);
    const big = { attributes: [{ key: 'n', value: { intValue: '-9223372036854775808' } }] };
    expect(JSON.stringify(read(one(big)))).toContain('"intValue":"-9223372036854775808"');
    expect(JSON.stringify(read(one({ attributes: [{ key: 'n', value: { intValue: 7 } }] })))).toContain(
      '"intValue":"7"',
    );
    expect(JSON.stringify(read(one({ attributes: [{ key: 'b', value: { bytesValue: 'AQI=' } }] })))).toContain(
      '"AQI="',
    );
    expect(JSON.stringify(read(one({ attributes: [{ key: 'd', value: { doubleValue: 'NaN' } }] })))).toContain('"NaN"');
  });

  verifies(
    'receiver.json',
    () => {
      const bad: [unknown, string][] = [
        [[], 'the body: expected an object, got a list'],
        ['x', 'the body: expected an object, got "x"'],
        [{ resourceSpans: {} }, 'resourceSpans: expected a list, got object'],
        [{ resourceSpans: [1] }, 'resourceSpans[0]: expected an object, got number'],
        [
          one({ traceId: 'xyz' }),
          'resourceSpans[0].scopeSpans[0].spans[0].traceId: expected hexadecimal digits, got "xyz"',
        ],
        [one({ name: 1 }), '.name: expected text, got number'],
        [one({ startTimeUnixNano: 'soon' }), '.startTimeUnixNano: expected a whole number, got "soon"'],
        [one({ kind: 'SPAN_KIND_NEW' }), '.kind: expected a whole number, got "SPAN_KIND_NEW"'],
        [one({ attributes: [{ key: 'd', value: { doubleValue: 'x' } }] }), '.doubleValue: expected a number, got "x"'],
      ];
      for (const [body, message] of bad) {
        expect(() => encodeMessage(REQUESTS.traces, body), JSON.stringify(body)).toThrow(MalformedError);
        expect(() => encodeMessage(REQUESTS.traces, body)).toThrow(message);
      }
      let nested: object = { stringValue: 'x' };
      for (let depth = 0; depth < 200; depth++) nested = { arrayValue: { values: [nested] } };
      expect(() => encodeMessage(REQUESTS.traces, one({ attributes: [{ key: 'k', value: nested }] }))).toThrow(
        /nested at most/,
      );
    },
    'and what it may not be is said with its place',
  );

  verifies(
    'receiver.protobuf',
    () => {
      const body = encodeMessage(REQUESTS.traces, spansBody([]));
      for (const bytes of [
        [0x0a, 0x05, 1],
        [0x0a],
        [0x00, 0x01],
        [0x0b],
        [0x0f],
        [0x08, ...Array<number>(11).fill(0xff)],
      ]) {
        expect(() => readSpans(Buffer.from(bytes)), bytes.join()).toThrow(MalformedError);
      }
      // fields of a later version, of every wire type, and known ones written in another way
      const later = [
        0x98,
        0x06,
        1,
        0x99,
        0x06,
        ...Array<number>(8).fill(1),
        0x9a,
        0x06,
        2,
        1,
        2,
        0x9d,
        0x06,
        1,
        2,
        3,
        4,
        0x08,
        5,
      ];
      expect(readSpans(Buffer.concat([Buffer.from(later), body]))).toHaveLength(1);
    },
    'and bytes that are none are refused',
  );
});

const one = (more: object) => ({ resourceSpans: [{ scopeSpans: [{ spans: [more] }] }] });

function metricsOfEveryKind(): ResourceMetrics {
  const descriptor = (name: string) => ({
    name,
    unit: 'ms',
    description: `of ${name}`,
    valueType: ValueType.DOUBLE,
    type: 'X',
    advice: {},
  });
  const point = <T>(of: T) => ({
    startTime: [1_700_000_000, 1] as HrTime,
    endTime: [1_700_000_060, 999_999_999] as HrTime,
    attributes: { tool: 'a', n: 3, ok: true },
    value: of,
  });
  const temporality = { aggregationTemporality: AggregationTemporality.DELTA };
  const buckets = { boundaries: [1, 5.5, 10], counts: [0, 7, 2, 1] };
  const exponential = {
    count: 20,
    sum: 11.5,
    scale: -2,
    zeroCount: 3,
    min: -4,
    max: 900,
    positive: { offset: -3, bucketCounts: [1, 0, 300, 2] },
    negative: { offset: 2, bucketCounts: [9] },
  };
  const metrics = [
    { descriptor: descriptor('gauge'), ...temporality, dataPointType: DataPointType.GAUGE, dataPoints: [point(-2.5)] },
    {
      descriptor: descriptor('sum'),
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: [point(12)],
    },
    {
      descriptor: descriptor('histogram'),
      ...temporality,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: [point({ buckets, sum: 42.25, count: 10, min: 0.5, max: 77 })],
    },
    {
      descriptor: descriptor('exponential'),
      ...temporality,
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
      dataPoints: [point(exponential)],
    },
  ] as unknown as MetricData[];
  return {
    resource: resourceFromAttributes({ 'service.name': 'x' }),
    scopeMetrics: [{ scope: { name: 'scope', version: '1' }, metrics }],
  };
}
