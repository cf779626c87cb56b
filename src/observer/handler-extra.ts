// What the SDKs hand to a handler beside its arguments: `extra` of v1, `ctx` of v2. Structural: no SDK is imported.
import { isRecord } from '../protocol/message.ts';

/** A handler of a tool or of any request. */
export type Handler = (this: unknown, ...args: unknown[]) => unknown;

/** The signal that is aborted when the caller withdraws the request. */
export function signalOf(extra: unknown): AbortSignal | undefined {
  if (!isRecord(extra)) return undefined;
  const request = extra['mcpReq'];
  const signal = isRecord(request) ? request['signal'] : extra['signal'];
  return signal instanceof AbortSignal ? signal : undefined;
}

/** The arguments of a handler with another signal in the last one; the same ones where there is no other. */
export function withSignalIn(args: unknown[], signal: AbortSignal | undefined): unknown[] {
  const extra = args.at(-1);
  if (signal === undefined || !isRecord(extra)) return args;
  const request = extra['mcpReq'];
  const replaced = isRecord(request) ? { ...extra, mcpReq: { ...request, signal } } : { ...extra, signal };
  return [...args.slice(0, -1), replaced];
}

/** The MCP session, where the transport has sessions. */
export function sessionOf(extra: unknown): string | undefined {
  const id = isRecord(extra) ? extra['sessionId'] : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** Who calls, where the transport has verified that: the OAuth client, and the subject of its token if it is known. */
export function callerOf(extra: unknown): string | undefined {
  if (!isRecord(extra)) return undefined;
  const { http, authInfo: direct } = extra;
  const authInfo = isRecord(http) ? http['authInfo'] : direct;
  if (!isRecord(authInfo) || typeof authInfo['clientId'] !== 'string') return undefined;
  const more = authInfo['extra'];
  const subject = isRecord(more) ? more['sub'] : undefined;
  return typeof subject === 'string' ? `${authInfo['clientId']} ${subject}` : authInfo['clientId'];
}
