// What `params._meta` says: the trace context of SEP-414 and the per-request envelope of revision 2026-07-28. Pure.
import { isRecord, type MessageParams } from './message.ts';

/** The bare `_meta` keys of SEP-414: https://modelcontextprotocol.io/seps/414. */
export const TRACEPARENT = 'traceparent';
export const TRACESTATE = 'tracestate';
export const BAGGAGE = 'baggage';

const PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion';

/** The `_meta` object of a message, or undefined where there is none that can be read. */
export function metaOf(params: MessageParams | undefined): Record<string, unknown> | undefined {
  if (!isRecord(params)) return undefined;
  const meta = params['_meta'];
  return isRecord(meta) ? meta : undefined;
}

/** The protocol version that the message itself names (2026-07-28 and later), or undefined. */
export function envelopeVersion(meta: Record<string, unknown> | undefined): string | undefined {
  const version = meta?.[PROTOCOL_VERSION];
  return typeof version === 'string' ? version : undefined;
}

/** Whether a protocol version is 2026-07-28 or later; versions are dates. */
export function isModern(version: string | undefined): boolean {
  return version !== undefined && version >= '2026-07-28';
}

/**
 * A copy of the message with these keys added to `params._meta`; the caller's object is left as it is. The message itself
 * where its params are no object.
 */
export function withMeta<M extends { readonly params?: MessageParams }>(
  message: M,
  added: Readonly<Record<string, string>>,
): M {
  if (message.params !== undefined && !isRecord(message.params)) return message;
  const meta = metaOf(message.params);
  return { ...message, params: { ...message.params, _meta: { ...meta, ...added } } };
}
