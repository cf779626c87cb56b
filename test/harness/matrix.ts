// The matrix: SDK v1, v2 legacy, v2 modern over memory, stdio and HTTP, each as a client connected to the reference server.
import {
  Client as ClientV2,
  InMemoryTransport as MemoryV2,
  StreamableHTTPClientTransport as HttpV2,
} from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport as MemoryV1 } from '@modelcontextprotocol/sdk/inMemory.js';
import type { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { createMcpHandler, type McpServer as ServerV2 } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { describe } from 'vitest';
import {
  instrumentClient,
  instrumentServer,
  type InstrumentClientOptions,
  type InstrumentServerOptions,
} from '../../src/index.ts';
import { handlerV2, statefulV1 } from '../fixtures/http-hosts.ts';
import { referenceServer, type Probe } from '../fixtures/reference-server.ts';
import { gone } from './child.ts';
import { startCollector } from './collector.ts';
import { closed, listening } from './http-server.ts';
import { recorder, type Recorder } from './recorder.ts';
import type { RecordedSpan } from './span.ts';

export type Peer = 'v1' | 'v2 legacy' | 'v2 modern';
export type Carrier = 'memory' | 'stdio' | 'http';

export interface Combination {
  readonly peer: Peer;
  readonly carrier: Carrier;
}

export const COMBINATIONS: readonly Combination[] = (['v1', 'v2 legacy', 'v2 modern'] as const).flatMap((peer) =>
  (['memory', 'stdio', 'http'] as const).map((carrier) => ({ peer, carrier })),
);

/** The calls that both generations of clients have, loosely typed. */
export interface AnyClient {
  connect(transport: never): Promise<void>;
  callTool(params: { name: string; arguments?: object; _meta?: object }, ...rest: unknown[]): Promise<ToolResult>;
  listTools(): Promise<unknown>;
  getPrompt(params: { name: string; arguments?: object }): Promise<unknown>;
  readResource(params: { uri: string }): Promise<unknown>;
  close(): Promise<void>;
}

export interface ToolResult {
  readonly content: readonly { readonly text: string }[];
  readonly isError?: boolean;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** What toolspan says of a failure in a result. */
export const metaOf = (result: ToolResult): Record<string, unknown> =>
  result._meta?.['toolspan/error'] as Record<string, unknown>;

/** The texts of a result, without the trace id. */
export const textsOf = (result: ToolResult): string[] =>
  result.content.map(({ text }) => text.replace(/[0-9a-f]{32}/, '<trace>'));

/** A connected client, and what was recorded of the server it talks to. */
export interface Connected {
  readonly client: AnyClient;
  /** Calls a tool with options that hold in both generations. */
  call(
    name: string,
    args?: object,
    options?: { signal?: AbortSignal; timeout?: number; _meta?: object },
  ): Promise<ToolResult>;
  /** Every span of the server so far; from stdio only after `close`. */
  spans(): RecordedSpan[];
  /** In-process only: the metrics too. */
  readonly recorder: Recorder | undefined;
  /** Closes the client and waits until everything has arrived. */
  close(): Promise<void>;
}

/** Runs a describe block for each combination that the filter lets through. */
export function describeMatrix(
  title: string,
  body: (combination: Combination) => void,
  filter: (combination: Combination) => boolean = () => true,
): void {
  for (const combination of COMBINATIONS.filter(filter)) {
    describe(`${title} [${combination.peer}, ${combination.carrier}]`, () => body(combination));
  }
}

export interface ConnectOptions {
  readonly probe?: Probe;
  readonly server?: InstrumentServerOptions;
  /** Instruments the client, with these options. */
  readonly client?: InstrumentClientOptions;
  /** False for the bare server. */
  readonly instrumented?: boolean;
}

export async function connect({ peer, carrier }: Combination, options: ConnectOptions = {}): Promise<Connected> {
  const client = newClient(peer);
  if (options.client !== undefined) instrumentClient(client, options.client);
  const open = carrier === 'stdio' ? overStdio : carrier === 'http' ? overHttp : inMemory;
  const { spans, recorder: recorded, close } = await open(peer, client, options);
  return {
    client,
    spans,
    recorder: recorded,
    call(name, args, { _meta, ...rest } = {}) {
      const params = { name, ...(args && { arguments: args }), ...(_meta && { _meta }) };
      return peer === 'v1' ? client.callTool(params, undefined, rest) : client.callTool(params, rest);
    },
    async close() {
      await client.close();
      await close();
    },
  };
}

interface Opened {
  readonly spans: () => RecordedSpan[];
  readonly recorder: Recorder | undefined;
  readonly close: () => Promise<void>;
}

/** A client of this generation that answers what a server asks. */
export function newClient(peer: Peer): AnyClient {
  const info = { name: 'test client', version: '0' };
  const capabilities = { elicitation: {}, sampling: {} };
  const accept = () => ({ action: 'accept' as const, content: { confirm: true } });
  const sample = () => ({
    model: 'a model',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: 'ho' },
  });
  if (peer === 'v1') {
    const client = new ClientV1(info, { capabilities });
    client.setRequestHandler(ElicitRequestSchema, accept);
    client.setRequestHandler(CreateMessageRequestSchema, sample);
    return client as unknown as AnyClient;
  }
  const client = new ClientV2(info, {
    capabilities,
    ...(peer === 'v2 modern' && { versionNegotiation: { mode: { pin: '2026-07-28' } } }),
  });
  client.setRequestHandler('elicitation/create', accept);
  client.setRequestHandler('sampling/createMessage', sample);
  return client as unknown as AnyClient;
}

function makeServer(
  peer: Peer,
  recorded: Recorder,
  { probe, server, instrumented = true }: ConnectOptions,
): ServerV1 | ServerV2 {
  const made = referenceServer(peer === 'v1' ? 'v1' : 'v2', probe);
  if (!instrumented) return made;
  return instrumentServer(made, {
    tracerProvider: recorded.tracerProvider,
    meterProvider: recorded.meterProvider,
    loggerProvider: recorded.loggerProvider,
    ...server,
  });
}

async function inMemory(peer: Peer, client: AnyClient, options: ConnectOptions): Promise<Opened> {
  const recorded = recorder();
  const [ours, theirs] = (peer === 'v1' ? MemoryV1 : MemoryV2).createLinkedPair();
  let close = () => Promise.resolve();
  if (peer === 'v2 modern') {
    const served = serveStdio(() => makeServer(peer, recorded, options) as ServerV2, { transport: theirs });
    close = () => served.close();
  } else {
    await (makeServer(peer, recorded, options) as ServerV1).connect(theirs);
  }
  await client.connect(ours as never);
  return { spans: () => recorded.spans(), recorder: recorded, close };
}

async function overStdio(peer: Peer, client: AnyClient): Promise<Opened> {
  const collector = await startCollector();
  const Transport = peer === 'v1' ? StdioV1 : StdioV2;
  const transport = new Transport({
    command: process.execPath,
    args: [new URL('../fixtures/stdio-server.ts', import.meta.url).pathname, peer === 'v1' ? 'v1' : 'v2'],
    env: {
      PATH: process.env['PATH'] ?? '',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      TOOLSPAN_LOG_FORMAT: 'off',
    },
    stderr: 'inherit',
  });
  await client.connect(transport as never);
  const { pid } = transport;
  return {
    spans: () => collector.spans(),
    recorder: undefined,
    async close() {
      if (pid !== null) await gone(pid);
      await collector.close();
    },
  };
}

async function overHttp(peer: Peer, client: AnyClient, options: ConnectOptions): Promise<Opened> {
  const recorded = recorder();
  const make = () => makeServer(peer, recorded, options);
  const http = peer === 'v1' ? statefulV1(make as () => ServerV1) : handlerV2(createMcpHandler(make as () => ServerV2));
  const url = new URL(`${await listening(http)}/mcp`);
  const transport = peer === 'v1' ? new HttpV1(url) : new HttpV2(url);
  await client.connect(transport as never);
  return {
    spans: () => recorded.spans(),
    recorder: recorded,
    close: () => closed(http),
  };
}
