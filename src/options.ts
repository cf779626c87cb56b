// Checking what callers pass in: every bad option is named at construction, with what was expected and what came.

/** What one option may be. */
export interface OptionRule {
  /** True for a value that is allowed. */
  readonly allows: (value: unknown) => boolean;
  /** Completes the sentence "option x must be ...". */
  readonly expected: string;
  /** `RangeError` where the type is right and only the value is not. */
  readonly outOfRange?: (value: unknown) => boolean;
}

/** The rules of the options of one function. */
export type OptionRules<O> = { readonly [K in keyof Required<O>]: OptionRule };

/** A string with something in it. */
export const nonEmptyString: OptionRule = {
  allows: (value) => typeof value === 'string' && value.trim() !== '',
  expected: 'a non-empty string',
};

/** `true` or `false`. */
export const boolean: OptionRule = { allows: (value) => typeof value === 'boolean', expected: 'true or false' };

/** A duration in milliseconds. */
export function durationMs(min: number, max: number = 2 ** 31 - 1): OptionRule {
  return {
    allows: (value) => typeof value === 'number' && value >= min && value <= max,
    expected: `a number of milliseconds from ${min} to ${max}`,
    outOfRange: (value) => typeof value === 'number',
  };
}

/** One of these words. */
export function oneOf(...words: readonly string[]): OptionRule {
  return {
    allows: (value) => typeof value === 'string' && words.includes(value),
    expected: `one of ${words.map((word) => `"${word}"`).join(', ')}`,
    outOfRange: (value) => typeof value === 'string',
  };
}

/** A whole number. */
export function wholeNumber(min: number, max: number): OptionRule {
  return {
    allows: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
    expected: `a whole number from ${min} to ${max}`,
    outOfRange: (value) => typeof value === 'number',
  };
}

/** A function. */
export const functionRule: OptionRule = { allows: (value) => typeof value === 'function', expected: 'a function' };

/** An object that is no list. */
export const objectRule: OptionRule = {
  allows: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  expected: 'an object',
};

/** An object that has these methods. */
export function objectWith(...methods: readonly string[]): OptionRule {
  return {
    allows: (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
    expected: `an object with ${methods.map((method) => `${method}()`).join(' and ')}`,
  };
}

/** A list of objects that have these methods. */
export function listOf(...methods: readonly string[]): OptionRule {
  const rule = objectWith(...methods);
  return {
    allows: (value) => Array.isArray(value) && value.every((entry) => rule.allows(entry)),
    expected: `a list; each entry ${rule.expected}`,
  };
}

/**
 * Checks the options given to a function.
 *
 * @param fn the name of the function, for the message.
 * @throws {TypeError} options that are no object, an option that does not exist, or one of the wrong type.
 * @throws {RangeError} an option of the right type with a value out of range.
 */
export function checkOptions<O extends object>(fn: string, options: O | undefined, rules: OptionRules<O>): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${fn}: options must be an object, got ${shown(options)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof O] : undefined;
    if (rule === undefined) {
      throw new TypeError(`${fn}: unknown option "${name}"; known options: ${Object.keys(rules).join(', ')}`);
    }
    if (value === undefined || rule.allows(value)) continue;
    const message = `${fn}: option "${name}" must be ${rule.expected}, got ${shown(value)}`;
    throw rule.outOfRange?.(value) === true ? new RangeError(message) : new TypeError(message);
  }
}

/** A value as an error message shows it: short, with its type. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `"${value.length > 60 ? `${value.slice(0, 60)}…` : value}" (string)`;
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'function') return 'a function';
  const primitive = value as number | bigint | boolean | symbol | undefined;
  return `${String(primitive)} (${typeof value})`;
}
