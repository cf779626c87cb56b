// The registry of tools and prompts inside an McpServer of SDK v1 or v2: private, so read with care. Where its shape is
// unknown it says so once, and the message layer goes on alone.
import { complainOnce } from '../diagnostics.ts';
import { observeProperty, RequestHandlers, type Around } from '../observer/handlers.ts';
import type { HandlerLayer } from '../observer/connection.ts';
import type { ToolPolicies } from '../observer/tool-policies.ts';
import { isRecord } from '../protocol/message.ts';
import type { TargetKind } from '../protocol/method.ts';
import type { ServerInfo } from '../state/servers.ts';

type Entries = Record<string, unknown>;

/** What a server has registered, and the handlers behind it. */
export class ServerRegistry implements HandlerLayer {
  readonly #tools: Entries | undefined;
  readonly #prompts: Entries | undefined;
  readonly #requestHandlers: RequestHandlers;
  readonly #policies: ToolPolicies | undefined;

  /**
   * @param server what the application holds: an `McpServer` or a low-level `Server`.
   * @param protocol the low-level `Server` inside, or the same one.
   * @param policies what belongs around its tools.
   */
  constructor(server: object, protocol: object, policies?: ToolPolicies) {
    this.#requestHandlers = new RequestHandlers(protocol);
    this.#policies = policies;
    if (server === protocol) return;
    const { _registeredTools: tools, _registeredPrompts: prompts } = server as Record<string, unknown>;
    if (isRecord(tools)) this.#tools = tools;
    if (isRecord(prompts)) this.#prompts = prompts;
    if (this.#tools === undefined) complainAboutShape();
  }

  /** Whether the server has it; undefined for a low-level server, which keeps no registry. */
  has(kind: TargetKind, name: string): boolean | undefined {
    const entries = kind === 'tool' ? this.#tools : kind === 'prompt' ? this.#prompts : undefined;
    return entries === undefined ? undefined : Object.hasOwn(entries, name);
  }

  /** Sees that the handler of a tool, or of any other method, is observed. */
  arm(method: string, target: string | undefined): void {
    const tools = this.#tools;
    if (method !== 'tools/call' || tools === undefined) {
      this.#requestHandlers.arm(method, target, method === 'tools/call' ? this.#around('', undefined) : undefined);
      return;
    }
    if (target === undefined || !Object.hasOwn(tools, target)) return;
    const tool = tools[target];
    if (!isRecord(tool) || !observeTool(tool, this.#around(target, tool))) complainAboutShape();
  }

  #around(name: string, tool: Record<string, unknown> | undefined): Around | undefined {
    const policies = this.#policies;
    return policies === undefined ? undefined : (handler) => policies.around(name, tool, handler);
  }
}

/** How a server introduces itself; undefined where it does not show it. */
export function serverInfoOf(protocol: object): ServerInfo | undefined {
  const info = (protocol as { _serverInfo?: unknown })._serverInfo;
  if (!isRecord(info) || typeof info['name'] !== 'string') return undefined;
  const version = info['version'];
  return { name: info['name'], version: typeof version === 'string' ? version : undefined };
}

// SDK v2 runs `executor`, v1 runs `handler`: a function, or (a task) an object that has `createTask`.
function observeTool(tool: Record<string, unknown>, around: Around | undefined): boolean {
  if (observeProperty(tool, 'executor', around) || observeProperty(tool, 'handler', around)) return true;
  // a task begins at once and goes on by itself: there is no call to be put under a policy
  const task = tool['handler'];
  return isRecord(task) && observeProperty(task, 'createTask');
}

function complainAboutShape(): void {
  complainOnce(
    'registry',
    'this version of the MCP SDK keeps its tools where toolspan does not find them: spans go on, but without the exceptions that tools throw. Please update toolspan.',
  );
}
