// Policies around the tool calls of a client: its `callTool` runs under them, and its `listTools` tells what the server says of its
// tools. Both are public methods of either SDK generation.
import { ListedTools } from '../observer/listed-tools.ts';
import { ToolPolicies, type ToolPolicy } from '../observer/tool-policies.ts';
import type { ToolPolicyMap } from '../observer/tool-policy-options.ts';
import { objectWith } from '../options.ts';
import { isRecord } from '../protocol/message.ts';

type Method = (this: object, ...args: unknown[]) => Promise<unknown>;

const GUARDED = Symbol.for('toolspan.guarded.v1');

/** Puts policies around the tool calls of a client; doing it twice is harmless. */
export function guardToolCalls(client: object, map: ToolPolicyMap): void {
  if (GUARDED in client) return;
  Object.defineProperty(client, GUARDED, { value: true });
  // SDK v1 takes the schema of the result before the options
  const optionsAt = objectWith('getProtocolEra').allows(client) ? 1 : 2;
  const servers = new Servers(client, map);
  around(client, 'listTools', async (list, args) => {
    const result = await list(args);
    servers.current.listed.learn(result);
    return result;
  });
  around(client, 'callTool', (call, args) => {
    const [params] = args;
    const name = isRecord(params) ? params['name'] : undefined;
    if (!isRecord(params) || typeof name !== 'string') return call(args);
    const { current } = servers;
    const policy = current.policyOf(name);
    if (policy === undefined) return call(args);
    const options = args[optionsAt];
    const own = isRecord(options) ? options : {};
    const { signal } = own;
    return policy.run(
      async (attempt) => {
        const given = [...args];
        given[optionsAt] = { ...own, signal: attempt.signal };
        const result = await call(given);
        // whatever answers exists
        if (!isRecord(result) || result['isError'] !== true) current.listed.add(name);
        return result;
      },
      { signal: signal instanceof AbortSignal ? signal : undefined, input: params['arguments'] },
    );
  });
}

/** What is known of the server that a client is connected to: one at a time, and it may be another one later. */
class Servers {
  readonly #client: object;
  readonly #map: ToolPolicyMap;
  #name: string | undefined;
  #current: Server | undefined;

  constructor(client: object, map: ToolPolicyMap) {
    this.#client = client;
    this.#map = map;
  }

  get current(): Server {
    const { getServerVersion } = this.#client as { getServerVersion?: () => { name?: unknown } | undefined };
    const name = getServerVersion?.call(this.#client)?.name;
    if (this.#current === undefined || this.#name !== name) {
      this.#name = typeof name === 'string' ? name : undefined;
      this.#current = new Server(`client:${this.#name ?? 'server'}`, this.#map);
    }
    return this.#current;
  }
}

class Server {
  readonly listed: ListedTools = new ListedTools();
  readonly #policies: ToolPolicies;

  constructor(name: string, map: ToolPolicyMap) {
    this.#policies = new ToolPolicies(name, map);
  }

  policyOf(tool: string): ToolPolicy | undefined {
    return this.listed.has(tool)
      ? this.#policies.ofListed(tool, this.listed.annotationsOf(tool))
      : this.#policies.ofUnlisted(tool);
  }
}

function around(
  client: object,
  name: 'callTool' | 'listTools',
  make: (method: (args: unknown[]) => Promise<unknown>, args: unknown[]) => Promise<unknown>,
): void {
  const method = (client as Record<string, unknown>)[name] as Method | undefined;
  if (typeof method !== 'function') return;
  Object.defineProperty(client, name, {
    configurable: true,
    writable: true,
    value: function (this: object, ...args: unknown[]) {
      return make((given) => method.apply(this, given), args);
    },
  });
}
