// Where things stand in a JSON text, by byte: so that one member can be changed and every other byte stays as it was sent, big
// integers, duplicate keys and spaces included. The text must be valid JSON. Pure.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** A part of a text, from its first byte to behind its last. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** One change of a text; an insertion where `from` equals `to`. */
export interface Edit extends Range {
  readonly text: string;
}

/** An object in a text: where the values of the wanted members stand, in order. */
export interface ObjectBytes extends Range {
  readonly isEmpty: boolean;
  /** The values of a member; more than one where the key is there twice. */
  all(key: string): readonly Range[];
  /** The value that counts for most readers: the last one. */
  last(key: string): Range | undefined;
}

/** Whether the value that begins here is an object. */
export function isObjectAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === OPEN_OBJECT;
}

/** Whether the value that begins here is an array. */
export function isArrayAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === OPEN_ARRAY;
}

/** The object that begins at this byte. */
export function objectAt(bytes: Buffer, at: number): ObjectBytes {
  const members: { key: string; value: Range }[] = [];
  let next = spaceEnd(bytes, at + 1);
  while (next < bytes.length && bytes[next] !== CLOSE_OBJECT) {
    const keyEnd = stringEnd(bytes, next);
    const key = stringOf(bytes, next, keyEnd);
    const from = spaceEnd(bytes, afterByte(bytes, keyEnd, COLON));
    const to = valueEnd(bytes, from);
    members.push({ key, value: { from, to } });
    next = spaceEnd(bytes, to);
    if (bytes[next] === COMMA) next = spaceEnd(bytes, next + 1);
  }
  const all = (key: string) => members.filter((member) => member.key === key).map(({ value }) => value);
  return { from: at, to: next + 1, isEmpty: members.length === 0, all, last: (key) => all(key).at(-1) };
}

/** The elements of the array that begins at this byte. */
export function elementsAt(bytes: Buffer, at: number): Range[] {
  const elements: Range[] = [];
  let next = spaceEnd(bytes, at + 1);
  while (next < bytes.length && bytes[next] !== CLOSE_ARRAY) {
    const to = valueEnd(bytes, next);
    elements.push({ from: next, to });
    next = spaceEnd(bytes, to);
    if (bytes[next] === COMMA) next = spaceEnd(bytes, next + 1);
  }
  return elements;
}

/** The first byte that is no space, at or behind this one; a mark of the byte order before all is none of the text. */
export function spaceEnd(bytes: Buffer, at: number): number {
  let next = at === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : at;
  while (next < bytes.length && isSpace(bytes[next])) next++;
  return next;
}

/** The text with these changes, which must not overlap. */
export function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { from, to, text } of edits.toSorted((a, b) => a.from - b.from)) {
    parts.push(bytes.subarray(at, from), Buffer.from(text));
    at = to;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function afterByte(bytes: Buffer, at: number, wanted: number): number {
  const found = bytes.indexOf(wanted, at);
  return found < 0 ? bytes.length : found + 1;
}

// Behind the closing quote of the string that begins here.
function stringEnd(bytes: Buffer, at: number): number {
  let next = at + 1;
  while (next < bytes.length && bytes[next] !== QUOTE) next += bytes[next] === BACKSLASH ? 2 : 1;
  return next + 1;
}

function stringOf(bytes: Buffer, from: number, to: number): string {
  const inside = bytes.subarray(from + 1, to - 1);
  // a key may be written with escapes
  return inside.includes(BACKSLASH)
    ? (JSON.parse(bytes.subarray(from, to).toString('utf8')) as string)
    : inside.toString('utf8');
}

function valueEnd(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return stringEnd(bytes, at);
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) return wordEnd(bytes, at);
  let depth = 0;
  for (let next = at; next < bytes.length; next++) {
    const byte = bytes[next];
    if (byte === QUOTE) next = stringEnd(bytes, next) - 1;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth--;
      if (depth === 0) return next + 1;
    }
  }
  return bytes.length;
}

function wordEnd(bytes: Buffer, at: number): number {
  let next = at;
  while (next < bytes.length) {
    const byte = bytes[next];
    if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY || isSpace(byte)) break;
    next++;
  }
  return next;
}
