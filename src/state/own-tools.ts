// The tools that toolspan itself has put on servers: they answer about the figures, so they are not counted in them.
import { protocolOf } from './servers.ts';
import { shared } from './shared.ts';

const byServer = shared('own-tools', () => new WeakMap<object, Set<string>>());
const spanNames = shared('own-span-names', () => new Set<string>());
const MAX_SPAN_NAMES = 100;

/** Says that a tool of this server is ours. */
export function claimTool(server: object, tool: string): void {
  const protocol = protocolOf(server);
  const tools = byServer.get(protocol) ?? new Set();
  tools.add(tool);
  byServer.set(protocol, tools);
  if (spanNames.size < MAX_SPAN_NAMES) spanNames.add(`tools/call ${tool}`);
}

/** The tools of this server that are ours; later ones are added to the same set. */
export function ownToolsOf(server: object): ReadonlySet<string> {
  const protocol = protocolOf(server);
  const tools = byServer.get(protocol) ?? new Set();
  byServer.set(protocol, tools);
  return tools;
}

/** Whether a span has the name of a call of one of our tools. */
export function isOwnSpan(name: string): boolean {
  return spanNames.has(name);
}
