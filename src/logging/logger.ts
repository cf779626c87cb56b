// The logger: what it is told goes to OpenTelemetry and stderr, joined to the call and the trace it was said in.
import { complainAboutFailure } from '../diagnostics.ts';
import { SEVERITY } from './levels.ts';
import { pipeline } from './pipeline.ts';
import { write, type LogAttributes } from './write.ts';

/**
 * Logs. An `error` among the attributes becomes the exception of the record, with its stack; an `event_type` its event type.
 * Secrets are redacted. No method throws or waits.
 */
export interface Logger {
  debug(message: string, attributes?: LogAttributes): void;
  info(message: string, attributes?: LogAttributes): void;
  warn(message: string, attributes?: LogAttributes): void;
  error(message: string, attributes?: LogAttributes): void;
  /** A logger that adds these attributes to everything it is told. */
  child(attributes: LogAttributes): Logger;
}

class AttributeLogger implements Logger {
  readonly #attributes: LogAttributes | undefined;

  constructor(attributes: LogAttributes | undefined) {
    this.#attributes = attributes;
  }

  debug(message: string, attributes?: LogAttributes): void {
    if (SEVERITY.debug >= pipeline.floor) write('debug', message, attributes, this.#attributes);
  }

  info(message: string, attributes?: LogAttributes): void {
    if (SEVERITY.info >= pipeline.floor) write('info', message, attributes, this.#attributes);
  }

  warn(message: string, attributes?: LogAttributes): void {
    if (SEVERITY.warn >= pipeline.floor) write('warn', message, attributes, this.#attributes);
  }

  error(message: string, attributes?: LogAttributes): void {
    if (SEVERITY.error >= pipeline.floor) write('error', message, attributes, this.#attributes);
  }

  child(attributes: LogAttributes): Logger {
    try {
      return new AttributeLogger({ ...this.#attributes, ...attributes });
    } catch (error) {
      complainAboutFailure('making a child logger', error);
      return this;
    }
  }
}

/** The logger of this process. Inside a call it knows the tool, the request, the session and the trace. */
export const logger: Logger = new AttributeLogger(undefined);
