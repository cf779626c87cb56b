// The answer of one HTTP exchange: passed on as it comes and read for messages, be it JSON or a stream of events.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from '@opentelemetry/api';
import { isRecord, isRequest, isResponse, type MessageId } from '../protocol/message.ts';
import { traceContextFor } from '../telemetry/propagation.ts';
import type { Contain } from './http-body.ts';
import { headersToPass } from './http-headers.ts';
import { edited } from './json-bytes.ts';
import { Pieces, type LineHandler } from './lines.ts';
import { messagesIn } from './observed-peers.ts';
import { readEvent, SseEvents, type SseEvent } from './sse.ts';
import { traceMetaEdits } from './trace-meta.ts';
import type { Unobserved } from './unobserved.ts';

/** Told of what an answer says. */
export interface AnswerReader {
  readonly unobserved: Unobserved;
  /** Whether requests of the server carry the trace context on. */
  readonly propagate: boolean;
  /** Changes the JSON of an answer before it goes on. */
  readonly rewrite: ((message: unknown, json: Buffer) => Buffer) | undefined;
  /** Whether an event goes on when it is whole: the proxy may have to say something after it. */
  readonly whole: boolean;
  /** Whether the rest of the answer comes from the proxy itself. */
  readonly isGivenUp: () => boolean;
  readonly contained: Contain;
  /** The server has sent a message; gives the context that the client's work on it belongs to. */
  onMessage(message: unknown): Context;
  /** An event stream has named the address for messages. */
  onEndpoint(address: string): void;
  /** An event is too long to be held until it is whole. */
  onLongEvent(): void;
  /** An event can be asked for again: an answer may still come, by another exchange. */
  onResumable(): void;
}

/** Passes an answer on; calls back when it is over, with the JSON-RPC error of a refusal where there is one. */
export function passAnswer(
  from: IncomingMessage,
  to: ServerResponse,
  reader: AnswerReader,
  whenOver: (complete: boolean, error: unknown) => void,
): void {
  to.sendDate = false;
  to.writeHead(
    statusOf(from),
    from.statusMessage,
    headersToPass(from.rawHeaders, reader.rewrite === undefined ? {} : { 'content-length': undefined }),
  );
  // a stream of events may say nothing for long
  to.flushHeaders();
  const body = bodyReader(from, to, reader);
  const take = reader.contained((chunk: Buffer) => {
    if (body.take(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
  const end = reader.contained(() => {
    body.end();
    if (from.rawTrailers.length > 0) to.addTrailers(pairs(from.rawTrailers));
    to.end();
  });
  from.on('data', take);
  from.once('end', end);
  from.once('close', () => {
    // a body that broke off must not look whole
    if (!from.complete && !reader.isGivenUp()) to.destroy();
    whenOver(from.complete, body.error());
  });
  from.on('error', () => {
    if (!reader.isGivenUp()) to.destroy();
  });
}

/** The status to pass on. Some that a server may send could not be sent on. */
export function statusOf({ statusCode = 0 }: IncomingMessage): number {
  return statusCode < 200 ? 502 : statusCode;
}

interface Body {
  /** Takes a chunk; false where the reader is slow. */
  take(chunk: Buffer): boolean;
  end(): void;
  error(): unknown;
}

function bodyReader(from: IncomingMessage, to: ServerResponse, reader: AnswerReader): Body {
  const type = (from.headers['content-type'] ?? '').toLowerCase();
  const encoding = from.headers['content-encoding'];
  const isEvents = type.startsWith('text/event-stream');
  const isJson = type.startsWith('application/json');
  if (encoding !== undefined && encoding !== 'identity' && (isEvents || isJson)) {
    reader.unobserved.count('encoded');
  } else if (isEvents) {
    const { propagate, rewrite, whole } = reader;
    return propagate || whole || rewrite !== undefined ? wholeEvents(to, reader) : readEvents(to, reader);
  } else if (isJson) {
    return reader.rewrite === undefined ? readJson(to, reader) : rewrittenJson(to, reader, reader.rewrite);
  }
  return { take: (chunk) => to.write(chunk), end: () => {}, error: () => undefined };
}

function readJson(to: ServerResponse, reader: AnswerReader): Body {
  let error: unknown;
  const whole = new Pieces({
    line(bytes) {
      for (const message of messagesIn(bytes) ?? []) {
        if (isResponse(message)) reader.onMessage(message);
        if (isRecord(message) && error === undefined) error = message['error'];
      }
    },
    longPiece(_bytes, begins) {
      if (begins) reader.unobserved.count('too_long');
    },
  });
  return {
    take(chunk) {
      const free = to.write(chunk);
      whole.add(chunk, false);
      return free;
    },
    end: () => whole.end(),
    error: () => error,
  };
}

// Held until it is whole, unless it is too long for that.
function rewrittenJson(
  to: ServerResponse,
  reader: AnswerReader,
  rewrite: (message: unknown, json: Buffer) => Buffer,
): Body {
  let error: unknown;
  const whole = new Pieces({
    line(bytes) {
      const messages = messagesIn(bytes) ?? [];
      const [message] = messages;
      for (const each of messages) reader.onMessage(each);
      if (isRecord(message)) error = message['error'];
      to.write(messages.length === 1 ? rewrite(message, bytes) : bytes);
    },
    longPiece(bytes, begins) {
      if (begins) reader.unobserved.count('too_long');
      to.write(Buffer.from(bytes));
    },
  });
  return {
    take(chunk) {
      whole.add(chunk, false);
      return !to.writableNeedDrain;
    },
    end: () => whole.end(),
    error: () => error,
  };
}

function readEvents(to: ServerResponse, reader: AnswerReader): Body {
  const events = new SseEvents(eventHandler(reader, () => {}));
  return {
    take(chunk) {
      const free = to.write(chunk);
      events.write(chunk);
      return free;
    },
    end: () => events.end(),
    error: () => undefined,
  };
}

function wholeEvents(to: ServerResponse, reader: AnswerReader): Body {
  let free = true;
  const pass = (bytes: Buffer): void => {
    free = to.write(Buffer.from(bytes));
  };
  const events = new SseEvents(eventHandler(reader, pass));
  return {
    take(chunk) {
      free = true;
      to.cork();
      events.write(chunk);
      to.uncork();
      return free;
    },
    end: () => events.end(),
    error: () => undefined,
  };
}

function eventHandler(reader: AnswerReader, pass: (bytes: Buffer) => void): LineHandler {
  return {
    line(bytes) {
      const event = readEvent(bytes);
      if (event.hasId) reader.onResumable();
      if (event.type === 'endpoint' && event.data !== undefined) reader.onEndpoint(event.data);
      const messages = event.type === 'message' ? messagesOf(event) : [];
      const contexts = messages.map((message) => reader.onMessage(message));
      const [message] = messages;
      if (reader.rewrite !== undefined && messages.length === 1 && isResponse(message)) {
        pass(rewrittenEvent(bytes, event, message, reader.rewrite));
      } else {
        pass(reader.propagate ? annotatedEvent(bytes, event, message, contexts[0]) : bytes);
      }
    },
    longPiece(bytes, begins) {
      if (begins) reader.unobserved.count('too_long');
      reader.onLongEvent();
      pass(bytes);
    },
  };
}

function messagesOf({ data }: SseEvent): readonly unknown[] {
  return data === undefined || data === '' ? [] : (messagesIn(Buffer.from(data)) ?? []);
}

// A request that spans data lines, or shares an event with others, goes on as it is.
function annotatedEvent(bytes: Buffer, event: SseEvent, message: unknown, inside: Context | undefined): Buffer {
  if (event.dataFrom === undefined || inside === undefined || !isRequest(message)) return bytes;
  const added = traceContextFor(inside);
  if (added === undefined || bytes[event.dataFrom] !== 0x7b) return bytes;
  return edited(bytes, traceMetaEdits(bytes.subarray(0, event.dataTo), event.dataFrom, added));
}

function rewrittenEvent(
  bytes: Buffer,
  { dataFrom, dataTo }: SseEvent,
  message: unknown,
  rewrite: (message: unknown, json: Buffer) => Buffer,
): Buffer {
  if (dataFrom === undefined) return bytes;
  return Buffer.concat([
    bytes.subarray(0, dataFrom),
    rewrite(message, bytes.subarray(dataFrom, dataTo)),
    bytes.subarray(dataTo),
  ]);
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2] as string, raw[index * 2 + 1] as string]);
}

/** The ids of the requests among these messages. */
export function idsAsked(messages: readonly unknown[]): MessageId[] {
  return messages.flatMap((message) => (isRequest(message) ? [message.id] : []));
}
