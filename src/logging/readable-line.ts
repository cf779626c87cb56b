// A record as a person at a terminal reads it. Nothing in it can move the cursor, recolour the screen or fake a second line.
import { ATTR_EXCEPTION_STACKTRACE } from '../telemetry/semconv.ts';
import { isoTime } from './json-line.ts';
import type { LogLevel } from './levels.ts';
import type { LogRecord } from './log-record.ts';

const COLOURS: Readonly<Record<LogLevel, 'dim' | 'cyan' | 'yellow' | 'red'>> = {
  debug: 'dim',
  info: 'cyan',
  warn: 'yellow',
  error: 'red',
};
const MAX_STACK_LINES = 12;
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

/** One line; where something was thrown, its stack on the lines below. No line break at the end. */
export function readableLine({ time, level, message, call, attributes, exception, span }: LogRecord): string {
  const parts = [
    isoTime(time).slice(11, 23),
    // loaded where it is used: importing it would take longer than all of this room
    process.getBuiltinModule('node:util').styleText(COLOURS[level], level.toUpperCase().padEnd(5), {
      stream: process.stderr,
    }),
    harmless(message),
  ];
  if (call?.toolName !== undefined) parts.push(`tool=${harmless(call.toolName)}`);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    parts.push(`${harmless(key)}=${harmless(typeof value === 'string' ? value : JSON.stringify(value))}`);
  }
  if (span !== undefined) parts.push(`trace=${span.traceId}`);
  const stack = exception?.[ATTR_EXCEPTION_STACKTRACE];
  if (typeof stack !== 'string') return parts.join(' ');
  const lines = stack.split(/\r?\n/).slice(0, MAX_STACK_LINES);
  return [parts.join(' '), ...lines.map((line) => `    ${harmless(line.trim())}`)].join('\n');
}

function harmless(text: string): string {
  return text.replaceAll(CONTROL, ' ');
}
