// Records to the Logs API of OpenTelemetry: that of `@opentelemetry/api` 1.10, or of `@opentelemetry/api-logs` beside an older
// one. Nothing is imported by name that 1.9 lacks.
import api, { type Attributes } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_GEN_AI_TOOL_CALL_ARGUMENTS,
  ATTR_GEN_AI_TOOL_CALL_RESULT,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_JSONRPC_REQUEST_ID,
  ATTR_MCP_METHOD_NAME,
  ATTR_MCP_SESSION_ID,
  ATTR_USER_HASH,
  ATTR_USER_ID,
} from '../telemetry/semconv.ts';
import {
  ATTR_TOOLSPAN_DURATION_MS,
  ATTR_TOOLSPAN_ERROR_CODE,
  ATTR_TOOLSPAN_INPUT_LENGTH,
  ATTR_TOOLSPAN_OUTCOME,
  ATTR_TOOLSPAN_RESULT_LENGTH,
  SCOPE_NAME,
} from '../telemetry/names.ts';
import type { Plain } from '../redaction/redactor.ts';
import { VERSION } from '../version.ts';
import { SEVERITY } from './levels.ts';
import type { LogRecord } from './log-record.ts';

/** What takes log records; a `Logger` of OpenTelemetry. */
interface Emitter {
  emit(record: object): void;
  enabled?(options: object): boolean;
}

/** A `LoggerProvider` of OpenTelemetry, as far as it is needed. */
export interface LogEmitterProvider {
  getLogger(name: string, version?: string): { emit(record: object): void };
  forceFlush?(): unknown;
}

interface LogsApi {
  getLoggerProvider(): LogEmitterProvider;
}

// The attributes of our own events, by their short names on stderr.
const EVENT_ATTRIBUTES: Readonly<Record<string, string>> = {
  arguments: ATTR_GEN_AI_TOOL_CALL_ARGUMENTS,
  duration_ms: ATTR_TOOLSPAN_DURATION_MS,
  error_code: ATTR_TOOLSPAN_ERROR_CODE,
  error_type: ATTR_ERROR_TYPE,
  input_length: ATTR_TOOLSPAN_INPUT_LENGTH,
  outcome: ATTR_TOOLSPAN_OUTCOME,
  result: ATTR_GEN_AI_TOOL_CALL_RESULT,
  result_length: ATTR_TOOLSPAN_RESULT_LENGTH,
};

const emitters = new WeakMap<LogEmitterProvider, Emitter>();
let logsApi: LogsApi | undefined | 'unknown' = 'unknown';

/**
 * Emits a record, where there is somebody to take it.
 *
 * @param given the provider to use instead of the global one.
 */
export function emitToOtel(record: LogRecord, given: LogEmitterProvider | undefined): void {
  if (logsApi === 'unknown') logsApi = findLogsApi(api, loadBesideThis);
  const provider = given ?? logsApi?.getLoggerProvider();
  if (provider === undefined) return;
  let emitter = emitters.get(provider);
  if (emitter === undefined) {
    emitter = provider.getLogger(SCOPE_NAME, VERSION);
    emitters.set(provider, emitter);
  }
  const severityNumber = SEVERITY[record.level];
  // a provider that keeps nothing says so at no cost; one that can flush asks again itself
  if (provider.forceFlush === undefined && emitter.enabled?.({ severityNumber }) === false) return;
  emitter.emit({
    timestamp: record.time,
    severityNumber,
    severityText: record.level.toUpperCase(),
    body: record.message,
    attributes: attributesOf(record),
    context: record.context,
    ...(record.eventType !== 'log' && {
      eventName: record.ofOurs ? `${SCOPE_NAME}.${record.eventType}` : record.eventType,
    }),
  });
}

function loadBesideThis(name: string): unknown {
  return process.getBuiltinModule('node:module').createRequire(import.meta.url)(name);
}

/** The Logs API of this application; undefined where it has none. */
export function findLogsApi(namespace: object, load: (name: string) => unknown): LogsApi | undefined {
  const { logs } = namespace as { logs?: LogsApi };
  if (logs !== undefined) return logs;
  try {
    return (load('@opentelemetry/api-logs') as { logs?: LogsApi }).logs;
  } catch {
    return undefined;
  }
}

function attributesOf({ call, attributes, exception, ofOurs }: LogRecord): Attributes {
  const all = (ofOurs ? renamed(attributes) : { ...attributes }) as Attributes;
  if (exception !== undefined) Object.assign(all, exception);
  if (call === undefined) return all;
  if (call.toolName === undefined) all[ATTR_MCP_METHOD_NAME] = call.method;
  else all[ATTR_GEN_AI_TOOL_NAME] = call.toolName;
  if (call.requestId !== undefined) all[ATTR_JSONRPC_REQUEST_ID] = call.requestId;
  if (call.sessionId !== undefined) all[ATTR_MCP_SESSION_ID] = call.sessionId;
  if (call.user !== undefined) all[call.user.hashed ? ATTR_USER_HASH : ATTR_USER_ID] = call.user.id;
  return all;
}

function renamed(attributes: LogRecord['attributes']): Record<string, Plain> {
  const all: Record<string, Plain> = {};
  for (const [key, value] of Object.entries(attributes ?? {})) all[EVENT_ATTRIBUTES[key] ?? key] = value;
  return all;
}
