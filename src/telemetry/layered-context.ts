// A context with one value more than another: the API's own copies all values each time, which every call would pay for.
import type { Context } from '@opentelemetry/api';

// A context is derived from one derived from one, and so on: then all values are put together.
const MOST_LAYERS = 8;

/** This context with a value under a key. */
export function withValue(base: Context, key: symbol, value: unknown): Context {
  if (!(base instanceof LayeredContext)) return new LayeredContext(base, key, value, 1);
  if (base.key === key) return withValue(base.below, key, value);
  return base.layers < MOST_LAYERS
    ? new LayeredContext(base, key, value, base.layers + 1)
    : base.flat().setValue(key, value);
}

class LayeredContext implements Context {
  readonly below: Context;
  readonly key: symbol;
  readonly layers: number;
  readonly #value: unknown;

  constructor(below: Context, key: symbol, value: unknown, layers: number) {
    this.below = below;
    this.key = key;
    this.#value = value;
    this.layers = layers;
  }

  getValue(key: symbol): unknown {
    return key === this.key ? this.#value : this.below.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return withValue(this, key, value);
  }

  deleteValue(key: symbol): Context {
    return withValue(this, key, undefined);
  }

  /** The same values in a context of the API. */
  flat(): Context {
    const below = this.below instanceof LayeredContext ? this.below.flat() : this.below;
    return below.setValue(this.key, this.#value);
  }
}
