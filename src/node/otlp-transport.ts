// Sends OTLP over HTTP without ever keeping the process alive: sockets and timers are unref'd, and everything can be
// abandoned at once. The stock transport can do neither; serializers and configuration are the stock ones.
import {
  request as httpRequest,
  type Agent,
  type ClientRequest,
  type ClientRequestArgs,
  type IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base';
import type { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { asError } from '../diagnostics.ts';

/** Where and how to send: what the `OTEL_EXPORTER_OTLP_*` variables say. */
export type OtlpHttpConfiguration = ReturnType<typeof convertLegacyHttpOptions>;

const compress = promisify(gzip);
const MAX_ANSWER_BYTES = 64 * 1_024;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 5_000;
// https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
const RETRYABLE = new Set([429, 502, 503, 504]);

/** A transport for the export delegates of OpenTelemetry JS. It retries until its timeout, as the specification asks. */
export class OtlpHttpTransport implements IExporterTransport {
  readonly #configuration: OtlpHttpConfiguration;
  /** What stops each request under way, and what ends each pause. */
  readonly #requests = new Set<() => void>();
  readonly #pauses = new Set<() => void>();
  #abandoned = false;
  #hurried = false;
  #target: ClientRequestArgs | undefined;
  #agent: Promise<Agent> | undefined;

  constructor(configuration: OtlpHttpConfiguration) {
    this.#configuration = configuration;
  }

  /** Sends one export; settles by the timeout at the latest and never rejects. */
  async send(data: Uint8Array, timeoutMillis: number): Promise<ExportResponse> {
    const deadline = performance.now() + timeoutMillis;
    try {
      const body = this.#configuration.compression === 'gzip' ? await compress(data) : data;
      for (let backoff = FIRST_RETRY_MS; ; backoff = Math.min(backoff * 1.5, MAX_RETRY_MS)) {
        const response = await this.#attempt(body, deadline - performance.now());
        if (response.status !== 'retryable' || this.#hurried || this.#abandoned) return response;
        const wait = response.retryInMillis ?? backoff * (0.8 + Math.random() * 0.4);
        if (performance.now() + wait >= deadline) return response;
        await this.#pause(wait);
      }
    } catch (error) {
      return { status: 'failure', error: asError(error) };
    }
  }

  /** While hurried, a failed attempt is the last one, and waits between attempts are cut short. */
  hurry(hurried: boolean): void {
    this.#hurried = hurried;
    if (hurried) for (const pause of this.#pauses) pause();
  }

  /** Gives up everything under way; what is sent from now on fails at once. */
  abandon(): void {
    this.#abandoned = true;
    for (const stop of [...this.#requests, ...this.#pauses]) stop();
  }

  shutdown(): void {
    this.abandon();
  }

  async #attempt(body: Uint8Array, timeoutMs: number): Promise<ExportResponse> {
    const { url, headers, agentFactory, userAgent } = this.#configuration;
    const target = (this.#target ??= urlToHttpOptions(new URL(url)));
    this.#agent ??= Promise.resolve(agentFactory(target.protocol ?? 'http:')) as Promise<Agent>;
    const agent = await this.#agent;
    const sent = await headers();
    return new Promise((resolve) => {
      if (this.#abandoned) {
        resolve({ status: 'failure', error: new Error('no answer by the deadline') });
        return;
      }
      const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
      const request: ClientRequest = send({
        ...target,
        method: 'POST',
        agent,
        headers: {
          ...sent,
          'Content-Length': body.byteLength,
          ...(this.#configuration.compression === 'gzip' ? { 'Content-Encoding': 'gzip' } : undefined),
          ...(userAgent === undefined ? undefined : { 'User-Agent': userAgent }),
        },
      });
      const giveUp = () => request.destroy(new Error('no answer by the deadline'));
      const timer = setTimeout(
        () => request.destroy(new Error(`no answer within ${Math.round(timeoutMs)} ms`)),
        timeoutMs,
      );
      timer.unref();
      this.#requests.add(giveUp);
      request.on('socket', (socket) => socket.unref());
      request.on('response', (response) => readAnswer(response, resolve));
      request.on('error', (error) => resolve({ status: 'retryable', error }));
      request.on('close', () => {
        clearTimeout(timer);
        this.#requests.delete(giveUp);
        // settles where neither an answer nor an error came
        resolve({ status: 'retryable', error: new Error('connection closed without an answer') });
      });
      request.end(body);
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#pauses.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms).unref();
      this.#pauses.add(done);
    });
  }
}

function readAnswer(response: IncomingMessage, resolve: (answer: ExportResponse) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
  });
  response.on('error', (error) => resolve({ status: 'retryable', error }));
  response.on('end', () => {
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) resolve({ status: 'success', data: new Uint8Array(Buffer.concat(chunks)) });
    else if (RETRYABLE.has(status)) resolve(retryLater(status, response.headers['retry-after']));
    else resolve({ status: 'failure', error: new Error(`HTTP ${status}`) });
  });
}

function retryLater(status: number, retryAfter: string | undefined): ExportResponse {
  const error = new Error(`HTTP ${status}`);
  if (retryAfter === undefined) return { status: 'retryable', error };
  const seconds = Number(retryAfter);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(ms)
    ? { status: 'retryable', error, retryInMillis: Math.max(0, ms) }
    : { status: 'retryable', error };
}
