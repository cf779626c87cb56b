// How much the demo logs, unless the environment says so.
import type { LoggingOptions } from '../index.ts';

/** `info`, so that there is something to see; nothing where TOOLSPAN_LOG_LEVEL is set. */
export function logLevel(): LoggingOptions['level'] {
  return process.env['TOOLSPAN_LOG_LEVEL'] === undefined ? 'info' : undefined;
}
