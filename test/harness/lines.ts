// The lines that stderr would get, for the time of one test.
import { onTestFinished } from 'vitest';
import { configureLogging, type LoggingOptions } from '../../src/index.ts';

/** One line of JSON. */
export interface Line {
  readonly timestamp: string;
  readonly event_type: string;
  readonly level: string;
  readonly message: string;
  readonly tool_name?: string;
  readonly user_id?: string;
  readonly request_id?: string;
  readonly extra_data?: Readonly<Record<string, unknown>>;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly service?: string;
  readonly session_id?: string;
}

/** Keeps every line from now on; what was set up is put back at the end of the test. */
export function keepLines(options: LoggingOptions = {}): string[] {
  const lines: string[] = [];
  onTestFinished(() => configureLogging({ level: 'warn', format: 'off', write: () => {}, redact: {} }));
  configureLogging({ format: 'json', write: (line) => void lines.push(line), ...options });
  return lines;
}

/** The lines as objects. */
export const parsed = (lines: readonly string[]): Line[] => lines.map((line) => JSON.parse(line) as Line);
