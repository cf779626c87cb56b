// JSON-RPC messages of MCP: what kind a message is and what it says about itself. Pure; trusts nothing it is given.

/** A JSON-RPC id. `1` and `"1"` are different ids, and `0` is a valid one. */
export type MessageId = string | number;

/** The loose shape of `params`: whatever the peer sent, with the `_meta` object of MCP. */
export interface MessageParams {
  readonly _meta?: unknown;
  readonly [key: string]: unknown;
}

/** A message that asks for an answer. */
export interface RequestMessage {
  readonly jsonrpc?: unknown;
  readonly id: MessageId;
  readonly method: string;
  readonly params?: MessageParams;
}

/** A message that asks for none. */
export interface NotificationMessage {
  readonly jsonrpc?: unknown;
  readonly method: string;
  readonly params?: MessageParams;
}

/** An answer: it has a `result` or an `error`. */
export interface ResponseMessage {
  readonly id: MessageId;
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown };
}

/** True for an object that is not an array, so that its keys may be read. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Any number: the SDKs refuse one with a fraction, other servers answer it.
function hasId({ id }: Record<string, unknown>): boolean {
  return typeof id === 'string' || typeof id === 'number';
}

/** A request: it names a method and carries an id. */
export function isRequest(message: unknown): message is RequestMessage {
  return isRecord(message) && typeof message['method'] === 'string' && hasId(message);
}

/** A notification: it names a method and has no id. A `null` id makes it malformed, not a notification. */
export function isNotification(message: unknown): message is NotificationMessage {
  return isRecord(message) && typeof message['method'] === 'string' && message['id'] === undefined;
}

/** A response: it names no method, carries an id, and has a result or an error. */
export function isResponse(message: unknown): message is ResponseMessage {
  return (
    isRecord(message) &&
    message['method'] === undefined &&
    hasId(message) &&
    (message['result'] !== undefined || isRecord(message['error']))
  );
}
