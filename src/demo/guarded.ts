// What keeps a browser away from the demo's server: any page can reach a port on this machine, so a request has to name
// a host that is expected and come from no foreign page.
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  type McpHttpHandler,
} from '@modelcontextprotocol/server';
import type { listen } from './listen.ts';

/**
 * The handler for Node, behind the guard.
 *
 * @param alsoHosts host names that requests may name beside those of loopback.
 */
export function guarded(
  handler: Pick<McpHttpHandler, 'fetch'>,
  alsoHosts: readonly string[] = [],
): Parameters<typeof listen>[0] {
  const hosts = [...localhostAllowedHostnames(), ...alsoHosts];
  const fetch = async (request: Request): Promise<Response> =>
    hostHeaderValidationResponse(request, hosts) ??
    originValidationResponse(request, localhostAllowedOrigins()) ??
    (await handler.fetch(request));
  return toNodeHandler({ fetch }) as Parameters<typeof listen>[0];
}
