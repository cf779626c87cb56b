// Writes the protobuf wire format into one growing buffer. https://protobuf.dev/programming-guides/encoding/
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

// the value of each hexadecimal digit, by its character
const NIBBLES = new Uint8Array(128);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  NIBBLES[digit.charCodeAt(0)] = value;
  NIBBLES[digit.toUpperCase().charCodeAt(0)] = value;
}

const SHORT_TEXT = 64;
const LONGEST_VARINT = 10;

/** A protobuf message being written. Lengths of nested messages are filled in when they are closed. */
export class ProtobufWriter {
  #bytes: Buffer;
  #at = 0;
  #seconds = Number.NaN;
  #lower = 0;
  #upper = 0;

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** How many bytes are written. */
  get length(): number {
    return this.#at;
  }

  /** What is written: a view that is valid until the next write. */
  view(from = 0): Uint8Array {
    return this.#bytes.subarray(from, this.#at);
  }

  /** Forgets what was written after this position. */
  rewind(to: number): void {
    this.#at = to;
  }

  /** Copies bytes that are a whole field or more. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A whole number. A negative one takes ten bytes, as in two's complement. */
  varint(field: number, value: number): void {
    this.#room(2 * LONGEST_VARINT);
    this.#key(field, VARINT);
    if (value >= 0 && value < 0x80) this.#bytes[this.#at++] = value;
    else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
  }

  double(field: number, value: number): void {
    this.#room(LONGEST_VARINT + 8);
    this.#key(field, FIXED64);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  fixed32(field: number, value: number): void {
    this.#room(LONGEST_VARINT + 4);
    this.#key(field, FIXED32);
    this.#fixed32(value);
  }

  /** `[seconds, nanoseconds]` as one 64-bit count of nanoseconds. */
  time(field: number, [seconds, nanos]: readonly [number, number]): void {
    this.#room(LONGEST_VARINT + 8);
    this.#key(field, FIXED64);
    if (seconds !== this.#seconds) this.#turnTo(seconds);
    const lower = this.#lower + nanos;
    const carried = lower >= 0x1_0000_0000;
    this.#fixed32(carried ? lower - 0x1_0000_0000 : lower);
    this.#fixed32(carried ? this.#upper + 1 : this.#upper);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#room(2 * LONGEST_VARINT + value.length);
    this.#key(field, DELIMITED);
    this.#length(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Hexadecimal digits as the bytes they stand for. */
  hex(field: number, digits: string): void {
    const { length } = digits;
    this.#room(LONGEST_VARINT + length);
    this.#key(field, DELIMITED);
    this.#length(length >>> 1);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let index = 0; index < length; index += 2) {
      const upper = NIBBLES[digits.charCodeAt(index)] as number;
      bytes[at++] = (upper << 4) | (NIBBLES[digits.charCodeAt(index + 1)] as number);
    }
    this.#at = at;
  }

  text(field: number, value: string): void {
    const { length } = value;
    this.#room(2 * LONGEST_VARINT + length * 3);
    this.#key(field, DELIMITED);
    // a native call costs more than a short loop does
    if (length <= SHORT_TEXT && this.#ascii(value)) return;
    const size = Buffer.byteLength(value);
    this.#length(size);
    this.#at += this.#bytes.write(value, this.#at, size, 'utf8');
  }

  /**
   * Begins a nested message; hand the answer to `close`.
   *
   * @param lengthBytes how many bytes its length will need, most likely.
   */
  open(field: number, lengthBytes = 1): number {
    this.#room(LONGEST_VARINT + lengthBytes);
    this.#key(field, DELIMITED);
    this.#at += lengthBytes;
    return this.#at;
  }

  /** Ends a nested message: writes its length before it, and moves it where the length needs another number of bytes. */
  close(start: number, lengthBytes = 1): void {
    const length = this.#at - start;
    const extra = varintSize(length) - lengthBytes;
    if (extra !== 0) {
      this.#room(extra);
      this.#bytes.copyWithin(start + extra, start, this.#at);
    }
    this.#at = start - lengthBytes;
    this.#length(length);
    this.#at += length;
  }

  // False where there is more than ASCII in it: then nothing is written.
  #ascii(value: string): boolean {
    const { length } = value;
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = length;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[at++] = code;
    }
    this.#at = at;
    return true;
  }

  // Most times are of the same second, whose nanoseconds are worked out once.
  #turnTo(seconds: number): void {
    // the product does not fit a double: 16 bits of the seconds at a time
    const upper = Math.floor(seconds / 0x1_0000) * 1e9;
    const lower = (seconds % 0x1_0000) * 1e9 + (upper % 0x1_0000) * 0x1_0000;
    this.#seconds = seconds;
    this.#lower = lower % 0x1_0000_0000;
    this.#upper = Math.floor(upper / 0x1_0000) + Math.floor(lower / 0x1_0000_0000);
  }

  #key(field: number, wireType: number): void {
    this.#length((field << 3) | wireType);
  }

  #length(value: number): void {
    let left = value;
    while (left > 0x7f) {
      this.#bytes[this.#at++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    this.#bytes[this.#at++] = left;
  }

  #bigVarint(value: bigint): void {
    let left = value;
    while (left > 0x7fn) {
      this.#bytes[this.#at++] = Number(left & 0x7fn) | 0x80;
      left >>= 7n;
    }
    this.#bytes[this.#at++] = Number(left);
  }

  #fixed32(value: number): void {
    const bytes = this.#bytes;
    bytes[this.#at++] = value & 0xff;
    bytes[this.#at++] = (value >>> 8) & 0xff;
    bytes[this.#at++] = (value >>> 16) & 0xff;
    bytes[this.#at++] = (value >>> 24) & 0xff;
  }

  #room(needed: number): void {
    if (this.#at + needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + needed));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let left = value >>> 7; left > 0; left >>>= 7) size++;
  return size;
}
