// The bodies of OTLP answers: how much was refused, or a google.rpc.Status, in the encoding of the request.
import { ProtobufWriter } from '../../node/protobuf-writer.ts';
import type { Signal } from '../otlp/schema.ts';
import type { Accepted } from '../store/store.ts';

export type AnswerType = 'protobuf' | 'json';

const REJECTED: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
};
// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
const CODES: Readonly<Record<number, number>> = { 400: 3, 403: 7, 401: 16, 404: 5, 405: 12, 413: 8, 415: 3, 503: 14 };
const UNKNOWN = 2;

/** Everything was taken, or all but some. */
export function successBody(type: AnswerType, signal: Signal, { rejected, reason }: Accepted): Buffer {
  if (type === 'json') {
    const partial = { partialSuccess: { [REJECTED[signal]]: String(rejected), errorMessage: reason } };
    return Buffer.from(JSON.stringify(rejected > 0 ? partial : {}));
  }
  const writer = new ProtobufWriter(256);
  if (rejected > 0) {
    const partial = writer.open(1);
    writer.varint(1, rejected);
    writer.text(2, reason);
    writer.close(partial);
  }
  return Buffer.from(writer.view());
}

/** Nothing was taken. */
export function errorBody(type: AnswerType, status: number, message: string): Buffer {
  const code = CODES[status] ?? UNKNOWN;
  if (type === 'json') return Buffer.from(JSON.stringify({ code, message }));
  const writer = new ProtobufWriter(256);
  writer.varint(1, code);
  writer.text(2, message);
  return Buffer.from(writer.view());
}
