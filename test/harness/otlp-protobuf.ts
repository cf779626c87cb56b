// Reads OTLP protobuf into the shape of OTLP/JSON, so that tests look at both in one way.
// Field numbers: https://github.com/open-telemetry/opentelemetry-proto/tree/v1.9.0/opentelemetry/proto

type Scalar = 'text' | 'hex' | 'int' | 'int64' | 'bool' | 'fixed32' | 'fixed64' | 'sfixed64' | 'double';
type Field = readonly [name: string, type: Scalar | (() => Message), repeated?: 'repeated'];
type Message = Readonly<Record<number, Field>>;

const keyValue = (): Message => ({ 1: ['key', 'text'], 2: ['value', anyValue] });
const anyValue = (): Message => ({
  1: ['stringValue', 'text'],
  2: ['boolValue', 'bool'],
  3: ['intValue', 'int64'],
  4: ['doubleValue', 'double'],
  5: ['arrayValue', () => ({ 1: ['values', anyValue, 'repeated'] })],
  6: ['kvlistValue', () => ({ 1: ['values', keyValue, 'repeated'] })],
  7: ['bytesValue', 'hex'],
});
const resource = (): Message => ({ 1: ['attributes', keyValue, 'repeated'] });
const scope = (): Message => ({ 1: ['name', 'text'], 2: ['version', 'text'], 3: ['attributes', keyValue, 'repeated'] });

const span = (): Message => ({
  1: ['traceId', 'hex'],
  2: ['spanId', 'hex'],
  3: ['traceState', 'text'],
  4: ['parentSpanId', 'hex'],
  5: ['name', 'text'],
  6: ['kind', 'int'],
  7: ['startTimeUnixNano', 'fixed64'],
  8: ['endTimeUnixNano', 'fixed64'],
  9: ['attributes', keyValue, 'repeated'],
  10: ['droppedAttributesCount', 'int'],
  11: [
    'events',
    () => ({ 1: ['timeUnixNano', 'fixed64'], 2: ['name', 'text'], 3: ['attributes', keyValue, 'repeated'] }),
    'repeated',
  ],
  13: [
    'links',
    () => ({ 1: ['traceId', 'hex'], 2: ['spanId', 'hex'], 4: ['attributes', keyValue, 'repeated'] }),
    'repeated',
  ],
  15: ['status', () => ({ 2: ['message', 'text'], 3: ['code', 'int'] })],
  16: ['flags', 'fixed32'],
});

const points = (value: Message) => (): Message => ({
  1: [
    'dataPoints',
    () => ({ 2: ['startTimeUnixNano', 'fixed64'], 3: ['timeUnixNano', 'fixed64'], ...value }),
    'repeated',
  ],
  2: ['aggregationTemporality', 'int'],
  3: ['isMonotonic', 'bool'],
});
const numbers = points({
  7: ['attributes', keyValue, 'repeated'],
  4: ['asDouble', 'double'],
  6: ['asInt', 'sfixed64'],
});
const histograms = points({
  9: ['attributes', keyValue, 'repeated'],
  4: ['count', 'fixed64'],
  5: ['sum', 'double'],
  11: ['min', 'double'],
  12: ['max', 'double'],
});
const metric = (): Message => ({
  1: ['name', 'text'],
  2: ['description', 'text'],
  3: ['unit', 'text'],
  5: ['gauge', numbers],
  7: ['sum', numbers],
  9: ['histogram', histograms],
});

const logRecord = (): Message => ({
  1: ['timeUnixNano', 'fixed64'],
  2: ['severityNumber', 'int'],
  3: ['severityText', 'text'],
  5: ['body', anyValue],
  6: ['attributes', keyValue, 'repeated'],
  9: ['traceId', 'hex'],
  10: ['spanId', 'hex'],
  12: ['eventName', 'text'],
});

// resource, then scope, then items: the three requests differ in names only
const request = (resources: string, scopes: string, items: string, item: () => Message): Message => ({
  1: [
    resources,
    () => ({
      1: ['resource', resource],
      2: [scopes, () => ({ 1: ['scope', scope], 2: [items, item, 'repeated'], 3: ['schemaUrl', 'text'] }), 'repeated'],
    }),
    'repeated',
  ],
});

const REQUESTS = {
  traces: request('resourceSpans', 'scopeSpans', 'spans', span),
  metrics: request('resourceMetrics', 'scopeMetrics', 'metrics', metric),
  logs: request('resourceLogs', 'scopeLogs', 'logRecords', logRecord),
};

/** The body of one export request, in the shape of OTLP/JSON. */
export function readOtlp(signal: keyof typeof REQUESTS, body: Uint8Array): unknown {
  return read(REQUESTS[signal], Buffer.from(body));
}

function read(message: Message, bytes: Buffer): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    if (at + length > bytes.length) throw new RangeError(`field of ${length} bytes at ${at} of ${bytes.length}`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const wireType = key & 7;
    const raw = wireType === 0 ? varint() : take(wireType === 1 ? 8 : wireType === 5 ? 4 : Number(varint()));
    const field = message[key >> 3];
    if (field === undefined) continue;
    const [name, type, repeated] = field;
    const value = typeof type === 'function' ? read(type(), raw as Buffer) : scalar(type, raw);
    if (repeated === undefined) out[name] = value;
    else ((out[name] ??= []) as unknown[]).push(value);
  }
  return out;
}

function scalar(type: Scalar, raw: Buffer | bigint): unknown {
  if (typeof raw === 'bigint') {
    if (type === 'bool') return raw !== 0n;
    return type === 'int64' ? BigInt.asIntN(64, raw).toString() : Number(raw);
  }
  switch (type) {
    case 'text':
      return raw.toString('utf8');
    case 'hex':
      return raw.toString('hex');
    case 'fixed32':
      return raw.readUInt32LE();
    case 'double':
      return raw.readDoubleLE();
    case 'sfixed64':
      return raw.readBigInt64LE().toString();
    default:
      return raw.readBigUInt64LE().toString();
  }
}
