// The log of one server: what it keeps of its calls, and what of it their clients are told.
import { trace, type Context } from '@opentelemetry/api';
import type { RunningCall } from '../context.ts';
import { cut } from '../redaction/cut.ts';
import type { Plain } from '../redaction/redactor.ts';
import { exceptionAttributes } from '../telemetry/exception.ts';
import { MAX_NAME } from '../telemetry/text.ts';
import type { ClientLogs, RequestReader } from './client-log.ts';
import type { Identity } from './identity.ts';
import { SEVERITY, type LogLevel, type LogThreshold } from './levels.ts';
import type { CallFacts } from './log-record.ts';
import type { LogEmitterProvider } from './otel-sink.ts';
import { pipeline } from './pipeline.ts';

/** How a server logs. */
export interface DoorLogOptions {
  readonly server: string;
  readonly level?: LogThreshold | undefined;
  readonly loggerProvider?: LogEmitterProvider | undefined;
  readonly identity?: Identity | undefined;
  readonly clientLogs?: ClientLogs | undefined;
  /** Of which tools arguments and results are captured: of none, all, or those named. @default false */
  readonly captureArguments?: Capture | undefined;
  readonly captureResults?: Capture | undefined;
  /** Whether the server has told its clients that it sends log messages. */
  readonly offersLogs: () => boolean;
}

/** A choice of tools: none, all, or those named. */
export type Capture = boolean | readonly string[];

/** Something that happened to a call. */
export interface CallEvent {
  readonly type: 'tool_start' | 'tool_success' | 'tool_error' | 'request_error';
  readonly level: LogLevel;
  readonly message: string;
  /** Plain and short: names, numbers, and what was captured. */
  readonly attributes: Readonly<Record<string, Plain>>;
  readonly thrown: { readonly value: unknown } | undefined;
}

/** The log of one server. */
export class DoorLog {
  readonly server: string;
  readonly loggerProvider: LogEmitterProvider | undefined;
  readonly identity: Identity;
  readonly clientLogs: ClientLogs;
  readonly captureArguments: Capture;
  readonly captureResults: Capture;
  readonly offersLogs: () => boolean;
  readonly #severity: number | undefined;

  constructor(options: DoorLogOptions) {
    const { server, level, loggerProvider, identity = 'dropped', clientLogs = 'events', offersLogs } = options;
    this.server = server;
    this.loggerProvider = loggerProvider;
    this.identity = identity;
    this.clientLogs = clientLogs;
    this.captureArguments = options.captureArguments ?? false;
    this.captureResults = options.captureResults ?? false;
    this.offersLogs = offersLogs;
    if (level !== undefined) {
      this.#severity = SEVERITY[level];
      pipeline.serverWants(this.#severity);
    }
    if (clientLogs === 'all') pipeline.clientMayWant(SEVERITY.debug);
  }

  /** The severity from which on records are kept. */
  get severity(): number {
    return this.#severity ?? pipeline.level;
  }

  /** Keeps an event, where its level is kept. */
  keep({ type, level, message, attributes, thrown }: CallEvent, call: RunningCall, context: Context): void {
    if (SEVERITY[level] < this.severity) return;
    pipeline.emit(
      {
        time: Date.now(),
        eventType: type,
        ofOurs: true,
        level,
        message,
        call: callFacts(call, this.server),
        attributes,
        exception: thrown === undefined ? undefined : exceptionAttributes(thrown.value),
        context,
        span: trace.getSpanContext(context),
      },
      this.loggerProvider,
    );
  }

  /** Tells the client of an event, where it wants to know. */
  tell({ type, level, message, attributes }: CallEvent, reader: RequestReader, context: Context): void {
    if (SEVERITY[level] < reader.severity || !reader.allows()) return;
    // what was captured stays here: the client has it
    const { arguments: _arguments, result: _result, ...data } = attributes;
    const span = trace.getSpanContext(context);
    reader.send(level, { event_type: type, message, ...data, ...(span && { trace_id: span.traceId }) });
  }
}

/** What a record says of the call it belongs to. */
export function callFacts(call: RunningCall, server: string | undefined): CallFacts {
  return {
    server,
    method: call.method,
    toolName: call.method === 'tools/call' && call.target !== undefined ? cut(call.target, MAX_NAME) : undefined,
    requestId: call.requestId === undefined ? undefined : cut(call.requestId, MAX_NAME),
    sessionId: call.sessionId === undefined ? undefined : cut(call.sessionId, MAX_NAME),
    user: call.user,
  };
}
