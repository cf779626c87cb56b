// Numbers on the command line: read, and said plainly where they are none.
import { UsageError } from './usage-error.ts';

interface Range {
  readonly above: number;
  readonly atMost: number;
  readonly whole?: boolean;
}

/** The number of an option; nothing where it is left out. @throws {UsageError} no number, or one out of range. */
export function numberOption(
  name: string,
  text: string | undefined,
  { above, atMost, whole = false }: Range,
): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > above && value <= atMost && (!whole || Number.isInteger(value))) return value;
  throw new UsageError(
    `${name} must be a ${whole ? 'whole ' : ''}number above ${above} and at most ${atMost}, got "${text}"`,
  );
}
