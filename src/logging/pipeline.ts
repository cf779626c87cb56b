// Where records go, for the whole process: the level in force, OpenTelemetry, and the lines on stderr.
import { complainAboutFailure, complainOnce } from '../diagnostics.ts';
import { logFormatSetting, logLevelSetting, serviceNameSetting, telemetryDisabled } from '../settings.ts';
import { whenServerKnown } from '../state/servers.ts';
import { jsonLine } from './json-line.ts';
import { isThreshold, SEVERITY, type LogThreshold } from './levels.ts';
import type { LogRecord } from './log-record.ts';
import { emitToOtel, type LogEmitterProvider } from './otel-sink.ts';
import { readableLine } from './readable-line.ts';
import { writeToStderr } from './stderr.ts';

/** How stderr gets records: `auto` is `readable` on a terminal and `json` elsewhere. */
export type LogFormat = 'auto' | 'json' | 'readable' | 'off';

/** The formats. */
export const LOG_FORMATS: readonly LogFormat[] = ['auto', 'json', 'readable', 'off'];

/** What is in force in this process. */
class Pipeline {
  /** No record below this severity is wanted by anybody: the one thing to check before anything is built. */
  floor: number = SEVERITY.off;
  /** The severity from which on records are kept that belong to no call. */
  outside: number = SEVERITY.off;
  /** The severity from which on records are kept of a server that names no level of its own. */
  level: number;
  format: LogFormat;
  readonly disabled: boolean = telemetryDisabled();
  write: (line: string) => void = writeToStderr;
  /** `service` of the lines. */
  service: string | undefined = serviceNameSetting();
  #servers: number = SEVERITY.off;
  #clients: number = SEVERITY.off;

  constructor() {
    this.level = this.disabled ? SEVERITY.off : SEVERITY[levelOfEnvironment()];
    this.format = formatOfEnvironment();
    this.#settle();
    whenServerKnown(({ name }) => (this.service ??= name));
  }

  /** Sets the level of all that names none of its own. */
  setLevel(level: LogThreshold): void {
    if (!this.disabled) this.level = SEVERITY[level];
    this.#settle();
  }

  /** A server has a level of its own. What belongs to no call follows the server that wants most. */
  serverWants(severity: number): void {
    this.#servers = Math.min(this.#servers, severity);
    this.#settle();
  }

  /** A client may ask for records of this severity. */
  clientMayWant(severity: number): void {
    this.#clients = Math.min(this.#clients, severity);
    this.#settle();
  }

  #settle(): void {
    this.outside = Math.min(this.level, this.#servers);
    this.floor = Math.min(this.outside, this.#clients);
  }

  /** Hands a record to every sink of the process. Never throws. */
  emit(record: LogRecord, provider: LogEmitterProvider | undefined): void {
    try {
      emitToOtel(record, provider);
    } catch (error) {
      complainAboutFailure('sending a log record', error);
    }
    try {
      const format = this.format === 'auto' ? autoFormat() : this.format;
      if (format === 'json') this.write(jsonLine(record, this.service ?? record.call?.server));
      else if (format === 'readable') this.write(readableLine(record));
    } catch (error) {
      complainAboutFailure('writing a log line', error);
    }
  }
}

/** The pipeline of this process. */
export const pipeline: Pipeline = new Pipeline();

function autoFormat(): LogFormat {
  return process.stderr.isTTY ? 'readable' : 'json';
}

function levelOfEnvironment(): LogThreshold {
  const level = logLevelSetting();
  if (level === undefined) return 'warn';
  if (isThreshold(level)) return level;
  complainOnce(
    'log-level',
    `TOOLSPAN_LOG_LEVEL must be one of ${Object.keys(SEVERITY).join(', ')}, got "${level}"; "warn" is used.`,
  );
  return 'warn';
}

function formatOfEnvironment(): LogFormat {
  const format = logFormatSetting();
  if (format === undefined) return 'auto';
  const known = LOG_FORMATS.find((name) => name === format);
  if (known !== undefined) return known;
  complainOnce(
    'log-format',
    `TOOLSPAN_LOG_FORMAT must be one of ${LOG_FORMATS.join(', ')}, got "${format}"; "auto" is used.`,
  );
  return 'auto';
}
