// Who may ask what. A caller over HTTP is a stranger: without the application's word it learns about its own session, or
// about a trace whose id it holds.
import { complainAboutFailure } from '../diagnostics.ts';
import { ToolError } from '../errors/tool-error.ts';

/** One call of one of our tools, as `authorize` sees it. */
export interface ObservabilityCall {
  /** The name of the tool, without a prefix. */
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The MCP session, where the protocol has one. */
  readonly sessionId: string | undefined;
  /** What the transport knows of the caller: the `authInfo` of the MCP SDK. */
  readonly authInfo: unknown;
  /** False for a caller over stdio or in memory, which is whoever runs this process. */
  readonly remote: boolean;
}

/** Says whether a caller may ask; only `true` lets it. */
export type Authorize = (call: ObservabilityCall) => boolean | Promise<boolean>;

/** What a caller may learn of errors and traces: all, what its session did, or what it holds the trace id of. */
export type Scope = 'all' | 'session' | 'trace';

/** A caller that may ask. */
export interface Caller {
  readonly scope: Scope;
  readonly sessionId: string | undefined;
}

/**
 * Finds out who calls, and whether it may.
 *
 * @throws {ToolError} `PERMISSION_DENIED` where `authorize` does not say `true`.
 */
export async function admit(
  authorize: Authorize | undefined,
  tool: string,
  args: Readonly<Record<string, unknown>>,
  extra: unknown,
): Promise<Caller> {
  const { sessionId, authInfo, remote } = callerOf(extra);
  if (authorize !== undefined) {
    const allowed = await answerOf(authorize, { tool, arguments: args, sessionId, authInfo, remote });
    if (allowed !== true) throw new ToolError('PERMISSION_DENIED', `${tool} is not open to this caller.`);
    return { scope: 'all', sessionId };
  }
  return { scope: !remote ? 'all' : sessionId === undefined ? 'trace' : 'session', sessionId };
}

// What goes wrong while it is decided lets nobody in, and tells the caller nothing.
async function answerOf(authorize: Authorize, call: ObservabilityCall): Promise<unknown> {
  try {
    return await authorize(call);
  } catch (error) {
    complainAboutFailure('authorize of the observability tools', error);
    return false;
  }
}

// SDK v1 hands its handlers `extra`, v2 `ctx`: both tell of HTTP only where there is HTTP.
function callerOf(extra: unknown): { sessionId: string | undefined; authInfo: unknown; remote: boolean } {
  const { sessionId, authInfo, requestInfo, http } = (extra ?? {}) as {
    readonly sessionId?: unknown;
    readonly authInfo?: unknown;
    readonly requestInfo?: unknown;
    readonly http?: { readonly authInfo?: unknown };
  };
  const session = typeof sessionId === 'string' ? sessionId : undefined;
  return {
    sessionId: session,
    authInfo: authInfo ?? http?.authInfo,
    remote: session !== undefined || requestInfo !== undefined || http !== undefined,
  };
}
