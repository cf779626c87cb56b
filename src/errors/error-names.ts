// What the `code` of an error means: those of Node's system calls, of undici, and of the MCP SDKs. Pure.
import type { ErrorCode, Fault } from './error-code.ts';
import { read, readString } from './read.ts';

/** What a `code` says. */
export interface NamedFailure {
  readonly code: ErrorCode;
  /** Where it is not that of the code. */
  readonly fault?: Fault;
  readonly retryable?: boolean;
}

const UNREACHABLE: NamedFailure = { code: 'UNAVAILABLE' };
const LATE: NamedFailure = { code: 'TIMEOUT' };
const NOT_THERE: NamedFailure = { code: 'RESOURCE_NOT_FOUND' };
const FORBIDDEN: NamedFailure = { code: 'PERMISSION_DENIED' };
// files, memory or processes of this machine have run out: waiting may help, but the fault is here
const EXHAUSTED: NamedFailure = { code: 'UNAVAILABLE', fault: 'server' };

const CODES: Readonly<Record<string, NamedFailure>> = {
  ECONNREFUSED: UNREACHABLE,
  ECONNRESET: UNREACHABLE,
  ECONNABORTED: UNREACHABLE,
  EPIPE: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  EAI_FAIL: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  EHOSTDOWN: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENETDOWN: UNREACHABLE,
  ENETRESET: UNREACHABLE,
  EADDRNOTAVAIL: UNREACHABLE,
  ETIMEDOUT: LATE,
  ESOCKETTIMEDOUT: LATE,
  ENOENT: NOT_THERE,
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  EROFS: FORBIDDEN,
  EMFILE: EXHAUSTED,
  ENFILE: EXHAUSTED,
  ENOMEM: EXHAUSTED,
  ENOSPC: EXHAUSTED,
  EAGAIN: EXHAUSTED,
  EBUSY: EXHAUSTED,
  ERR_NETWORK: UNREACHABLE, // axios
  ERR_SOCKET_CLOSED: UNREACHABLE,
  ERR_SOCKET_CONNECTION_TIMEOUT: LATE,
  UND_ERR_CONNECT_TIMEOUT: LATE,
  UND_ERR_HEADERS_TIMEOUT: LATE,
  UND_ERR_BODY_TIMEOUT: LATE,
  UND_ERR_SOCKET: UNREACHABLE,
  UND_ERR_CLOSED: UNREACHABLE,
  UND_ERR_DESTROYED: UNREACHABLE,
  REQUEST_TIMEOUT: LATE, // SdkError of MCP SDK v2
  CONNECTION_CLOSED: UNREACHABLE,
  NOT_CONNECTED: UNREACHABLE,
  SEND_FAILED: UNREACHABLE,
};

/** What the `code` of an error means; undefined for a code that is not known, such as those of a database. */
export function namedFailureOf(thrown: unknown): NamedFailure | undefined {
  const code = readString(thrown, 'code');
  if (code === undefined || !Object.hasOwn(CODES, code)) return undefined;
  // axios names its own time limit so
  if (code === 'ECONNABORTED' && readString(thrown, 'message')?.startsWith('timeout') === true) return LATE;
  return CODES[code];
}

/** The error code that a JSON-RPC error stands for; undefined for one that is no failure, or of another application. */
export function codeOfJsonRpc(code: number): ErrorCode | undefined {
  switch (code) {
    case -32700: // parse error
    case -32600: // invalid request
    case -32602: // invalid params
    case -32020: // header mismatch, from here on of MCP
    case -32021: // missing client capability
    case -32022: // unsupported protocol version
      return 'VALIDATION_ERROR';
    case -32601: // method not found
    case -32002: // resource not found
      return 'RESOURCE_NOT_FOUND';
    case -32603:
      return 'INTERNAL_ERROR';
    case -32001: // request timeout, of SDK v1
      return 'TIMEOUT';
    case -32000: // connection closed, of SDK v1
      return 'UNAVAILABLE';
    default:
      return undefined;
  }
}

/**
 * The JSON-RPC code of an error that was made to be sent as it is (`McpError` of SDK v1, `ProtocolError` of v2); undefined
 * for any other. A number alone does not make one: databases have numbers of their own.
 */
export function protocolCodeOf(thrown: unknown): number | undefined {
  const code = read(thrown, 'code');
  if (typeof code !== 'number' || !Number.isSafeInteger(code)) return undefined;
  if (code >= -32_768 && code <= -32_000) return code;
  const name = readString(thrown, 'name');
  return name === 'McpError' || name === 'ProtocolError' ? code : undefined;
}
