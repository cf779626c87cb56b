// The options that all policies share, and rules for what they may be.
import {
  checkOptions,
  functionRule,
  nonEmptyString,
  objectWith,
  shown,
  type OptionRule,
  type OptionRules,
} from '../options.ts';
import { systemClock, type Clock, type Random } from './clock.ts';

/** Options of every policy. All have a default. */
export interface CommonOptions {
  /**
   * The name of the policy in telemetry, health and messages. The same name with the same options is the same policy.
   *
   * @default none: the policy is in no telemetry
   */
  readonly name?: string | undefined;
  /** Where time comes from. @default the clock of this process */
  readonly clock?: Clock | undefined;
  /** Where chance comes from: numbers from 0 up to 1. @default Math.random */
  readonly random?: Random | undefined;
}

/** Time and chance of a policy. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
}

/** What the shared options may be. */
export const COMMON_RULES: OptionRules<CommonOptions> = {
  name: nonEmptyString,
  clock: objectWith('now', 'setTimeout', 'clearTimeout'),
  random: functionRule,
};

/** Time and chance, with the defaults filled in. */
export function surroundings({ clock = systemClock, random = Math.random }: CommonOptions): Surroundings {
  return { clock, random };
}

/** A number, whole or not. */
export function numberFrom(min: number, max: number): OptionRule {
  return {
    allows: (value) => typeof value === 'number' && value >= min && value <= max,
    expected: `a number from ${min} to ${max}`,
    outOfRange: (value) => typeof value === 'number',
  };
}

/** What another rule allows, or `false`. */
export function orFalse(rule: OptionRule): OptionRule {
  return { ...rule, allows: (value) => value === false || rule.allows(value), expected: `${rule.expected}, or false` };
}

/** Anything at all. */
export const anything: OptionRule = { allows: () => true, expected: 'anything' };

/**
 * Checks options of which some must be there.
 *
 * @throws {TypeError | RangeError} as `checkOptions`, and a TypeError for a required option that is missing.
 */
export function checkWithRequired<O extends object>(
  fn: string,
  options: O,
  rules: OptionRules<O>,
  required: keyof O & string,
): void {
  checkOptions<O>(fn, options ?? {}, rules);
  if (options?.[required] !== undefined) return;
  throw new TypeError(`${fn}: option "${required}" must be ${rules[required].expected}, got ${shown(undefined)}`);
}
