// Spans as they arrive: what they are listed, counted and searched by is read; the rest stays as the bytes that came.
import { readAttribute, readBatches, sharedText, type Batch, type Words } from './batches.ts';
import { DELIMITED, FIXED64, VARINT, type WireReader } from './wire.ts';
import {
  ATTR_TOOLSPAN_CIRCUIT_BREAKER_FROM,
  ATTR_TOOLSPAN_CIRCUIT_BREAKER_TO,
  ATTR_TOOLSPAN_ERROR_CODE,
  ATTR_TOOLSPAN_OUTCOME,
  ATTR_TOOLSPAN_POLICY_NAME,
  EVENT_TOOLSPAN_CIRCUIT_BREAKER_TRANSITION,
  EVENT_TOOLSPAN_RETRY,
} from '../../telemetry/names.ts';
import {
  ATTR_ERROR_TYPE,
  ATTR_EXCEPTION_TYPE,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_MCP_METHOD_NAME,
  ATTR_MCP_PROTOCOL_VERSION,
  ATTR_MCP_SESSION_ID,
  EVENT_EXCEPTION,
} from '../../telemetry/semconv.ts';

/** A change of a circuit breaker, from the event on the span where it happened. */
export interface Transition {
  readonly atMs: number;
  readonly policy: string;
  readonly from: string;
  readonly to: string;
}

/** A span on its way into the store. */
export interface IncomingSpan {
  /** The message as it came: valid while the body of the request is. */
  readonly raw: Buffer;
  /** 32 hexadecimal digits, or empty where it is not valid. */
  readonly traceId: string;
  readonly spanIdHigh: number;
  readonly spanIdLow: number;
  /** Both 0 for a root. */
  readonly parentIdHigh: number;
  readonly parentIdLow: number;
  readonly name: string;
  readonly kind: number;
  /** Since the epoch, to about a quarter of a microsecond. */
  readonly startMs: number;
  readonly durationNs: number;
  readonly failed: boolean;
  readonly words: Words;
  readonly method: string;
  readonly tool: string;
  readonly outcome: string;
  readonly errorCode: string;
  readonly errorType: string;
  /** Of the latest exception event. */
  readonly exception: string;
  readonly protocolVersion: string;
  readonly sessionId: string;
  /** Retries that its events tell of. */
  readonly retries: number;
  readonly transitions: readonly Transition[];
}

const WORD = 0x1_0000_0000;
const NS_PER_MS = 1e6;
const STATUS_ERROR = 2;
const MAX_EVENTS = 1_024;
const MAX_LINK_WORDS = 1_024;
const NONE: readonly Transition[] = [];

/** Reads the spans of an ExportTraceServiceRequest. @throws {MalformedError} */
export function readSpans(body: Buffer): Batch<IncomingSpan>[] {
  return readBatches(body, readSpan);
}

function readSpan(reader: WireReader): IncomingSpan {
  const { bytes } = reader;
  const rawStart = reader.at;
  const words: Words = [];
  const events: WireReader[] = [];
  let [traceId, name, kind, failed, message] = ['', '', 0, false, ''];
  let [spanIdHigh, spanIdLow, parentIdHigh, parentIdLow] = [0, 0, 0, 0];
  let [startLow, startHigh, endLow, endHigh] = [0, 0, 0, 0];
  while (reader.next()) {
    if (reader.is(1, DELIMITED)) {
      const at = reader.range();
      if (reader.at - at === 16) traceId = bytes.toString('hex', at, reader.at);
    } else if (reader.is(2, DELIMITED)) {
      const at = reader.range();
      if (reader.at - at === 8) [spanIdHigh, spanIdLow] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
    } else if (reader.is(4, DELIMITED)) {
      const at = reader.range();
      if (reader.at - at === 8) [parentIdHigh, parentIdLow] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
    } else if (reader.is(5, DELIMITED)) name = sharedText(reader);
    else if (reader.is(6, VARINT)) kind = reader.uint32();
    else if (reader.is(7, FIXED64)) [startLow, startHigh] = [reader.fixed32(), reader.fixed32()];
    else if (reader.is(8, FIXED64)) [endLow, endHigh] = [reader.fixed32(), reader.fixed32()];
    else if (reader.is(9, DELIMITED)) readAttribute(reader.message(), words);
    else if (reader.is(11, DELIMITED)) events.push(reader.message());
    else if (reader.is(13, DELIMITED)) readLink(reader.message(), words);
    else if (reader.is(15, DELIMITED)) [failed, message] = readStatus(reader.message());
    else reader.skip();
  }
  const known = knownAttributes(words);
  const { retries, transitions, exception } = readEvents(events, words);
  words.push('name', name);
  if (message !== '') words.push('status.message', message);
  return {
    raw: bytes.subarray(rawStart, reader.end),
    traceId: /^0*$/.test(traceId) ? '' : traceId,
    spanIdHigh,
    spanIdLow,
    parentIdHigh,
    parentIdLow,
    name,
    kind,
    startMs: (startHigh * WORD + startLow) / NS_PER_MS,
    // the difference is exact where the two moments, as doubles, are not
    durationNs: Math.max(0, (endHigh - startHigh) * WORD + (endLow - startLow)),
    failed,
    words,
    ...known,
    exception,
    retries,
    transitions,
  };
}

// whoever is linked to is asked who links to it
function readLink(reader: WireReader, words: Words): void {
  let [traceId, spanId] = ['', ''];
  while (reader.next()) {
    if (reader.is(1, DELIMITED)) {
      const at = reader.range();
      traceId = reader.bytes.toString('hex', at, reader.at);
    } else if (reader.is(2, DELIMITED)) {
      const at = reader.range();
      spanId = reader.bytes.toString('hex', at, reader.at);
    } else reader.skip();
  }
  if (words.length < MAX_LINK_WORDS) words.push('link', `${traceId} ${spanId}`);
}

function readStatus(reader: WireReader): [failed: boolean, message: string] {
  let [failed, message] = [false, ''];
  while (reader.next()) {
    if (reader.is(2, DELIMITED)) message = sharedText(reader);
    else if (reader.is(3, VARINT)) failed = reader.uint32() === STATUS_ERROR;
    else reader.skip();
  }
  return [failed, message];
}

function knownAttributes(words: Words) {
  let [method, tool, outcome, errorCode, errorType, protocolVersion, sessionId] = ['', '', '', '', '', '', ''];
  for (let index = 0; index < words.length; index += 2) {
    const value = words[index + 1] ?? '';
    switch (words[index]) {
      case ATTR_MCP_METHOD_NAME:
        method = value;
        break;
      case ATTR_GEN_AI_TOOL_NAME:
        tool = value;
        break;
      case ATTR_TOOLSPAN_OUTCOME:
        outcome = value;
        break;
      case ATTR_TOOLSPAN_ERROR_CODE:
        errorCode = value;
        break;
      case ATTR_ERROR_TYPE:
        errorType = value;
        break;
      case ATTR_MCP_PROTOCOL_VERSION:
        protocolVersion = value;
        break;
      case ATTR_MCP_SESSION_ID:
        sessionId = value;
        break;
      default:
    }
  }
  return { method, tool, outcome, errorCode, errorType, protocolVersion, sessionId };
}

function readEvents(events: readonly WireReader[], words: Words) {
  let retries = 0;
  let exception = '';
  let transitions: Transition[] | undefined;
  for (const event of events.slice(0, MAX_EVENTS)) {
    const from = words.length;
    let [name, atMs] = ['', 0];
    while (event.next()) {
      if (event.is(1, FIXED64)) atMs = event.fixed64Number() / NS_PER_MS;
      else if (event.is(2, DELIMITED)) name = sharedText(event);
      else if (event.is(3, DELIMITED)) readAttribute(event.message(), words);
      else event.skip();
    }
    if (name === EVENT_TOOLSPAN_RETRY) retries++;
    else if (name === EVENT_TOOLSPAN_CIRCUIT_BREAKER_TRANSITION) {
      (transitions ??= []).push(readTransition(words.slice(from), atMs));
    } else if (name === EVENT_EXCEPTION) exception = valueOf(words.slice(from), ATTR_EXCEPTION_TYPE) || exception;
    words.push('event', name);
  }
  return { retries, transitions: transitions ?? NONE, exception };
}

function readTransition(words: Words, atMs: number): Transition {
  return {
    atMs,
    policy: valueOf(words, ATTR_TOOLSPAN_POLICY_NAME),
    from: valueOf(words, ATTR_TOOLSPAN_CIRCUIT_BREAKER_FROM),
    to: valueOf(words, ATTR_TOOLSPAN_CIRCUIT_BREAKER_TO),
  };
}

function valueOf(words: Words, key: string): string {
  for (let index = 0; index < words.length; index += 2) if (words[index] === key) return words[index + 1] ?? '';
  return '';
}
