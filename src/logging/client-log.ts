// The client as a reader of log records: `notifications/message`, at the level it asked for, so many a second and no more.
import type { RequestMessage } from '../protocol/message.ts';
import { metaOf } from '../protocol/meta.ts';
import type { Plain } from '../redaction/redactor.ts';
import type { Clock } from '../telemetry/clock.ts';
import { mcpLevel, mcpSeverity, SEVERITY, type LogLevel } from './levels.ts';
import { RateLimit } from './rate-limit.ts';

/** Sends a message to the client, past everything that observes. */
export type SendToClient = (message: object, options: { readonly relatedRequestId: string | number }) => unknown;

/** https://modelcontextprotocol.io/specification/2026-07-28: the level that a single request asks for. */
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
const BURST = 50;
const PER_SECOND = 20;

/**
 * What a client may be sent of a server's log.
 *
 * - `off`: nothing.
 * - `events`: that its calls start, succeed and fail, with durations and codes: nothing that could tell of internals.
 * - `all`: what the logger is told too, redacted; never a stack.
 */
export type ClientLogs = 'off' | 'events' | 'all';

/** What a server says of its log to the client. */
interface Offer {
  /** Whether it has told its clients that it sends log messages. */
  offersLogs(): boolean;
}

/** The choices. */
export const CLIENT_LOGS: readonly ClientLogs[] = ['off', 'events', 'all'];

/** The client of one connection. It gets nothing until it has asked. */
export class ClientLog {
  readonly #offer: Offer;
  readonly #send: SendToClient;
  readonly #clock: Clock;
  #limit: RateLimit | undefined;
  #sessionSeverity: number = SEVERITY.off;

  constructor(offer: Offer, send: SendToClient, clock: Clock) {
    this.#offer = offer;
    this.#send = send;
    this.#clock = clock;
  }

  /**
   * The client as a reader of what one request logs; undefined where it has not asked for anything. A level set for the
   * session holds from the next request on, one that comes in `_meta` for its request alone.
   */
  readerOf({ id: request, method, params }: RequestMessage): RequestReader | undefined {
    if (method === 'logging/setLevel') {
      this.#sessionSeverity = mcpSeverity(params?.['level']) ?? this.#sessionSeverity;
      return undefined;
    }
    const asked = metaOf(params)?.[LOG_LEVEL];
    const severity = asked === undefined ? this.#sessionSeverity : (mcpSeverity(asked) ?? this.#sessionSeverity);
    return severity === SEVERITY.off || !this.#offer.offersLogs()
      ? undefined
      : new RequestReader(this, request, severity);
  }

  /** Whether one more record may be sent; one that may not is counted. */
  allows(): boolean {
    this.#limit ??= new RateLimit(BURST, PER_SECOND, this.#clock);
    return this.#limit.allows();
  }

  /** Sends one record. Never throws. */
  send(level: LogLevel, data: Readonly<Record<string, Plain>>, request: string | number): void {
    const dropped = this.#limit?.takeRefused() ?? 0;
    const params = {
      level: mcpLevel(level),
      logger: 'toolspan',
      data: dropped === 0 ? data : { ...data, dropped_before: dropped },
    };
    const message = { jsonrpc: '2.0', method: 'notifications/message', params };
    try {
      const sent = this.#send(message, { relatedRequestId: request });
      // a client that has gone is no fault of the call
      if (sent instanceof Promise) sent.catch(() => undefined);
    } catch {
      // neither is one that cannot be written to
    }
  }
}

/** The client as a reader of what one of its requests logs. */
export class RequestReader {
  /** From which severity on it wants records. */
  readonly severity: number;
  readonly #client: ClientLog;
  readonly #request: string | number;

  constructor(client: ClientLog, request: string | number, severity: number) {
    this.#client = client;
    this.#request = request;
    this.severity = severity;
  }

  /** Whether one more record may be sent; one that may not is counted. To be asked before a record is made. */
  allows(): boolean {
    return this.#client.allows();
  }

  /** Sends one record. Never throws. */
  send(level: LogLevel, data: Readonly<Record<string, Plain>>): void {
    this.#client.send(level, data, this.#request);
  }
}
