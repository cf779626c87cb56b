// The policies of a file, for the tools of the server behind the proxy: made when a tool is first called, one for each.
import type { DoorConfig, ToolPolicyConfig } from '../config/config-file.ts';
import { complainOnce } from '../diagnostics.ts';
import type { CallPolicy } from './mediation.ts';

/** Makes a policy: `policy` of toolspan/resilience. */
export type PolicyMaker = (name: string, options: ToolPolicyConfig) => CallPolicy;

const ANY = '*';
const MAX_TOOLS = 500;

/**
 * Says which policy a tool has. One that is not named has that of `*`, for itself alone.
 *
 * A retry is left to clients: the proxy knows neither what a tool does nor who else retries.
 *
 * @param server the name of the server, which its policies carry.
 */
export function policiesOf(
  server: string,
  { tools }: DoorConfig,
  make: PolicyMaker,
): (tool: string) => CallPolicy | undefined {
  const made = new Map<string, CallPolicy>();
  return (tool) => {
    const there = made.get(tool);
    if (there !== undefined) return there;
    // names that a client made up must not make policies without end
    const key = Object.hasOwn(tools, tool) ? tool : ANY;
    const options = tools[key];
    if (options === undefined || (key === ANY && made.size >= MAX_TOOLS)) return undefined;
    const { retry, ...applied } = options;
    if (retry !== undefined && retry !== false) {
      complainOnce(
        `retry:${key}`,
        `the retry of tools.${key} is not applied by wrap: a client or the server may retry.`,
      );
    }
    const policy = make(`${server}/${tool}`, applied);
    made.set(tool, policy);
    return policy;
  };
}
