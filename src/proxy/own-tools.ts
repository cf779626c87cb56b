// The agent's tools at the proxy: they answer about the server behind it, from what passed through.
import { claimTools } from '../state/own-tools.ts';
import { StandaloneTools } from '../tools/standalone.ts';
import type { LocalTools } from './mediation.ts';
import type { ServedServer } from './served-server.ts';

/** The tools, about this server. */
export function ownTools(served: ServedServer): LocalTools {
  served.count();
  const tools = new StandaloneTools(served);
  return {
    definitions: tools.definitions,
    named: (names) => claimTools(served, names),
    // as an MCP SDK tells a handler who calls
    call: (name, args, { remote, session }) =>
      tools.call(name, args, remote ? { sessionId: session, requestInfo: {} } : {}),
  };
}
