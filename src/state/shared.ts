// The one object that all of toolspan in a process shares, even two copies of this package: kept under a global symbol.

const KEY = Symbol.for('toolspan.state.v1');
const holder = globalThis as { [KEY]?: Map<string, unknown> };
const state = (holder[KEY] ??= new Map());

/**
 * A part of the shared state: made by whoever asks first.
 *
 * @param name tells the parts apart; its shape may only ever grow, since an older copy may have made it.
 */
export function shared<T>(name: string, make: () => T): T {
  if (!state.has(name)) state.set(name, make());
  return state.get(name) as T;
}
