// pino joined to the trace: the ids of the call in every line, and every line as an OpenTelemetry log record too. By pino's
// own options, without patching it and without a worker.
import { context } from '@opentelemetry/api';
import { runningCall } from '../context.ts';
import { complainAboutFailure, complainOnce } from '../diagnostics.ts';
import { isError, messageOf } from '../errors/read.ts';
import type { LogLevel } from '../logging/levels.ts';
import { write, type LogAttributes } from '../logging/write.ts';
import { isRecord } from '../protocol/message.ts';
import { spanContextIn } from '../telemetry/span-context.ts';

/** Options of pino, to be spread into one's own. */
export interface PinoOptions {
  /** The ids of the running call and its trace; `trace_id` and the like are named as OpenTelemetry wants them in text logs. */
  readonly mixin: () => object;
  readonly hooks: {
    /** Lets pino write, then sends what it wrote to OpenTelemetry, and to a client that asked for it. */
    readonly logMethod: (this: object, args: unknown[], method: (...args: never[]) => void, level: number) => void;
    /** Sees the line as pino has made it, and leaves it as it is. */
    readonly streamWrite: (line: string) => string;
  };
}

/** What pino writes for one call of a log method, which does all of it before it returns. */
interface Writing {
  line: string | undefined;
  ids: Readonly<Record<string, unknown>> | undefined;
}

// of the process, which OpenTelemetry has in the resource, or said by a record in a way of its own
const NOT_LOGGED: ReadonlySet<string> = new Set(['pid', 'hostname', 'level', 'time']);
const symbols = new Map<string, symbol>();
let writing: Writing | undefined;

/**
 * The options that join pino to the trace: `pino({ ...pinoOptions() }, pino.destination({ dest: 2, sync: true }))`.
 *
 * pino decides by its own level and writes its own lines; on a stdio server they must go to stderr, as above. What goes to
 * OpenTelemetry is what pino wrote, after its `redact`, `serializers`, `formatters` and bindings, redacted once more. Of a
 * pino before 9.6, which does not show what it writes, it is the messages alone.
 */
export function pinoOptions(): PinoOptions {
  return {
    mixin() {
      // a new one each time: pino adds to it what is logged
      const ids = idsOfCall();
      if (writing !== undefined) writing.ids = { ...ids };
      return ids;
    },
    hooks: {
      logMethod(args, method, level) {
        const around = writing;
        const own: Writing = { line: undefined, ids: undefined };
        writing = own;
        try {
          Reflect.apply(method, this, args);
        } finally {
          writing = around;
        }
        forward(this, args, level, own);
      },
      streamWrite(line) {
        if (writing !== undefined) writing.line = line;
        return line;
      },
    },
  };
}

function idsOfCall(): Record<string, unknown> {
  const span = spanContextIn(context.active());
  const call = runningCall();
  const { requestId, sessionId, user } = call ?? {};
  return {
    ...(span !== undefined && {
      trace_id: span.traceId,
      span_id: span.spanId,
      trace_flags: span.traceFlags.toString(16).padStart(2, '0'),
    }),
    ...(call?.method === 'tools/call' && call.target !== undefined && { tool_name: call.target }),
    ...(requestId !== undefined && { request_id: requestId }),
    ...(sessionId !== undefined && { session_id: sessionId }),
    ...(user !== undefined && { user_id: user.id }),
  };
}

// https://getpino.io/#/docs/api?id=logger-level: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal
function levelOf(level: number): LogLevel {
  if (level < 30) return 'debug';
  if (level < 40) return 'info';
  return level < 50 ? 'warn' : 'error';
}

function forward(logger: object, args: readonly unknown[], level: number, { line, ids = {} }: Writing): void {
  if (line === undefined) {
    complainOnce(
      'pino',
      'pino does not show what it writes, so only its messages become log records: please update to pino 9.6, and keep the hooks of pinoOptions() where you add your own.',
    );
  }
  try {
    const fields = fieldsOf(line);
    const messageKey = keyOf(logger, 'pino.messageKey', 'msg');
    // without the line the message alone: what else was logged may hold what pino was told to leave out
    const message = fields === undefined ? messageIn(args) : fields[messageKey];
    const attributes = fields && attributesOf(fields, messageKey, keyOf(logger, 'pino.errorKey', 'err'), ids);
    write(levelOf(level), typeof message === 'string' ? message : '', attributes, undefined, false);
  } catch (error) {
    complainAboutFailure('reading a line of pino', error);
  }
}

// pino's lines are JSON, but for a few things that nobody should log: a symbol for a message.
function fieldsOf(line: string | undefined): Record<string, unknown> | undefined {
  try {
    const fields: unknown = line === undefined ? undefined : JSON.parse(line);
    return isRecord(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
}

// What was logged with the message. A new object: one that loses its keys is slow from then on.
function attributesOf(
  fields: Readonly<Record<string, unknown>>,
  messageKey: string,
  errorKey: string,
  ids: Readonly<Record<string, unknown>>,
): LogAttributes {
  const attributes: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (key === messageKey || NOT_LOGGED.has(key) || ids[key] === value) continue;
    const error = key === errorKey ? errorOf(value) : undefined;
    attributes[error === undefined ? key : 'error'] = error ?? value;
  }
  return attributes;
}

// (message, ...values), or (object or error, message, ...values)
function messageIn([first, second]: readonly unknown[]): string {
  if (typeof first === 'string') return first;
  if (typeof second === 'string') return second;
  return isError(first) ? messageOf(first) : '';
}

// An error as pino's own serializer writes it; what another one makes of it is an attribute like any other.
function errorOf(written: unknown): Error | undefined {
  if (!isRecord(written)) return undefined;
  const { type, message, stack } = written;
  if (typeof type !== 'string' || typeof message !== 'string' || typeof stack !== 'string') return undefined;
  return Object.assign(new Error(message), { name: type, stack });
}

// pino keeps the names of its fields under symbols of its own, the same for all loggers of one copy.
function keyOf(logger: object, description: string, usual: string): string {
  let symbol = symbols.get(description);
  if (symbol === undefined || !(symbol in logger)) {
    for (let next: object | null = logger; next !== null; next = Object.getPrototypeOf(next) as object | null) {
      symbol = Object.getOwnPropertySymbols(next).find((one) => one.description === description);
      if (symbol !== undefined) break;
    }
    if (symbol === undefined) return usual;
    symbols.set(description, symbol);
  }
  const key = (logger as Record<symbol, unknown>)[symbol];
  return typeof key === 'string' ? key : usual;
}
