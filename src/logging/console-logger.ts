// The logger for code that logs as `console` does: on a stdio server console.log would break the protocol.
import { isError } from '../errors/read.ts';
import { SEVERITY, type LogLevel } from './levels.ts';
import { pipeline } from './pipeline.ts';
import { isRead, write, type LogAttributes } from './write.ts';

type Print = (...data: unknown[]) => void;

/** The methods of `console` that libraries take a logger for. */
export interface ConsoleLogger {
  readonly trace: Print;
  readonly debug: Print;
  readonly log: Print;
  readonly info: Print;
  readonly warn: Print;
  readonly error: Print;
}

/**
 * A logger with the methods of `console`, for libraries that want one, and for `const console = consoleLogger()`.
 *
 * @param attributes added to every record.
 */
export function consoleLogger(attributes?: LogAttributes): ConsoleLogger {
  const print =
    (level: LogLevel): Print =>
    (...data) => {
      if (SEVERITY[level] >= pipeline.floor && isRead(level)) write(level, format(data), errorOf(data), attributes);
    };
  const debug = print('debug');
  const info = print('info');
  return { trace: debug, debug, log: info, info, warn: print('warn'), error: print('error') };
}

function format(data: readonly unknown[]): string {
  try {
    if (data.length === 0) return '';
    const [first] = data;
    // the stack goes with the record
    const shown = data.map((value) => (isError(value) ? `${value.name}: ${value.message}` : value));
    // loaded where it is used: importing it would take longer than all of this room
    return process
      .getBuiltinModule('node:util')
      .formatWithOptions(
        { depth: 4, maxStringLength: 2_000, maxArrayLength: 50 },
        ...(typeof first === 'string' ? shown : ['%O', ...shown]),
      );
  } catch {
    return 'values that cannot be printed';
  }
}

function errorOf(data: readonly unknown[]): LogAttributes | undefined {
  const error = data.find(isError);
  return error === undefined ? undefined : { error };
}
