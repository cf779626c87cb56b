// Reading values that may be anything: a getter may throw, a proxy may be revoked, a name may be no string. Never throws. Pure.

/** The property of a value; undefined where there is none, or where reading it throws. */
export function read(value: unknown, key: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** The property where it is a string. */
export function readString(value: unknown, key: string): string | undefined {
  const found = read(value, key);
  return typeof found === 'string' ? found : undefined;
}

/** Whether a value is an error, of this or another realm. */
export function isError(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
  } catch {
    return false;
  }
}

/** Whether a value is an array; a revoked proxy is none. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** The text that the MCP SDKs send for a thrown value: the message of an error, anything else as a string. */
export function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  try {
    const message: unknown = isError(thrown) ? thrown.message : thrown;
    return typeof message === 'string' ? message : String(message);
  } catch {
    return 'a value that cannot be printed';
  }
}
