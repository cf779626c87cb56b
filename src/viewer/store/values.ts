// Values of OTLP/JSON as plain JSON, cut to what a page can show. Pure.

/** A value as it is shown. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };
export type Attributes = Readonly<Record<string, Value>>;

const MAX_TEXT = 32 * 1_024;
const MAX_ATTRIBUTES = 512;
const MAX_ENTRIES = 512;
const BYTES_PER_TEXT = 24;
const BYTES_PER_OBJECT = 56;
const BYTES_PER_ENTRY = 24;

/** The objects of a list, `max` of them at most; none where it is no list. */
export function objects(value: unknown, max: number = Number.POSITIVE_INFINITY): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject).slice(0, max) : [];
}

/** A list of KeyValue as an object without a prototype, so that no key of a sender means anything. */
export function attributesOf(list: unknown): Attributes {
  const out: Record<string, Value> = Object.create(null) as Record<string, Value>;
  if (!Array.isArray(list)) return out;
  for (const entry of (list as unknown[]).slice(0, MAX_ATTRIBUTES)) {
    if (!isObject(entry)) continue;
    out[textOf(entry['key'])] = valueOf(entry['value']);
  }
  if (list.length > MAX_ATTRIBUTES) out['…'] = `${list.length - MAX_ATTRIBUTES} more attributes are not shown`;
  return out;
}

/** An AnyValue. Whole numbers that no double holds stay text. */
export function valueOf(value: unknown): Value {
  if (!isObject(value)) return null;
  if (typeof value['stringValue'] === 'string') return cut(value['stringValue']);
  if (typeof value['boolValue'] === 'boolean') return value['boolValue'];
  if (typeof value['intValue'] === 'string') {
    const number = Number(value['intValue']);
    return Number.isSafeInteger(number) ? number : value['intValue'];
  }
  const double = value['doubleValue'];
  if (typeof double === 'number' || typeof double === 'string') return double;
  if (isObject(value['arrayValue'])) return listOf(value['arrayValue']['values']);
  if (isObject(value['kvlistValue'])) return attributesOf(value['kvlistValue']['values']);
  if (typeof value['bytesValue'] === 'string') return cut(value['bytesValue']);
  return null;
}

/** One text for all attributes that are equal, in whatever order they come. */
export function keyOf(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** About how many bytes a value of JSON takes in memory. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return BYTES_PER_TEXT + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = BYTES_PER_OBJECT;
  for (const entry of Object.values(value)) bytes += BYTES_PER_ENTRY + sizeOf(entry);
  return bytes;
}

/** The value where it is text, else an empty one. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(values: unknown): Value[] {
  return Array.isArray(values) ? values.slice(0, MAX_ENTRIES).map(valueOf) : [];
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
}
