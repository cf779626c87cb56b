// Resources and scopes: many records have the same, which is kept once, known by its bytes.
import { decodeMessage, type Json } from '../otlp/decode.ts';
import { RESOURCE, SCOPE } from '../otlp/schema.ts';
import { WireReader } from '../otlp/wire.ts';
import { attributesOf, textOf, type Attributes } from './values.ts';

/** Who sent a record. */
export interface Resource {
  /** Unlike that of every other resource, also over a restart. */
  readonly key: string;
  readonly service: string;
  readonly attributes: Attributes;
  /** The message in the shape of OTLP/JSON. */
  readonly json: Json;
}

/** What of the sender made a record. */
export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly json: Json;
}

const MAX_KNOWN = 1_000;
const MAX_KEY_BYTES = 64 * 1_024;

/** Makes each resource and scope once; forgets the one that was asked for longest ago. */
export class Resources {
  readonly #resources = new Map<string, Resource>();
  readonly #scopes = new Map<string, Scope>();

  resource(bytes: Buffer): Resource {
    return known(this.#resources, bytes, (key) => {
      const json = decodeMessage(RESOURCE, new WireReader(bytes));
      const attributes = attributesOf(json['attributes']);
      return { key, service: textOf(attributes['service.name']) || 'unknown_service', attributes, json };
    });
  }

  scope(bytes: Buffer): Scope {
    return known(this.#scopes, bytes, () => {
      const json = decodeMessage(SCOPE, new WireReader(bytes));
      return { name: textOf(json['name']), version: textOf(json['version']), json };
    });
  }
}

function known<T>(map: Map<string, T>, bytes: Buffer, make: (key: string) => T): T {
  const key = bytes.toString('latin1', 0, Math.min(bytes.length, MAX_KEY_BYTES));
  const found = bytes.length > MAX_KEY_BYTES ? undefined : map.get(key);
  const value = found ?? make(key);
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_KNOWN && oldest !== undefined) map.delete(oldest);
  return value;
}
