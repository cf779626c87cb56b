// A record as one line of JSON: the fields always in the same order, those without a value left out. The line holds no line
// break of any kind, and no character that a terminal would obey.
import { ATTR_EXCEPTION_MESSAGE, ATTR_EXCEPTION_STACKTRACE, ATTR_EXCEPTION_TYPE } from '../telemetry/semconv.ts';
import type { LogRecord } from './log-record.ts';

// JSON escapes the others by itself; the last two end a line for many a reader
const UNSAFE = /[\u007F-\u009F\u2028\u2029]/;
const EVERY_UNSAFE = new RegExp(UNSAFE.source, 'g');

const MAX_LOOKED_AT = 48;
const QUOTE = 34;
const BACKSLASH = 92;

let lastTime = Number.NaN;
let lastText = '';

/** One line, without the line break at its end. */
export function jsonLine(record: LogRecord, service: string | undefined): string {
  const { call, span, level, eventType } = record;
  let line = `{"timestamp":"${isoTime(record.time)}","event_type":${quoted(eventType)},"level":"${level}","message":${quoted(record.message)}`;
  if (call !== undefined) {
    if (call.toolName !== undefined) line += `,"tool_name":${quoted(call.toolName)}`;
    if (call.user !== undefined) line += `,"user_id":${quoted(call.user.id)}`;
    if (call.requestId !== undefined) line += `,"request_id":${quoted(call.requestId)}`;
  }
  const extra = extraData(record);
  if (extra !== undefined) line += `,"extra_data":${extra}`;
  if (span !== undefined) line += `,"trace_id":"${span.traceId}","span_id":"${span.spanId}"`;
  if (service !== undefined) line += `,"service":${quoted(service)}`;
  if (call?.sessionId !== undefined) line += `,"session_id":${quoted(call.sessionId)}`;
  return `${line}}`;
}

/** The time as ISO 8601 has it, in UTC. */
export function isoTime(time: number): string {
  if (time !== lastTime) {
    lastTime = time;
    lastText = new Date(time).toISOString();
  }
  return lastText;
}

function extraData({ attributes, exception }: LogRecord): string | undefined {
  if (exception === undefined) return attributes === undefined ? undefined : json(attributes);
  return json({
    ...attributes,
    exception: {
      type: exception[ATTR_EXCEPTION_TYPE],
      message: exception[ATTR_EXCEPTION_MESSAGE],
      stack: exception[ATTR_EXCEPTION_STACKTRACE],
    },
  });
}

// Most texts are short and plain: looking at each character is faster than JSON.stringify.
function quoted(text: string): string {
  if (text.length > MAX_LOOKED_AT) return json(text);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 32 || code > 126 || code === QUOTE || code === BACKSLASH) return json(text);
  }
  return `"${text}"`;
}

function json(value: unknown): string {
  const text = JSON.stringify(value);
  return UNSAFE.test(text) ? text.replaceAll(EVERY_UNSAFE, escaped) : text;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
