// Protobuf to the shape of OTLP/JSON, by the schema: for everything that is read now and then, not on arrival.
import type { Field, Message, Scalar } from './schema.ts';
import { DELIMITED, FIXED32, FIXED64, MalformedError, VARINT, type WireReader } from './wire.ts';

/** A message in the shape of OTLP/JSON: 64-bit numbers are decimal text, ids are hexadecimal. */
export type Json = { [name: string]: unknown };

/** How deep values may nest; a deeper one is malformed, so that no sender exhausts the stack. */
export const MAX_DEPTH = 32;

const WIRE_TYPES: Readonly<Record<Scalar, number>> = {
  string: DELIMITED,
  id: DELIMITED,
  bytes: DELIMITED,
  bool: VARINT,
  uint32: VARINT,
  sint32: VARINT,
  int64: VARINT,
  uint64: VARINT,
  fixed32: FIXED32,
  fixed64: FIXED64,
  sfixed64: FIXED64,
  double: FIXED64,
};

/**
 * Reads one message.
 *
 * @throws {MalformedError} bytes that are no such message.
 */
export function decodeMessage(message: Message, reader: WireReader, depth = 0): Json {
  // a key of a sender never reaches this object, only names of the schema do
  const out: Json = {};
  if (depth > MAX_DEPTH * 2) throw new MalformedError(`expected values nested at most ${MAX_DEPTH} deep`);
  while (reader.next()) {
    const field = message.byNumber[reader.field];
    if (field === undefined) reader.skip();
    else if (!readField(out, field, reader, depth)) reader.skip();
  }
  return out;
}

function readField(out: Json, field: Field, reader: WireReader, depth: number): boolean {
  const { name, type, repeated } = field;
  if (typeof type === 'function') {
    if (reader.wireType !== DELIMITED) return false;
    put(out, name, repeated, decodeMessage(type(), reader.message(), depth + 1));
    return true;
  }
  const scalar = isScalar(type) ? type : 'uint32';
  const wireType = WIRE_TYPES[scalar];
  if (reader.wireType === wireType) {
    put(out, name, repeated, read(scalar, reader));
    return true;
  }
  // a list of numbers comes as one field, or as one field each
  if (!repeated || reader.wireType !== DELIMITED) return false;
  const packed = reader.message();
  while (packed.at < packed.end) put(out, name, repeated, read(scalar, packed));
  return true;
}

function isScalar(type: Scalar | readonly string[]): type is Scalar {
  return typeof type === 'string';
}

function put(out: Json, name: string, repeated: boolean, value: unknown): void {
  if (!repeated) out[name] = value;
  else if (Array.isArray(out[name])) out[name].push(value);
  else out[name] = [value];
}

function read(type: Scalar, reader: WireReader): unknown {
  switch (type) {
    case 'string':
      return reader.text();
    case 'id':
    case 'bytes': {
      const start = reader.range();
      return reader.bytes.toString(type === 'id' ? 'hex' : 'base64', start, reader.at);
    }
    case 'bool':
      return reader.uint64() !== 0n;
    case 'uint32':
      return reader.uint32();
    case 'sint32': {
      const zigzag = reader.uint32();
      return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    case 'int64':
      return BigInt.asIntN(64, reader.uint64()).toString();
    case 'uint64':
      return reader.uint64().toString();
    case 'fixed32':
      return reader.fixed32();
    case 'fixed64':
      return reader.fixed64().toString();
    case 'sfixed64':
      return BigInt.asIntN(64, reader.fixed64()).toString();
    case 'double': {
      const value = reader.double();
      // JSON has no such numbers; protobuf's JSON mapping has their names
      return Number.isFinite(value) ? value : String(value);
    }
    default:
      return type satisfies never;
  }
}
