// The registry of tools and prompts inside an McpServer of SDK v1 or v2: private, so read with care. Where its shape is
// unknown it says so once, and the message layer goes on alone.
import { complainOnce } from '../diagnostics.ts';
import type { HandlerLayer } from '../observer/door.ts';
import type { Handler } from '../observer/handler-extra.ts';
import { isHandlerObserved, observeProperty, RequestHandlers, type Around } from '../observer/handlers.ts';
import type { ToolPolicies } from '../observer/tool-policies.ts';
import { isRecord } from '../protocol/message.ts';
import type { TargetKind } from '../protocol/method.ts';
import { ownToolsOf } from '../state/own-tools.ts';
import type { ServerInfo } from '../state/servers.ts';

type Entries = Record<string, unknown>;

// What is run: by SDK v2, by v1, and by v1 before 1.24.
const OBSERVED_KEYS = ['executor', 'handler', 'callback'];

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
    // an McpServer without any may have been given a request handler of the application's own
    return entries === undefined || isEmpty(entries) ? undefined : Object.hasOwn(entries, name);
  }

  /** Sees that the handler of a tool, or of any other method, is observed. */
  arm(method: string, target: string | undefined): void {
    const tools = this.#tools;
    if ((method === 'tools/call' || method === 'tools/list') && tools !== undefined && !isEmpty(tools))
      this.#policies?.checkNames(tools);
    if (method !== 'tools/call' || tools === undefined || isEmpty(tools)) {
      this.#requestHandlers.arm(method, target, this.#around(method));
      return;
    }
    if (target === undefined || !Object.hasOwn(tools, target)) return;
    const tool = tools[target];
    if (!isRecord(tool)) complainAboutShape();
    else if (!isToolObserved(tool) && !observeTool(tool, this.#aroundTool(target, tool))) complainAboutShape();
  }

  #aroundTool(name: string, tool: Entries): Around {
    return (handler) => this.#policies?.around(name, tool, handler) ?? handler;
  }

  #around(method: string): Around | undefined {
    if (method === 'tools/call') return (handler) => this.#aroundAll(handler);
    return method === 'tools/list' ? (handler) => this.#policies?.learningFrom(handler) ?? handler : undefined;
  }

  // Around the one request handler that serves all tools of a low-level server. An McpServer may get tools later; then each
  // of them has its own.
  #aroundAll(handler: Handler): Handler {
    const guarded = this.#policies?.around('', undefined, handler) ?? handler;
    const hasTools = () => this.#tools !== undefined && !isEmpty(this.#tools);
    return function (this: unknown, ...args) {
      return (hasTools() ? handler : guarded).apply(this, args);
    };
  }
}

/** The tools that an application has registered by now, with their annotations; none of a low-level server. */
export function* registeredTools(server: object): Generator<readonly [name: string, annotations: unknown]> {
  const { _registeredTools: tools } = server as Record<string, unknown>;
  if (!isRecord(tools)) return;
  const ours = ownToolsOf(server);
  for (const [name, tool] of Object.entries(tools))
    if (!ours.has(name)) yield [name, isRecord(tool) ? tool['annotations'] : undefined];
}

/** How a server introduces itself; undefined where it does not show it. */
export function serverInfoOf(protocol: object): ServerInfo | undefined {
  const info = (protocol as { _serverInfo?: unknown })._serverInfo;
  if (!isRecord(info) || typeof info['name'] !== 'string') return undefined;
  const version = info['version'];
  return { name: info['name'], version: typeof version === 'string' ? version : undefined };
}

function isToolObserved(tool: Entries): boolean {
  for (const key of OBSERVED_KEYS) {
    const handler = tool[key];
    if (typeof handler === 'function') return isHandlerObserved(handler as Handler);
  }
  return false;
}

// A task's `handler` is an object that has `createTask`.
function observeTool(tool: Record<string, unknown>, around: Around): boolean {
  if (OBSERVED_KEYS.some((key) => observeProperty(tool, key, around))) return true;
  // a task begins at once and goes on by itself: there is no call to be put under a policy
  const task = tool['handler'];
  return isRecord(task) && observeProperty(task, 'createTask');
}

function isEmpty(entries: Entries): boolean {
  for (const _name in entries) return false;
  return true;
}

/** Whether the server has told its clients that it sends log messages. */
export function offersLogs(protocol: object): boolean {
  const capabilities = (protocol as { _capabilities?: unknown })._capabilities;
  return isRecord(capabilities) && capabilities['logging'] !== undefined;
}

function complainAboutShape(): void {
  complainOnce(
    'registry',
    'this version of the MCP SDK keeps its tools where toolspan does not find them: spans go on, but without the exceptions that tools throw. Please update toolspan.',
  );
}
