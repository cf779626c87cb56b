// What all three requests have in common: records under a scope under a resource, and attributes as words to search.
import { MAX_DEPTH } from './decode.ts';
import { TextCache } from './text-cache.ts';
import { DELIMITED, FIXED64, MalformedError, VARINT, WireReader } from './wire.ts';

/** Records of one resource and scope. Both are the bytes of their message, empty where they are left out. */
export interface Batch<T> {
  readonly resource: Buffer;
  readonly scope: Buffer;
  readonly records: readonly T[];
}

/** Keys and values in turn: what a record can be found by. */
export type Words = string[];

const MAX_WORDS = 512;
const MAX_WORD_LENGTH = 1_024;
const NOTHING: Buffer = Buffer.alloc(0);
const texts = new TextCache();

/**
 * Reads the records of a request. Nothing is handed out unless all of it can be read.
 *
 * @throws {MalformedError} bytes that are no such request.
 */
export function readBatches<T>(body: Buffer, read: (record: WireReader) => T): Batch<T>[] {
  const batches: Batch<T>[] = [];
  const request = new WireReader(body);
  while (request.next()) {
    if (request.is(1, DELIMITED)) readResource(request.message(), read, batches);
    else request.skip();
  }
  return batches;
}

function readResource<T>(reader: WireReader, read: (record: WireReader) => T, batches: Batch<T>[]): void {
  let resource: Buffer = NOTHING;
  const scopes: WireReader[] = [];
  while (reader.next()) {
    if (reader.is(1, DELIMITED)) resource = slice(reader);
    else if (reader.is(2, DELIMITED)) scopes.push(reader.message());
    else reader.skip();
  }
  for (const scoped of scopes) {
    let scope: Buffer = NOTHING;
    const records: T[] = [];
    while (scoped.next()) {
      if (scoped.is(1, DELIMITED)) scope = slice(scoped);
      else if (scoped.is(2, DELIMITED)) records.push(read(scoped.message()));
      else scoped.skip();
    }
    batches.push({ resource, scope, records });
  }
}

function slice(reader: WireReader): Buffer {
  const start = reader.range();
  return reader.bytes.subarray(start, reader.at);
}

/** The text of a delimited field; one string for all that are equal and short. */
export function sharedText(reader: WireReader): string {
  const start = reader.range();
  return texts.read(reader.bytes, start, reader.at);
}

/** Reads a KeyValue, and puts its key and value to the words; of lists and maps, each value. */
export function readAttribute(reader: WireReader, words: Words): void {
  let key = '';
  let value: WireReader | undefined;
  while (reader.next()) {
    if (reader.is(1, DELIMITED)) key = sharedText(reader);
    else if (reader.is(2, DELIMITED)) value = reader.message();
    else reader.skip();
  }
  if (value !== undefined) readValue(value, key, words, 0);
}

/** Reads an AnyValue, and puts it to the words under this key. */
export function readValue(reader: WireReader, key: string, words: Words, depth: number): void {
  if (depth > MAX_DEPTH) throw new MalformedError(`expected values nested at most ${MAX_DEPTH} deep`);
  while (reader.next()) {
    if (reader.is(1, DELIMITED)) put(words, key, sharedText(reader));
    else if (reader.is(2, VARINT)) put(words, key, reader.uint64() === 0n ? 'false' : 'true');
    else if (reader.is(3, VARINT)) put(words, key, wholeNumber(reader));
    else if (reader.is(4, FIXED64)) put(words, key, String(reader.double()));
    else if (reader.is(5, DELIMITED)) readList(reader.message(), key, words, depth);
    else if (reader.is(6, DELIMITED)) readMap(reader.message(), key, words, depth);
    else reader.skip();
  }
}

function readList(reader: WireReader, key: string, words: Words, depth: number): void {
  while (reader.next()) {
    if (reader.is(1, DELIMITED)) readValue(reader.message(), key, words, depth + 1);
    else reader.skip();
  }
}

function readMap(reader: WireReader, key: string, words: Words, depth: number): void {
  while (reader.next()) {
    if (!reader.is(1, DELIMITED)) {
      reader.skip();
      continue;
    }
    const entry = reader.message();
    let name = '';
    while (entry.next()) {
      if (entry.is(1, DELIMITED)) name = sharedText(entry);
      else if (entry.is(2, DELIMITED)) readValue(entry.message(), `${key}.${name}`, words, depth + 1);
      else entry.skip();
    }
  }
}

function put(words: Words, key: string, value: string): void {
  if (words.length >= MAX_WORDS * 2) return;
  words.push(key, value.length > MAX_WORD_LENGTH ? value.slice(0, MAX_WORD_LENGTH) : value);
}

function wholeNumber(reader: WireReader): string {
  let size = 0;
  while (size < 4 && (reader.bytes[reader.at + size] ?? 0) >= 0x80) size++;
  return size < 4 ? String(reader.uint32()) : BigInt.asIntN(64, reader.uint64()).toString();
}
