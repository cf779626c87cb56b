// Resources and scopes: many records have the same, which is kept once, known by a hash of its bytes.
import { hash } from 'node:crypto';
import { decodeMessage, type Json } from '../otlp/decode.ts';
import { RESOURCE, SCOPE } from '../otlp/schema.ts';
import { WireReader } from '../otlp/wire.ts';
import { attributesOf, sizeOf, textOf, type Attributes } from './values.ts';

/** Who sent a record. */
export interface Resource {
  /** Unlike that of every other resource, also over a restart. */
  readonly key: string;
  readonly service: string;
  readonly attributes: Attributes;
  /** The message in the shape of OTLP/JSON. */
  readonly json: Json;
  /** About how many it holds. */
  readonly bytes: number;
}

/** What of the sender made a record. */
export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly json: Json;
  readonly bytes: number;
}

const MAX_KNOWN = 1_000;

/** Makes each resource and scope once; forgets the one that was asked for longest ago. */
export class Resources {
  readonly #resources = new Known<Resource>();
  readonly #scopes = new Known<Scope>();

  /** About how many bytes are held for those that may come again. */
  get bytes(): number {
    return this.#resources.bytes + this.#scopes.bytes;
  }

  resource(bytes: Buffer): Resource {
    return this.#resources.of(bytes, (key) => {
      const json = decodeMessage(RESOURCE, new WireReader(bytes));
      const attributes = attributesOf(json['attributes']);
      const service = textOf(attributes['service.name']) || 'unknown_service';
      return { key, service, attributes, json, bytes: sizeOf(json) + sizeOf(attributes) };
    });
  }

  scope(bytes: Buffer): Scope {
    return this.#scopes.of(bytes, () => {
      const json = decodeMessage(SCOPE, new WireReader(bytes));
      return { name: textOf(json['name']), version: textOf(json['version']), json, bytes: sizeOf(json) };
    });
  }

  /** Forgets those that were asked for longest ago until no more than this is held; what uses them still has them. */
  shrink(maxBytes: number): void {
    this.#resources.shrink(maxBytes / 2);
    this.#scopes.shrink(maxBytes / 2);
  }
}

class Known<T extends { readonly bytes: number }> {
  readonly #values = new Map<string, T>();
  bytes = 0;

  of(bytes: Buffer, make: (key: string) => T): T {
    const key = hash('sha256', bytes, 'base64url');
    const found = this.#values.get(key);
    const value = found ?? make(key);
    if (found === undefined) this.bytes += value.bytes;
    else this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > MAX_KNOWN) this.#forgetOldest();
    return value;
  }

  shrink(maxBytes: number): void {
    while (this.bytes > maxBytes) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const [oldest] = this.#values;
    if (oldest === undefined) return;
    this.#values.delete(oldest[0]);
    this.bytes -= oldest[1].bytes;
  }
}
