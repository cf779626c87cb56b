// Setting up the logging of a process, beside what the environment says.
import {
  checkOptions,
  functionRule,
  objectRule,
  oneOf,
  wholeNumber,
  type OptionRule,
  type OptionRules,
} from '../options.ts';
import { useRedaction } from '../redaction/current.ts';
import type { RedactionRules } from '../redaction/redactor.ts';
import { SEVERITY, type LogThreshold } from './levels.ts';
import { LOG_FORMATS, pipeline, type LogFormat } from './pipeline.ts';

/** Options of `configureLogging`. What is left out stays as it is. */
export interface LoggingOptions {
  /**
   * From which level on records are kept of servers that name no `logLevel` of their own, and outside of calls.
   *
   * @default `TOOLSPAN_LOG_LEVEL`, else 'warn'
   */
  readonly level?: LogThreshold | undefined;
  /**
   * How stderr gets records; `auto` is `readable` on a terminal and `json` elsewhere.
   *
   * @default `TOOLSPAN_LOG_FORMAT`, else 'auto'
   */
  readonly format?: LogFormat | undefined;
  /** Takes the lines instead of stderr; a line comes without its line break. @default stderr */
  readonly write?: ((line: string) => void) | undefined;
  /** What is redacted in logs, spans and error details beside the secrets that toolspan knows. @default nothing more */
  readonly redact?: RedactionRules | undefined;
}

/**
 * Sets up the logging of this process.
 *
 * @throws {TypeError} for an unknown option or one of the wrong type.
 * @throws {RangeError} for a level, format or limit that there is not.
 */
export function configureLogging(options: LoggingOptions): void {
  checkOptions<LoggingOptions>('configureLogging', options, RULES);
  const { level, format, write, redact } = options;
  checkOptions<RedactionRules>('configureLogging.redact', redact, REDACTION_RULES);
  if (level !== undefined) pipeline.setLevel(level);
  if (format !== undefined) pipeline.format = format;
  if (write !== undefined) pipeline.write = write;
  if (redact !== undefined) useRedaction(redact);
}

/** What a level may be. */
export const thresholdRule: OptionRule = oneOf(...Object.keys(SEVERITY));

const RULES: OptionRules<LoggingOptions> = {
  level: thresholdRule,
  format: oneOf(...LOG_FORMATS),
  write: functionRule,
  redact: objectRule,
};

const REDACTION_RULES: OptionRules<RedactionRules> = {
  keys: {
    allows: (value) => Array.isArray(value) && value.every((key) => typeof key === 'string' || key instanceof RegExp),
    expected: 'a list of strings and regular expressions',
  },
  values: {
    allows: (value) => Array.isArray(value) && value.every((form) => form instanceof RegExp),
    expected: 'a list of regular expressions',
  },
  keep: {
    allows: (value) => Array.isArray(value) && value.every((key) => typeof key === 'string'),
    expected: 'a list of strings',
  },
  maxDepth: wholeNumber(1, 20),
  maxEntries: wholeNumber(1, 10_000),
  maxText: wholeNumber(16, 65_536),
  maxTotal: wholeNumber(16, 1_048_576),
};
