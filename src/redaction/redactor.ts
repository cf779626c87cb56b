// What may leave the process of any value: a plain copy of bounded size without secrets. Pure; never throws.
import { cut } from './cut.ts';
import { nameSecret, wordsOf } from './secret-keys.ts';
import { REDACTED, withoutSecrets } from './secret-text.ts';

/** What is redacted beside the secrets that toolspan knows, and how much of a value is kept. All have a default. */
export interface RedactionRules {
  /**
   * Keys whose values are secrets. A string stands for all spellings of one name: `customerId` for `customer_id` and
   * `Customer-ID` too. @default none
   */
  readonly keys?: readonly (string | RegExp)[] | undefined;
  /** Forms of secrets inside text; every match is replaced. They should take linear time. @default none */
  readonly values?: readonly RegExp[] | undefined;
  /** Keys that are not secrets although they look so, by name as in `keys`. @default none */
  readonly keep?: readonly string[] | undefined;
  /** How deep objects are followed. @default 6 */
  readonly maxDepth?: number | undefined;
  /** How many entries of one object or list are kept. @default 100 */
  readonly maxEntries?: number | undefined;
  /** Longest text of one value, in characters. @default 2_048 */
  readonly maxText?: number | undefined;
  /** Longest text of all values together, in characters. @default 16_384 */
  readonly maxTotal?: number | undefined;
}

/** What JSON can say. */
export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

const MAX_NODES = 2_000;
// longer text is cut before it is searched, so that no secret can hide across the later cut
const MAX_SEARCHED = 65_536;
const MAX_KEY = 128;
const MAX_CLEAN = 100;
const MAX_REMEMBERED = 1_000;
const TRUNCATED = '[TRUNCATED]';

/** What was found out of a key. */
interface Key {
  readonly secret: boolean;
  /** The key as it may be shown. */
  readonly name: string;
}

interface Budget {
  text: number;
  nodes: number;
}

/** Makes plain copies by one set of rules. */
export class Redactor {
  readonly #names: ReadonlySet<string>;
  readonly #keyPatterns: readonly RegExp[];
  readonly #valuePatterns: readonly RegExp[];
  readonly #kept: ReadonlySet<string>;
  readonly #remembered = new Map<string, Key>();
  // the same messages are logged again and again; what holds a secret is never kept
  readonly #clean = new Set<string>();
  readonly #maxDepth: number;
  readonly #maxEntries: number;
  readonly #maxText: number;
  readonly #maxTotal: number;

  constructor(rules: RedactionRules = {}) {
    const { keys = [], values = [], keep = [] } = rules;
    this.#names = new Set(keys.filter((key) => typeof key === 'string').map(nameOf));
    // a sticky or global pattern remembers where it was
    this.#keyPatterns = keys.filter((key) => key instanceof RegExp).map((key) => withFlags(key, false));
    this.#valuePatterns = values.map((value) => withFlags(value, true));
    this.#kept = new Set(keep.map(nameOf));
    this.#maxDepth = rules.maxDepth ?? 6;
    this.#maxEntries = rules.maxEntries ?? 100;
    this.#maxText = rules.maxText ?? 2_048;
    this.#maxTotal = rules.maxTotal ?? 16_384;
  }

  /** Whether what stands under this key is a secret by its name. */
  isSecret(key: string): boolean {
    return this.#key(key).secret;
  }

  /** The text without secrets, cut to `max` characters. */
  text(text: string, max: number = this.#maxText): string {
    if (text.length > MAX_CLEAN) return this.#searched(text, max);
    if (this.#clean.has(text)) return cut(text, max);
    const result = this.#searched(text, max);
    if (result === text) {
      if (this.#clean.size >= MAX_REMEMBERED) this.#clean.clear();
      this.#clean.add(text);
    }
    return result;
  }

  #searched(text: string, max: number): string {
    let result = withoutSecrets(text.length > MAX_SEARCHED ? text.slice(0, MAX_SEARCHED) : text);
    for (const pattern of this.#valuePatterns) {
      result = result.replace(pattern, (match) => (match === '' ? '' : REDACTED));
    }
    return cut(result, max);
  }

  /** A plain copy of an object's own properties. */
  record(value: object): { [key: string]: Plain } {
    try {
      return typeof value === 'object' ? this.#object(value, [], { text: this.#maxTotal, nodes: MAX_NODES }) : {};
    } catch {
      return {};
    }
  }

  /** A plain copy of anything. */
  value(value: unknown): Plain {
    return this.#copy(value, [], { text: this.#maxTotal, nodes: MAX_NODES });
  }

  #copy(value: unknown, above: readonly object[], budget: Budget): Plain {
    if (typeof value === 'string') return this.#spend(value, budget);
    if (typeof value === 'object' && value !== null) {
      try {
        return this.#structure(value, above, budget);
      } catch {
        return '[unreadable]';
      }
    }
    if (typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (typeof value === 'number' || typeof value === 'bigint') return this.#spend(`${value}`, budget);
    if (typeof value === 'symbol') return this.#spend(value.toString(), budget);
    return typeof value === 'function' ? '[function]' : null;
  }

  #structure(value: object, above: readonly object[], budget: Budget): Plain {
    if (above.includes(value)) return '[circular]';
    if (above.length >= this.#maxDepth || budget.nodes <= 0 || budget.text <= 0) return TRUNCATED;
    if (Array.isArray(value)) return this.#list(value, above, budget);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      const special = this.#special(value, above, budget);
      if (special !== undefined) return special;
    }
    return this.#object(value, above, budget);
  }

  // Objects that would look empty, or too large, by their properties.
  #special(value: object, above: readonly object[], budget: Budget): Plain | undefined {
    if (value instanceof Error) return this.#spend(`${value.name}: ${value.message}`, budget);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[binary, ${value.byteLength} bytes]`;
    if (value instanceof Map) return this.#object(fromEntries(value, this.#maxEntries), above, budget);
    if (value instanceof Set) return this.#list(fromValues(value, this.#maxEntries), above, budget);
    if (value instanceof RegExp) return this.#spend(String(value), budget);
    const { [Symbol.toStringTag]: tag, toJSON } = value as { [Symbol.toStringTag]?: unknown; toJSON?: unknown };
    // by its tag: to name the class would load all of fetch
    if (tag === 'Headers') return this.#object(fromEntries(value as Headers, this.#maxEntries), above, budget);
    if (typeof toJSON !== 'function') return undefined;
    const json: unknown = toJSON.call(value);
    // what says the same of itself again would do so for ever
    return typeof json === 'object' && json !== null
      ? this.#plainOf(json, [...above, value], budget)
      : this.#copy(json, above, budget);
  }

  #plainOf(value: object, above: readonly object[], budget: Budget): Plain {
    if (above.length > this.#maxDepth) return TRUNCATED;
    return Array.isArray(value) ? this.#list(value, above, budget) : this.#object(value, above, budget);
  }

  #list(list: readonly unknown[], above: readonly object[], budget: Budget): Plain[] {
    const copy: Plain[] = [];
    const inside = [...above, list];
    for (let index = 0; index < list.length; index++) {
      if (index >= this.#maxEntries || --budget.nodes <= 0 || budget.text <= 0) {
        copy.push(`[${list.length - index} more]`);
        break;
      }
      copy.push(this.#copy(list[index], inside, budget));
    }
    return copy;
  }

  #object(object: object, above: readonly object[], budget: Budget): { [key: string]: Plain } {
    const copy: { [key: string]: Plain } = {};
    const inside = [...above, object];
    const keys = Object.keys(object);
    let kept = 0;
    for (const key of keys) {
      if (kept >= this.#maxEntries || --budget.nodes <= 0 || budget.text <= 0) {
        copy[TRUNCATED] = `${keys.length - kept} more`;
        break;
      }
      kept++;
      this.#property(copy, object, key, inside, budget);
    }
    return copy;
  }

  #property(
    copy: { [key: string]: Plain },
    object: object,
    key: string,
    inside: readonly object[],
    budget: Budget,
  ): void {
    let value: unknown;
    try {
      value = (object as Record<string, unknown>)[key];
    } catch {
      value = '[unreadable]';
    }
    if (value === undefined) return;
    const { secret, name } = this.#key(key);
    budget.text -= name.length;
    // a yes or no, or nothing, gives no secret away
    const hidden = secret && typeof value !== 'boolean' && value !== null;
    const plain = hidden ? REDACTED : this.#copy(value, inside, budget);
    if (name === '__proto__') Object.defineProperty(copy, name, { value: plain, enumerable: true });
    else copy[name] = plain;
  }

  #key(key: string): Key {
    const there = this.#remembered.get(key);
    if (there !== undefined) return there;
    const words = wordsOf(key);
    const name = words.join(' ');
    const secret =
      !this.#kept.has(name) &&
      (nameSecret(words) || this.#names.has(name) || this.#keyPatterns.some((pattern) => pattern.test(cut(key, 256))));
    const found = { secret, name: this.text(key, MAX_KEY) };
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    if (key.length <= MAX_KEY) this.#remembered.set(key, found);
    return found;
  }

  #spend(text: string, budget: Budget): string {
    const kept = this.text(text, Math.max(1, Math.min(this.#maxText, budget.text)));
    budget.text -= kept.length;
    return kept;
  }
}

function nameOf(key: string): string {
  return wordsOf(key).join(' ');
}

function withFlags(pattern: RegExp, all: boolean): RegExp {
  return new RegExp(pattern.source, `${pattern.flags.replaceAll(/[gy]/g, '')}${all ? 'g' : ''}`);
}

function fromValues(values: Iterable<unknown>, max: number): unknown[] {
  const list: unknown[] = [];
  for (const value of values) {
    if (list.length > max) break;
    list.push(value);
  }
  return list;
}

function fromEntries(entries: Iterable<readonly [unknown, unknown]>, max: number): Record<string, unknown> {
  const object = Object.create(null) as Record<string, unknown>;
  let count = 0;
  for (const [key, value] of entries) {
    if (count++ > max) break;
    object[typeof key === 'string' ? key : String(key)] = value;
  }
  return object;
}
