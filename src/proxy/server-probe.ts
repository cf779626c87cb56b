// Starts a server as a client would, asks it the first questions, and tells what came of it: for `toolspan check`.
import type { Span, Tracer, TracerProvider } from '@opentelemetry/api';
import { createNoopMeter, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { asError } from '../diagnostics.ts';
import { KnownNames } from '../observer/names.ts';
import { isRecord, isResponse } from '../protocol/message.ts';
import { Signals } from '../telemetry/signals.ts';
import { ExportProbe } from './export-probe.ts';
import { Lines } from './lines.ts';
import { IN_PROXY, messagesIn, ObservedPeers, STDIO_WIRE } from './observed-peers.ts';
import { ServerProcess, type ServerEnd } from './server-process.ts';

/** What was seen of a server. */
export interface ServerProbe {
  /** The answer to `initialize`: its result or its error; undefined where none came. */
  readonly answer: Readonly<Record<string, unknown>> | undefined;
  readonly answeredMs: number;
  /** Whether it ended, or closed stdout, before it had answered. */
  readonly endedFirst: boolean;
  /** The last line that it wrote to stderr; empty where there is none. */
  readonly lastError: string;
  /** Names of its tools; undefined where it was not asked, or did not say. */
  readonly tools: readonly string[] | undefined;
  /** Lines on stdout that are no messages. */
  readonly noise: readonly string[];
  /** Names of the spans that its messages became. */
  readonly spans: readonly string[];
  /** What it has exported by itself over OTLP: traces, metrics, logs. */
  readonly exported: readonly string[];
  readonly end: ServerEnd;
  /** Whether it ended by itself when its stdin was closed. */
  readonly endedByItself: boolean;
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'toolspan check', version: '0' } },
};
const MAX_NOISE = 20;
// characters of stderr that are kept
const MAX_ERRORS = 4_000;
const ENDS_WITHIN_MS = 1_400;

/** What a server is started as. */
export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  /** Its variables; those that say where its telemetry goes are changed. */
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Tries a server.
 *
 * @param timeoutMs how long each answer may take.
 * @throws {StartError} where it cannot be started.
 */
export async function probeServer(start: Start, timeoutMs: number): Promise<ServerProbe> {
  const exports = await ExportProbe.open(start.environment);
  try {
    const seen = await talkTo({ ...start, environment: exports.environment }, timeoutMs);
    return { ...seen, exported: exports.signals };
  } finally {
    await exports.close();
  }
}

async function talkTo(
  { command, args, environment }: Start,
  timeoutMs: number,
): Promise<Omit<ServerProbe, 'exported'>> {
  const spans = new SpanNames();
  const peers = new ObservedPeers(
    {
      signals: new Signals({ tracerProvider: spans, meterProvider: { getMeter: createNoopMeter } }),
      names: new KnownNames(),
      ...IN_PROXY,
      maxOperationMs: 60_000,
    },
    STDIO_WIRE,
  );
  const startedAt = performance.now();
  const server = new ServerProcess(command, args, environment, 'pipe');
  let errors = '';
  server.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    errors = (errors + chunk.toString('utf8')).slice(-MAX_ERRORS);
  });
  // it may end before it has read anything
  server.stdin.on('error', () => {});
  const noise: string[] = [];
  const answers = new Map<unknown, (answer: Record<string, unknown> | undefined) => void>();
  const lines = new Lines({
    line(bytes) {
      const messages = messagesIn(bytes);
      if (messages === undefined && noise.length < MAX_NOISE) noise.push(bytes.toString('utf8').trimEnd());
      for (const message of messages ?? []) {
        peers.fromServer(message);
        if (isResponse(message)) answers.get(message.id)?.(message as unknown as Record<string, unknown>);
      }
    },
    longPiece: () => {},
  });
  server.stdout.on('data', (chunk: Buffer) => lines.write(chunk));
  server.stdout.once('end', () => {
    lines.end();
    for (const answered of answers.values()) answered(undefined);
  });
  const send = (message: object): void => {
    peers.fromClient(message);
    server.stdin.write(`${JSON.stringify(message)}\n`);
  };
  const ask = (message: { id: number }): Promise<Record<string, unknown> | undefined> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), timeoutMs);
      answers.set(message.id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      send(message);
    });
  const started = server.ended.then(
    () => undefined,
    (error: unknown) => Promise.reject(asError(error)),
  );
  const answer = await Promise.race([ask(INITIALIZE), started]);
  const answeredMs = performance.now() - startedAt;
  const endedFirst = answer === undefined && answeredMs < timeoutMs;
  const result = answer?.['result'];
  let tools: string[] | undefined;
  if (isRecord(result)) {
    send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const offers = isRecord(result['capabilities']) && result['capabilities']['tools'] !== undefined;
    if (offers) tools = namesIn(await ask({ jsonrpc: '2.0', id: 2, method: 'tools/list' } as { id: number }));
  }
  const closedAt = performance.now();
  server.stdin.end();
  server.endSoon(() => false);
  const end = await server.ended;
  peers.close();
  const endedByItself = performance.now() - closedAt < ENDS_WITHIN_MS;
  const lastError = errors.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return { answer, answeredMs, endedFirst, lastError, tools, noise, spans: spans.names, end, endedByItself };
}

function namesIn(answer: Record<string, unknown> | undefined): string[] | undefined {
  const result = answer?.['result'];
  const tools = isRecord(result) ? result['tools'] : undefined;
  if (!Array.isArray(tools)) return undefined;
  return tools.flatMap((tool) => (isRecord(tool) && typeof tool['name'] === 'string' ? [tool['name']] : []));
}

/** Keeps the names of the spans that end, in the order of their beginning, and nothing else. */
class SpanNames implements TracerProvider {
  readonly #begun: { readonly name: string; ended: boolean }[] = [];

  get names(): string[] {
    return this.#begun.filter(({ ended }) => ended).map(({ name }) => name);
  }

  getTracer(): Tracer {
    return {
      startSpan: (name) => this.#span(name),
      startActiveSpan: () => {
        throw new Error('not used here');
      },
    };
  }

  #span(name: string): Span {
    const nothing = trace.getTracer('toolspan').startSpan(name, undefined, ROOT_CONTEXT);
    const span = { name, ended: false };
    this.#begun.push(span);
    return Object.assign(Object.create(nothing) as Span, { end: () => void (span.ended = true) });
  }
}
