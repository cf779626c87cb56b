// The error that a tool throws to say precisely what went wrong. Recognised by its brand, so that two copies of this package
// in one process understand each other. Pure.
import { boolean, checkOptions, objectRule, shown, type OptionRules } from '../options.ts';
import { ERROR_CODES, isErrorCode, type ErrorCode } from './error-code.ts';

/** What else a `ToolError` says. */
export interface ToolErrorOptions {
  /** Facts that the caller may see, for example which field is wrong. They go to the client: no secrets, no internals. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the same call may succeed later. @default what is usual for the code */
  readonly retryable?: boolean | undefined;
  /** When to call again, in ms from now. */
  readonly retryAfterMs?: number | undefined;
  /** What led to it; goes to the span and the log, never to the client. */
  readonly cause?: unknown;
}

const OPTION_RULES: OptionRules<ToolErrorOptions> = {
  details: objectRule,
  retryable: boolean,
  retryAfterMs: {
    allows: (value) => Number.isFinite(value) && Number(value) >= 0,
    expected: 'a number of milliseconds from 0',
    outOfRange: (value) => typeof value === 'number',
  },
  cause: { allows: () => true, expected: 'anything' },
};

const BRAND = Symbol.for('toolspan.tool-error.v1');

/** A failure with a code. Its message and details are what the client sees. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** @internal */
  readonly [BRAND] = true;

  /**
   * @param code one of the closed set; see `ErrorCode`.
   * @param message one sentence for the agent that called.
   * @throws {TypeError} for an unknown code, or a message, `details` or `retryable` of the wrong type.
   * @throws {RangeError} for a `retryAfterMs` that is negative or not finite.
   */
  constructor(code: ErrorCode, message: string, options: ToolErrorOptions = {}) {
    checked(code, message, options);
    const { details, retryable, retryAfterMs, cause } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
    this.retryable = retryable ?? ERROR_CODES[code].retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Whether a value is a `ToolError`, of this or another copy of the package. Never throws. */
export function isToolError(value: unknown): value is ToolError {
  try {
    return typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
  } catch {
    return false;
  }
}

function checked(code: unknown, message: unknown, options: ToolErrorOptions): void {
  if (!isErrorCode(code)) {
    throw new TypeError(`ToolError: code must be one of ${Object.keys(ERROR_CODES).join(', ')}, got ${shown(code)}`);
  }
  if (typeof message !== 'string') throw new TypeError(`ToolError: message must be a string, got ${shown(message)}`);
  checkOptions<ToolErrorOptions>('ToolError', options, OPTION_RULES);
}
