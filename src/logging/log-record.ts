// One log record on its way to the sinks: complete, redacted, and of bounded size.
import type { Attributes, Context, SpanContext } from '@opentelemetry/api';
import type { Plain } from '../redaction/redactor.ts';
import type { LogLevel } from './levels.ts';

/** What a sink is given. */
export interface LogRecord {
  /** Wall time, in ms since the epoch. */
  readonly time: number;
  /** `tool_start`, `tool_success`, `tool_error`, `request_error`, `logs_dropped`; `log` for what the logger was told. */
  readonly eventType: string;
  /** Whether toolspan made it of itself; false for what the logger was told. */
  readonly ofOurs: boolean;
  readonly level: LogLevel;
  readonly message: string;
  readonly call: CallFacts | undefined;
  /** What was logged with it. */
  readonly attributes: Readonly<Record<string, Plain>> | undefined;
  /** The `exception.*` attributes of what was thrown. */
  readonly exception: Attributes | undefined;
  /** The context it was logged in, and the span in that. */
  readonly context: Context;
  readonly span: SpanContext | undefined;
}

/** What is known of the call that a record belongs to. */
export interface CallFacts {
  readonly server: string | undefined;
  readonly method: string;
  readonly toolName: string | undefined;
  readonly requestId: string | undefined;
  readonly sessionId: string | undefined;
  readonly user: CallUser | undefined;
}

/** Who called, as far as it may be shown. */
export interface CallUser {
  readonly id: string;
  readonly hashed: boolean;
}
