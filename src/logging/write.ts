// One thing that was logged, by whatever logger: made a record of, and handed to whoever reads it.
import { context, type Attributes } from '@opentelemetry/api';
import { runningCall, type RunningCall } from '../context.ts';
import { complainAboutFailure } from '../diagnostics.ts';
import { isError, messageOf, read } from '../errors/read.ts';
import { cut } from '../redaction/cut.ts';
import { redactor } from '../redaction/current.ts';
import type { Plain } from '../redaction/redactor.ts';
import { exceptionAttributes } from '../telemetry/exception.ts';
import { spanContextIn } from '../telemetry/span-context.ts';
import { RequestReader } from './client-log.ts';
import { callFacts, DoorLog } from './door-log.ts';
import { SEVERITY, type LogLevel } from './levels.ts';
import { emitToOtel } from './otel-sink.ts';
import { pipeline } from './pipeline.ts';

const MAX_EVENT_TYPE = 64;

/** What may be logged with a message. */
export type LogAttributes = Readonly<Record<string, unknown>>;

/**
 * Logs, where somebody reads this level. Never throws.
 *
 * @param base attributes of the logger itself, before those of the record.
 * @param toStderr false where another logger writes the line.
 */
export function write(
  level: LogLevel,
  message: unknown,
  attributes: LogAttributes | undefined,
  base: LogAttributes | undefined,
  toStderr = true,
): void {
  try {
    const call = runningCall();
    const { door, kept, reader } = readersOf(level, call);
    // another logger has a level of its own, and has decided by it
    const emitted = toStderr ? kept : !pipeline.disabled;
    if (!emitted && reader === undefined) return;
    const { data, exception, eventType } = contentOf(message, attributes, base);
    const active = context.active();
    const span = spanContextIn(active);
    const text = redactor().text(messageOf(message));
    if (emitted) {
      const record = {
        time: Date.now(),
        eventType,
        ofOurs: false,
        level,
        message: text,
        call: call === undefined ? undefined : callFacts(call, door?.server),
        attributes: data,
        exception,
        context: active,
        span,
      };
      if (toStderr) pipeline.emit(record, door?.loggerProvider);
      else emitToOtel(record, door?.loggerProvider);
    }
    if (reader?.allows() !== true) return;
    // what was logged with it does not stand in for it
    reader.send(level, { ...data, message: text, ...(span && { trace_id: span.traceId }) });
  } catch (error) {
    complainAboutFailure('logging', error);
  }
}

/** Whether somebody reads this level here, so that what is logged need not be worked out else. */
export function isRead(level: LogLevel): boolean {
  const { kept, reader } = readersOf(level, runningCall());
  return kept || reader !== undefined;
}

interface Readers {
  readonly door: DoorLog | undefined;
  /** Whether the sinks of the process keep it. */
  readonly kept: boolean;
  readonly reader: RequestReader | undefined;
}

function readersOf(level: LogLevel, call: RunningCall | undefined): Readers {
  const door = call?.log instanceof DoorLog ? call.log : undefined;
  const severity = SEVERITY[level];
  const kept = severity >= (door === undefined ? pipeline.outside : door.severity);
  const clientLog = door?.clientLogs === 'all' ? call?.clientLog : undefined;
  const reader = clientLog instanceof RequestReader && severity >= clientLog.severity ? clientLog : undefined;
  return { door, kept, reader };
}

interface Content {
  readonly data: { [key: string]: Plain } | undefined;
  readonly exception: Attributes | undefined;
  readonly eventType: string;
}

// An error among the attributes is what the record is about: its type, message and stack, not what its properties are.
function contentOf(message: unknown, attributes: LogAttributes | undefined, base: LogAttributes | undefined): Content {
  const data = attributesOf(attributes, base);
  let thrown = isError(message) ? message : undefined;
  let eventType = 'log';
  if (data !== undefined) {
    for (const key of ['error', 'err']) {
      const value = data[key] === undefined || thrown !== undefined ? undefined : read(attributes, key);
      if (!isError(value)) continue;
      thrown = value;
      delete data[key];
    }
    const named = data['event_type'];
    if (typeof named === 'string') {
      eventType = cut(named, MAX_EVENT_TYPE);
      delete data['event_type'];
    }
  }
  return { data, exception: thrown === undefined ? undefined : exceptionAttributes(thrown), eventType };
}

function attributesOf(
  own: LogAttributes | undefined,
  base: LogAttributes | undefined,
): Record<string, Plain> | undefined {
  if (base === undefined) return own === undefined ? undefined : redactor().record(own);
  return own === undefined ? redactor().record(base) : { ...redactor().record(base), ...redactor().record(own) };
}
