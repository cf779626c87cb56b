// Reads the protobuf wire format: keys, numbers and ranges of one message, never past its end.
// https://protobuf.dev/programming-guides/encoding/

/** What was sent is not what it says it is; the message tells the sender. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
export const FIXED32 = 5;

const WORD = 0x1_0000_0000;
const EMPTY = Buffer.alloc(0);

/** Reads the fields of one message in turn. After `next`, exactly one of the reading methods takes the value. */
export class WireReader {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
  /** The number of the field that `next` has found. */
  field = 0;
  wireType = 0;

  constructor(bytes: Buffer = EMPTY, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const key = this.uint32();
    this.field = key >>> 3;
    this.wireType = key & 7;
    if (this.field === 0) throw this.#malformed('a field number of 0');
    return true;
  }

  /** True where the field is this one, written in this way; a field written in another way is skipped as unknown. */
  is(field: number, wireType: number): boolean {
    return this.field === field && this.wireType === wireType;
  }

  /** A number of up to 32 bits; higher bits are dropped, as protobuf does. */
  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw this.#malformed('a number of more than 10 bytes');
  }

  /** A number of up to 64 bits. */
  uint64(): bigint {
    let low = 0;
    let high = 0;
    for (let index = 0; index < 10; index++) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (index * 7);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (index < 9) high |= bits << (index * 7 - 32);
      else high |= bits << 31;
      if (byte < 0x80) return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    }
    throw this.#malformed('a number of more than 10 bytes');
  }

  fixed32(): number {
    const at = this.#take(4);
    return this.bytes.readUInt32LE(at);
  }

  fixed64(): bigint {
    return this.bytes.readBigUInt64LE(this.#take(8));
  }

  /** The upper and lower half of a 64-bit number as one double: exact below 2^53. */
  fixed64Number(): number {
    const at = this.#take(8);
    return this.bytes.readUInt32LE(at) + this.bytes.readUInt32LE(at + 4) * WORD;
  }

  double(): number {
    return this.bytes.readDoubleLE(this.#take(8));
  }

  /** The length of a delimited field: its bytes are from the answer up to `at`, which is past it already. */
  range(): number {
    return this.#take(this.uint32());
  }

  /** Reads a delimited field as a message of its own. */
  message(): WireReader {
    const start = this.range();
    return new WireReader(this.bytes, start, this.at);
  }

  text(): string {
    const start = this.range();
    return this.bytes.toString('utf8', start, this.at);
  }

  /** Goes past the value of a field. */
  skip(): void {
    if (this.wireType === DELIMITED) this.range();
    else if (this.wireType === VARINT) this.uint32();
    else if (this.wireType === FIXED64) this.#take(8);
    else if (this.wireType === FIXED32) this.#take(4);
    else throw this.#malformed(`wire type ${this.wireType}, which OTLP does not have`);
  }

  #byte(): number {
    if (this.at >= this.end) throw this.#malformed('the end in the middle of a number');
    return this.bytes[this.at++] ?? 0;
  }

  #take(length: number): number {
    const start = this.at;
    if (length > this.end - start) throw this.#malformed(`a field of ${length} bytes that goes past its message`);
    this.at = start + length;
    return start;
  }

  #malformed(what: string): MalformedError {
    return new MalformedError(`expected an OTLP message in protobuf, got ${what} at byte ${this.at}`);
  }
}
