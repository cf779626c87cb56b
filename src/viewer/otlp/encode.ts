// OTLP/JSON to protobuf, by the schema: what is stored has one form however it came. Unknown fields are dropped,
// enumerations are numbers or names, 64-bit numbers are text or numbers. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
import { ProtobufWriter } from '../../node/protobuf-writer.ts';
import { MAX_DEPTH } from './decode.ts';
import type { Field, Message, Scalar } from './schema.ts';
import { FIXED64, MalformedError, VARINT } from './wire.ts';

const HEX = /^([0-9a-f]{2})*$/i;
const INTEGER = /^-?\d{1,20}$/;
const NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/**
 * Writes a parsed JSON body as protobuf.
 *
 * @throws {MalformedError} a value of another type than its field's; names the place.
 */
export function encodeMessage(message: Message, value: unknown): Buffer {
  const writer = new ProtobufWriter(16 * 1_024);
  write(writer, message, value, '', 0);
  return Buffer.from(writer.view());
}

function write(writer: ProtobufWriter, message: Message, value: unknown, path: string, depth: number): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(path, 'an object', value);
  if (depth > MAX_DEPTH * 2) throw new MalformedError(`${path}: expected values nested at most ${MAX_DEPTH} deep`);
  for (const [name, entry] of Object.entries(value)) {
    const field = message.byName.get(name);
    // null is how some encoders write a field that is not there
    if (field === undefined || entry === null || entry === undefined) continue;
    const at = path === '' ? name : `${path}.${name}`;
    if (!field.repeated) {
      writeField(writer, field, entry, at, depth);
      continue;
    }
    if (!Array.isArray(entry)) throw malformed(at, 'a list', entry);
    for (let index = 0; index < entry.length; index++)
      writeField(writer, field, entry[index], `${at}[${index}]`, depth);
  }
}

function writeField(writer: ProtobufWriter, field: Field, value: unknown, path: string, depth: number): void {
  const { number, type } = field;
  if (typeof type === 'function') {
    const start = writer.open(number);
    write(writer, type(), value, path, depth + 1);
    writer.close(start);
  } else if (typeof type === 'string') writeScalar(writer, number, type, value, path);
  else writer.varint(number, enumeration(type, value, path));
}

function writeScalar(writer: ProtobufWriter, number: number, type: Scalar, value: unknown, path: string): void {
  switch (type) {
    case 'string':
      if (typeof value !== 'string') throw malformed(path, 'text', value);
      return writer.text(number, value);
    case 'id':
      if (typeof value !== 'string' || !HEX.test(value)) throw malformed(path, 'hexadecimal digits', value);
      return writer.hex(number, value.toLowerCase());
    case 'bytes':
      if (typeof value !== 'string') throw malformed(path, 'base64', value);
      return writer.bytes(number, Buffer.from(value, 'base64'));
    case 'bool':
      if (typeof value !== 'boolean') throw malformed(path, 'true or false', value);
      return writer.varint(number, value ? 1 : 0);
    case 'double':
      return writer.double(number, double(value, path));
    case 'uint32':
      return writer.varint(number, Number(BigInt.asUintN(32, integer(value, path))));
    case 'fixed32':
      return writer.fixed32(number, Number(BigInt.asUintN(32, integer(value, path))));
    case 'sint32': {
      const signed = Number(BigInt.asIntN(32, integer(value, path)));
      return writer.varint(number, ((signed << 1) ^ (signed >> 31)) >>> 0);
    }
    case 'int64':
    case 'uint64':
      return writer.raw(varint64(number, integer(value, path)));
    case 'fixed64':
    case 'sfixed64':
      return writer.raw(fixed64(number, integer(value, path)));
    default:
      return type satisfies never;
  }
}

function enumeration(names: readonly string[], value: unknown, path: string): number {
  const known = typeof value === 'string' ? names.indexOf(value) : -1;
  return known >= 0 ? known : Number(BigInt.asIntN(32, integer(value, path)));
}

function double(value: unknown, path: string): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') throw malformed(path, 'a number', value);
  const number = NUMBERS[value] ?? Number(value);
  if (Number.isNaN(number) && value !== 'NaN') throw malformed(path, 'a number', value);
  return number;
}

function integer(value: unknown, path: string): bigint {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && INTEGER.test(value)) return BigInt(value);
  throw malformed(path, 'a whole number', value);
}

function key(number: number, wireType: number): number[] {
  const value = (number << 3) | wireType;
  return value > 0x7f ? [(value & 0x7f) | 0x80, value >>> 7] : [value];
}

function varint64(number: number, value: bigint): Uint8Array {
  const bytes = key(number, VARINT);
  let left = BigInt.asUintN(64, value);
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  bytes.push(Number(left));
  return Uint8Array.from(bytes);
}

function fixed64(number: number, value: bigint): Uint8Array {
  const lead = key(number, FIXED64);
  const bytes = Buffer.alloc(lead.length + 8);
  bytes.set(lead);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value), lead.length);
  return bytes;
}

function malformed(path: string, expected: string, got: unknown): MalformedError {
  const shown = typeof got === 'string' ? `"${got.slice(0, 40)}"` : Array.isArray(got) ? 'a list' : typeof got;
  return new MalformedError(`${path === '' ? 'the body' : path}: expected ${expected}, got ${shown}`);
}
