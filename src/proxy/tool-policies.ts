// The policies of a file, for the tools of the server behind the proxy.
import { complainOnce } from '../diagnostics.ts';
import { ToolPolicies } from '../observer/tool-policies.ts';
import type { ToolPolicyMap } from '../observer/tool-policy-options.ts';
import type { CallPolicy } from './mediation.ts';

/** Says which policies a tool has, by its name and, where the server has listed it, its annotations. */
export type PolicyFinder = (tool: string, listed: boolean, annotations: unknown) => CallPolicy | undefined;

/**
 * The policies of the tools of one server.
 *
 * A retry is left to clients: the proxy knows neither what a tool has done nor who else retries.
 *
 * @param server asked for the name of the server when a tool is first called; policies carry it.
 */
export function policiesOf(server: () => string, map: ToolPolicyMap): PolicyFinder {
  const applied = Object.fromEntries(Object.entries(map).map(([key, options]) => [key, withoutRetry(key, options)]));
  let policies: ToolPolicies | undefined;
  return (tool, listed, annotations) => {
    policies ??= new ToolPolicies(server(), applied);
    return listed ? policies.ofListed(tool, annotations) : policies.ofUnlisted(tool);
  };
}

function withoutRetry(key: string, options: ToolPolicyMap[string]): ToolPolicyMap[string] {
  const { retry, ...rest } = options;
  if (retry !== undefined && retry !== false) {
    complainOnce(
      `retry:${key}`,
      `the retry of tools.${key} is not applied by wrap: the client, or the server, may retry.`,
    );
  }
  return rest;
}
