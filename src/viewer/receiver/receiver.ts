// OTLP over HTTP: three paths, two encodings, and the answers that the specification has for each case.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp
import type { IncomingMessage, ServerResponse } from 'node:http';
import { encodeMessage } from '../otlp/encode.ts';
import { REQUESTS, type Signal } from '../otlp/schema.ts';
import { MalformedError } from '../otlp/wire.ts';
import type { Accepted } from '../store/store.ts';
import { type AnswerType, errorBody, successBody } from './answers.ts';
import { BodyError, readBody, type BodyLimits } from './body.ts';

/** What a receiver needs. */
export interface ReceiverOptions {
  /** Takes the protobuf of a request. @throws {MalformedError} */
  readonly take: (signal: Signal, body: Buffer) => Accepted;
  /**
   * Most bytes of one body.
   *
   * @default 16 MiB over the wire, 64 MiB inflated
   */
  readonly limits?: BodyLimits | undefined;
  /**
   * Bodies being read at one time, in bytes over the wire; beyond it senders are asked to come again.
   *
   * @default 134_217_728 (128 MiB)
   */
  readonly maxPendingBytes?: number | undefined;
}

const PATHS: Readonly<Record<string, Signal>> = {
  '/v1/traces': 'traces',
  '/v1/metrics': 'metrics',
  '/v1/logs': 'logs',
};
const RETRY_AFTER_SECONDS = '1';
const MIB = 1024 * 1024;
// what a body of unknown length is counted as while it is read
const UNKNOWN_LENGTH = 4 * MIB;

export class Receiver {
  readonly #take: ReceiverOptions['take'];
  readonly #limits: BodyLimits;
  readonly #maxPendingBytes: number;
  #pendingBytes = 0;

  constructor({ take, limits, maxPendingBytes }: ReceiverOptions) {
    this.#take = take;
    this.#limits = limits ?? { wire: 16 * MIB, inflated: 64 * MIB };
    this.#maxPendingBytes = maxPendingBytes ?? 128 * MIB;
  }

  /** True for a path of OTLP. */
  static serves(path: string): boolean {
    return Object.hasOwn(PATHS, path);
  }

  /** Answers an export request; never throws. */
  async handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const signal = PATHS[path];
    const type = answerType(request.headers['content-type']);
    if (signal === undefined) return fail(request, response, type, 404, `no such path: ${path}`);
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST');
      return fail(request, response, type, 405, `expected POST, got ${request.method ?? 'nothing'}`);
    }
    if (type === undefined) {
      return fail(request, response, type, 415, 'expected Content-Type application/x-protobuf or application/json');
    }
    const length = Number(request.headers['content-length'] ?? UNKNOWN_LENGTH);
    const counted = Number.isFinite(length) ? Math.min(length, this.#limits.wire) : UNKNOWN_LENGTH;
    if (this.#pendingBytes + counted > this.#maxPendingBytes && this.#pendingBytes > 0) {
      response.setHeader('retry-after', RETRY_AFTER_SECONDS);
      return fail(request, response, type, 503, 'too much is being received at once; send it again later');
    }
    this.#pendingBytes += counted;
    try {
      const body = await readBody(request, this.#limits);
      const accepted = this.#take(signal, type === 'json' ? fromJson(signal, body) : body);
      send(response, type, 200, successBody(type, signal, accepted));
    } catch (error) {
      if (error instanceof BodyError) fail(request, response, type, error.status, error.message);
      else if (error instanceof MalformedError) fail(request, response, type, 400, error.message);
      // the sender has gone away in the middle
      else if (request.errored !== null || request.destroyed) response.destroy();
      else throw error;
    } finally {
      this.#pendingBytes -= counted;
    }
  }
}

function answerType(contentType: string | undefined): AnswerType | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/x-protobuf') return 'protobuf';
  return type === 'application/json' ? 'json' : undefined;
}

function fromJson(signal: Signal, body: Buffer): Buffer {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw new MalformedError('expected a body in JSON, got text that is not');
  }
  return encodeMessage(REQUESTS[signal], parsed);
}

function fail(
  request: IncomingMessage,
  response: ServerResponse,
  type: AnswerType | undefined,
  status: number,
  message: string,
): void {
  // what is left of a body that is not read would be taken for the next request
  if (!request.complete) {
    response.setHeader('connection', 'close');
    response.once('finish', () => request.destroy());
  }
  send(response, type ?? 'json', status, errorBody(type ?? 'json', status, message));
}

function send(response: ServerResponse, type: AnswerType, status: number, body: Buffer): void {
  response.writeHead(status, {
    'content-type': type === 'json' ? 'application/json' : 'application/x-protobuf',
    'content-length': body.length,
  });
  response.end(body);
}
