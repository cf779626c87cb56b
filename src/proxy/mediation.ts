// What the proxy does beside watching, where it is asked to: policies for tools, and tools that it answers itself. The policies
// are those of toolspan/resilience, the tools those of toolspan/tools; here is what the proxy needs of them.
import { isToolError, type ToolError } from '../errors/tool-error.ts';
import { isRecord, isRequest, type RequestMessage } from '../protocol/message.ts';
import { edited, elementsAt, isArrayAt, isObjectAt, objectAt, spaceEnd, type Edit } from './json-bytes.ts';

/** A policy around the calls of one tool. */
export interface CallPolicy {
  run<T>(
    call: (context: { readonly signal: AbortSignal }) => Promise<T>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<T>;
}

/** A tool as `tools/list` shows it. */
export interface ToolDefinition {
  readonly name: string;
  readonly [key: string]: unknown;
}

/** Tools that the proxy answers itself. */
export interface LocalTools {
  readonly definitions: readonly ToolDefinition[];
  /** The result of a call; rejects where it fails. */
  call(name: string, args: unknown, signal: AbortSignal): Promise<object>;
}

/** What is asked of the proxy. */
export interface MediationOptions {
  /** The policy of a tool of the server, where it has one. */
  readonly policyOf: (tool: string) => CallPolicy | undefined;
  readonly tools?: LocalTools | undefined;
}

/** What is done with a request. */
export type Verdict =
  | { readonly by: 'server' }
  | { readonly by: 'policy'; readonly policy: CallPolicy }
  | { readonly by: 'proxy'; readonly answer: (signal: AbortSignal) => Promise<object> };

const TO_SERVER: Verdict = { by: 'server' };
const PREFIX = 'toolspan_';
const INTRODUCTIONS = new Set(['initialize', 'server/discover']);

/** Decides about requests, and puts the proxy's own tools into what a server says of its own. */
export class Mediation {
  readonly #options: MediationOptions;
  readonly #serverTools = new Set<string>();
  #serverHasTools = true;

  constructor(options: MediationOptions) {
    this.#options = options;
  }

  /** What is to be done with a request of the client. */
  verdictOn({ method, params }: RequestMessage): Verdict {
    const { tools, policyOf } = this.#options;
    if (tools !== undefined && method === 'tools/list' && !this.#serverHasTools) {
      return { by: 'proxy', answer: () => Promise.resolve({ tools: this.#offered(tools) }) };
    }
    const name = params?.['name'];
    if (method !== 'tools/call' || typeof name !== 'string') return TO_SERVER;
    const own = tools?.definitions.find((tool) => this.#nameOf(tool) === name);
    if (tools !== undefined && own !== undefined) {
      return { by: 'proxy', answer: (signal) => tools.call(own.name, params?.['arguments'], signal) };
    }
    const policy = policyOf(name);
    return policy === undefined ? TO_SERVER : { by: 'policy', policy };
  }

  /** Whether the answer to this request may have to be changed. */
  changesAnswerTo({ method }: RequestMessage): boolean {
    return this.#options.tools !== undefined && (method === 'tools/list' || INTRODUCTIONS.has(method));
  }

  /** The answer with the proxy's own tools in it; the same bytes where nothing is to be added. */
  changedAnswer(method: string, bytes: Buffer, message: unknown): Buffer {
    const { tools } = this.#options;
    const result = isRecord(message) ? message['result'] : undefined;
    if (tools === undefined || !isRecord(result)) return bytes;
    if (method === 'tools/list') {
      this.#learn(result['tools']);
      // on the last page
      return result['nextCursor'] === undefined ? withTools(bytes, this.#offered(tools)) : bytes;
    }
    if (!isRecord(result['capabilities']) || result['capabilities']['tools'] !== undefined) return bytes;
    this.#serverHasTools = false;
    return withToolsCapability(bytes);
  }

  #learn(tools: unknown): void {
    if (!Array.isArray(tools)) return;
    for (const tool of tools)
      if (isRecord(tool) && typeof tool['name'] === 'string') this.#serverTools.add(tool['name']);
  }

  #offered({ definitions }: LocalTools): ToolDefinition[] {
    return definitions.map((tool) => ({ ...tool, name: this.#nameOf(tool) }));
  }

  // the server's own names go first
  #nameOf({ name }: ToolDefinition): string {
    return this.#serverTools.has(name) ? `${PREFIX}${name}` : name;
  }
}

/** What a call ends with that the proxy has refused or ended: a result that an agent can act on. */
export function failureResult(error: unknown): object {
  const failure = isToolError(error) ? error : undefined;
  const text =
    failure === undefined
      ? 'INTERNAL_ERROR: the proxy could not make this call'
      : `${failure.code}: ${failure.message}`;
  return {
    content: [{ type: 'text', text }],
    isError: true,
    ...(failure === undefined ? undefined : { _meta: { 'toolspan/error': described(failure) } }),
  };
}

function described({ code, message, retryable, retryAfterMs }: ToolError): object {
  return { code, message, retryable, ...(retryAfterMs === undefined ? undefined : { retry_after_ms: retryAfterMs }) };
}

/** The only request in these messages, with nothing beside it. */
export function onlyRequest(messages: readonly unknown[]): RequestMessage | undefined {
  const [message] = messages;
  return messages.length === 1 && isRequest(message) ? message : undefined;
}

function resultAt(bytes: Buffer): ReturnType<typeof objectAt> | undefined {
  const result = objectAt(bytes, spaceEnd(bytes, 0)).last('result');
  return result !== undefined && isObjectAt(bytes, result.from) ? objectAt(bytes, result.from) : undefined;
}

function withTools(bytes: Buffer, tools: readonly ToolDefinition[]): Buffer {
  const list = resultAt(bytes)?.last('tools');
  if (list === undefined || !isArrayAt(bytes, list.from)) return bytes;
  const last = elementsAt(bytes, list.from).at(-1);
  const text = tools.map((tool) => JSON.stringify(tool)).join(',');
  const at = last?.to ?? list.from + 1;
  const edit: Edit = { from: at, to: at, text: last === undefined ? text : `,${text}` };
  return edited(bytes, [edit]);
}

function withToolsCapability(bytes: Buffer): Buffer {
  const capabilities = resultAt(bytes)?.last('capabilities');
  if (capabilities === undefined) return bytes;
  const at = capabilities.from + 1;
  const { isEmpty } = objectAt(bytes, capabilities.from);
  return edited(bytes, [{ from: at, to: at, text: isEmpty ? '"tools":{}' : '"tools":{},' }]);
}
