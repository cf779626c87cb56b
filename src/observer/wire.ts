// What a transport of either SDK shows of the wire below it. Structural: no SDK is imported, and what is unknown is left out.
import type { SendToClient } from '../logging/client-log.ts';
import { BAGGAGE, TRACEPARENT, TRACESTATE } from '../protocol/meta.ts';
import { isRecord } from '../protocol/message.ts';
import type { Network } from '../telemetry/kind.ts';

/** The wire of one connection. */
export interface Wire {
  readonly network: Network;
  /** The MCP session id, where the transport has one by now. */
  sessionId(): string | undefined;
  /** Sends a message that is nobody's operation. */
  readonly sendUnseen: SendToClient;
}

/** MCP over HTTP. */
export const HTTP: Network = { transport: 'tcp', protocol: 'http' };
/** MCP over the pipes of a process. */
export const STDIO: Network = { transport: 'pipe', protocol: undefined };
const UNKNOWN: Network = { transport: undefined, protocol: undefined };

// Public methods of the HTTP transports, server side and client side.
const HTTP_MARKS = ['handleRequest', 'handleMessage', 'handlePostMessage', 'finishAuth'];
// The stdio transports of a server and of a client.
const STDIO_MARKS = ['_stdin', '_serverParams'];

/**
 * What can be told of a transport by its shape.
 *
 * @param send its own, as it was before anybody observed it.
 */
export function wireOf(transport: object, send: SendToClient): Wire {
  return {
    sendUnseen: (message, options) => send.call(transport, message, options),
    network: networkOf(innermost(transport)),
    sessionId() {
      const id = (transport as { sessionId?: unknown }).sessionId;
      return typeof id === 'string' ? id : undefined;
    },
  };
}

function networkOf(transport: object): Network {
  if (HTTP_MARKS.some((mark) => mark in transport)) return dialled(transport);
  return STDIO_MARKS.some((mark) => mark in transport) ? STDIO : UNKNOWN;
}

// A client transport shows the address that it was made for.
function dialled(transport: object): Network {
  const { _url: url } = transport as { _url?: unknown };
  if (!(url instanceof URL)) return HTTP;
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { ...HTTP, server: { address: url.hostname, port } };
}

// `serveStdio` hands the server a channel that holds the transport proper.
function innermost(transport: object): object {
  const { _wire: wire } = transport as { _wire?: unknown };
  return isRecord(wire) ? wire : transport;
}

/** The stream that a stdio server reads, where the transport shows it. */
export function inputOf(transport: object): NodeJS.ReadableStream | undefined {
  const { _stdin: input } = innermost(transport) as { _stdin?: unknown };
  return isRecord(input) && typeof input['once'] === 'function'
    ? (input as unknown as NodeJS.ReadableStream)
    : undefined;
}

/** The trace context in the HTTP headers that came with a message; undefined where there is none. */
export function headersOf(extra: unknown): Record<string, unknown> | undefined {
  const traceparent = headerOf(extra, TRACEPARENT);
  if (traceparent === undefined) return undefined;
  return {
    [TRACEPARENT]: traceparent,
    [TRACESTATE]: headerOf(extra, TRACESTATE),
    [BAGGAGE]: headerOf(extra, BAGGAGE),
  };
}

/** The protocol revision that the HTTP headers name. */
export function versionHeaderOf(extra: unknown): string | undefined {
  return headerOf(extra, 'mcp-protocol-version');
}

// SDK v2 hands on the Request, v1 its headers as an object.
function headerOf(extra: unknown, name: string): string | undefined {
  if (!isRecord(extra)) return undefined;
  const request = extra['request'];
  if (isRecord(request) && request['headers'] instanceof Headers) return request['headers'].get(name) ?? undefined;
  const info = extra['requestInfo'];
  const headers = isRecord(info) ? info['headers'] : undefined;
  const value = isRecord(headers) ? headers[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}
