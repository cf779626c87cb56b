// A transport of the test's own: it delivers whatever the test says, and keeps what the server sends.
import type { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Server as LowLevelV1 } from '@modelcontextprotocol/sdk/server/index.js';
import type { McpServer as ServerV2, Server as LowLevelV2 } from '@modelcontextprotocol/server';
import { instrumentServer, type InstrumentServerOptions } from '../../src/index.ts';
import { referenceServer, type Generation, type Probe } from '../fixtures/reference-server.ts';
import { eventually } from './poll.ts';
import { recorder, type Recorder } from './recorder.ts';

/** A JSON-RPC message, as loose as the wire is. */
export type Json = Record<string, unknown>;

export class ScriptedTransport {
  onmessage?: (message: unknown, extra?: unknown) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  sessionId?: string;
  readonly sent: Json[] = [];
  /** How `send` behaves; delivered at once unless the test says otherwise. */
  sending: (message: Json) => Promise<void> = () => Promise.resolve();

  start(): Promise<void> {
    return Promise.resolve();
  }

  send(message: Json): Promise<void> {
    this.sent.push(message);
    return this.sending(message);
  }

  close(): Promise<void> {
    this.onclose?.();
    return Promise.resolve();
  }

  /** Delivers a message as if the peer had sent it. */
  deliver(message: unknown, extra?: unknown): void {
    this.onmessage?.(message, extra);
  }

  /** Waits for the answer to a request. */
  answer(id: unknown): Promise<Json> {
    return eventually(`an answer to ${String(id)}`, () =>
      this.sent.find((message) => message['id'] === id && message['method'] === undefined),
    );
  }
}

/** A server of either generation, high-level or low-level. */
export type AnyServer = ServerV1 | ServerV2 | LowLevelV1 | LowLevelV2;

export interface Scripted {
  readonly transport: ScriptedTransport;
  readonly recorder: Recorder;
  /** Sends a tools/call; the answer comes by `transport.answer(id)`. */
  call(id: unknown, name: string, args?: Json, meta?: Json): void;
}

export const INITIALIZE: Json = {
  jsonrpc: '2.0',
  id: 'init',
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: { sampling: {}, elicitation: {} },
    clientInfo: { name: 't', version: '0' },
  },
};

/** Instruments a server, connects it to a scripted transport and opens the session. */
export async function script(
  server: AnyServer,
  options: InstrumentServerOptions = {},
  transport: ScriptedTransport = new ScriptedTransport(),
): Promise<Scripted> {
  const recorded = recorder();
  const { tracerProvider, meterProvider, loggerProvider } = recorded;
  instrumentServer(server, { tracerProvider, meterProvider, loggerProvider, ...options });
  await (server as ServerV1).connect(transport);
  transport.deliver(INITIALIZE);
  await transport.answer('init');
  return {
    transport,
    recorder: recorded,
    call(id, name, args = {}, meta) {
      const params = { name, arguments: args, ...(meta && { _meta: meta }) };
      transport.deliver({ jsonrpc: '2.0', id, method: 'tools/call', params });
    },
  };
}

/** The same for the reference server. */
export function scriptReference(
  generation: Generation,
  options: InstrumentServerOptions = {},
  probe: Probe = {},
): Promise<Scripted> {
  return script(referenceServer(generation, probe), options);
}

export const GENERATIONS: readonly Generation[] = ['v1', 'v2'];
