// Log records as they arrive: what they are listed and searched by is read; the rest stays as the bytes that came.
import { readAttribute, readBatches, readValue, sharedText, type Batch, type Words } from './batches.ts';
import { DELIMITED, FIXED64, VARINT, type WireReader } from './wire.ts';

/** A log record on its way into the store. */
export interface IncomingLog {
  /** The message as it came: valid while the body of the request is. */
  readonly raw: Buffer;
  /** When it happened, else when it was seen, else 0. */
  readonly timeMs: number;
  /** 1 to 24, or 0 where none was given. */
  readonly severity: number;
  /** 32 hexadecimal digits, or empty. */
  readonly traceId: string;
  /** 16 hexadecimal digits, or empty. */
  readonly spanId: string;
  readonly words: Words;
}

const NS_PER_MS = 1e6;

/** Reads the records of an ExportLogsServiceRequest. @throws {MalformedError} */
export function readLogs(body: Buffer): Batch<IncomingLog>[] {
  return readBatches(body, readLog);
}

function readLog(reader: WireReader): IncomingLog {
  const { bytes } = reader;
  const rawStart = reader.at;
  const words: Words = [];
  let [time, observed, severity, traceId, spanId] = [0, 0, 0, '', ''];
  while (reader.next()) {
    if (reader.is(1, FIXED64)) time = reader.fixed64Number();
    else if (reader.is(11, FIXED64)) observed = reader.fixed64Number();
    else if (reader.is(2, VARINT)) severity = Math.min(reader.uint32(), 24);
    else if (reader.is(3, DELIMITED)) words.push('severity', sharedText(reader));
    else if (reader.is(5, DELIMITED)) readValue(reader.message(), 'body', words, 0);
    else if (reader.is(6, DELIMITED)) readAttribute(reader.message(), words);
    else if (reader.is(12, DELIMITED)) words.push('event', sharedText(reader));
    else if (reader.is(9, DELIMITED)) {
      const at = reader.range();
      if (reader.at - at === 16) traceId = bytes.toString('hex', at, reader.at);
    } else if (reader.is(10, DELIMITED)) {
      const at = reader.range();
      if (reader.at - at === 8) spanId = bytes.toString('hex', at, reader.at);
    } else reader.skip();
  }
  return {
    raw: bytes.subarray(rawStart, reader.end),
    timeMs: (time === 0 ? observed : time) / NS_PER_MS,
    severity,
    traceId: /^0*$/.test(traceId) ? '' : traceId,
    spanId: /^0*$/.test(spanId) ? '' : spanId,
    words,
  };
}
