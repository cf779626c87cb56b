// pino joined to the trace: the ids of the call in every line, and every line as an OpenTelemetry log record too. By pino's
// own options, without patching it and without a worker.
import { format } from 'node:util';
import { context, isSpanContextValid, trace } from '@opentelemetry/api';
import { runningCalls } from '../context.ts';
import { isError, messageOf } from '../errors/read.ts';
import type { LogLevel } from '../logging/levels.ts';
import { write, type LogAttributes } from '../logging/write.ts';

/** Options of pino, to be spread into one's own. */
export interface PinoOptions {
  /** The ids of the running call and its trace; `trace_id` and the like are named as OpenTelemetry wants them in text logs. */
  readonly mixin: () => object;
  readonly hooks: {
    /** Sends what is logged to OpenTelemetry, and to a client that asked for it, before pino writes it. */
    readonly logMethod: (this: object, args: unknown[], method: (...args: never[]) => void, level: number) => void;
  };
}

// of the process, not of the record: OpenTelemetry has them in the resource
const OF_PROCESS: ReadonlySet<string> = new Set(['pid', 'hostname']);
const NOTHING = {};
const bindings = new WeakMap<object, LogAttributes>();

/**
 * The options that join pino to the trace: `pino({ ...pinoOptions() }, pino.destination({ dest: 2, sync: true }))`.
 *
 * pino decides by its own level and writes its own lines; on a stdio server they must go to stderr, as above. What goes to
 * OpenTelemetry is redacted, what pino writes is up to pino's `redact`.
 */
export function pinoOptions(): PinoOptions {
  return {
    mixin: idsOfCall,
    hooks: {
      logMethod(args, method, level) {
        write(levelOf(level), messageIn(args), attributesIn(args), bindingsOf(this), false);
        Reflect.apply(method, this, args);
      },
    },
  };
}

function idsOfCall(): object {
  const span = trace.getSpanContext(context.active());
  const call = runningCalls.getStore();
  if (span === undefined && call === undefined) return NOTHING;
  const { requestId, sessionId, user } = call ?? {};
  return {
    ...(span !== undefined &&
      isSpanContextValid(span) && {
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

// (message, ...values), or (object or error, message, ...values)
function messageIn(args: readonly unknown[]): string {
  const [first, ...rest] = args;
  if (typeof first === 'string') return rest.length === 0 ? first : format(first, ...rest);
  if (typeof rest[0] === 'string') return rest.length === 1 ? rest[0] : format(...rest);
  return isError(first) ? messageOf(first) : '';
}

function attributesIn([first]: readonly unknown[]): LogAttributes | undefined {
  if (isError(first)) return { error: first };
  return typeof first === 'object' && first !== null ? (first as LogAttributes) : undefined;
}

// Reading them means parsing JSON: once for each logger.
function bindingsOf(logger: object): LogAttributes | undefined {
  const known = bindings.get(logger);
  if (known !== undefined) return known;
  const { bindings: read } = logger as { bindings?: () => Record<string, unknown> };
  if (typeof read !== 'function') return undefined;
  const own = Object.fromEntries(Object.entries(read.call(logger)).filter(([key]) => !OF_PROCESS.has(key)));
  bindings.set(logger, own);
  return own;
}
