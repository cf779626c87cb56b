// The tools that toolspan itself has put on servers: they answer about the figures, so they are not counted in them.
import { knownServer } from './servers.ts';
import { shared } from './shared.ts';

const spanNames = shared('own-span-names', () => new Set<string>());
const MAX_SPAN_NAMES = 100;

/** What stands before the name of a tool of ours where a server has one of that name. */
export const CLASH_PREFIX = 'toolspan_';

/** Says that a tool of this server is ours. */
export function claimTool(server: object, tool: string): void {
  knownServer(server).ownTools.add(tool);
  if (spanNames.size < MAX_SPAN_NAMES) spanNames.add(`tools/call ${tool}`);
}

/** Says that of the tools of this server just these are ours: they may have been renamed. */
export function claimTools(server: object, tools: Iterable<string>): void {
  knownServer(server).ownTools.clear();
  for (const tool of tools) claimTool(server, tool);
}

/** The tools of this server that are ours; later ones are added to the same set. */
export function ownToolsOf(server: object): ReadonlySet<string> {
  return knownServer(server).ownTools;
}

/** Whether a span has the name of a call of one of our tools. */
export function isOwnSpan(name: string): boolean {
  return spanNames.has(name);
}
