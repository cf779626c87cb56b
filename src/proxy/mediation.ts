// What the proxy does beside watching, where it is asked to: policies for tools, and tools that it answers itself. Here is what
// the proxy needs of them.
import { handleError } from '../observer/handle-error.ts';
import { ListedTools } from '../observer/listed-tools.ts';
import { isRecord, isRequest, type RequestMessage, type ResponseMessage } from '../protocol/message.ts';
import { envelopeVersion, isModern, metaOf } from '../protocol/meta.ts';
import { CLASH_PREFIX } from '../state/own-tools.ts';
import type { ToolDefinition } from '../tools/standalone.ts';
import { edited, elementsAt, isArrayAt, isObjectAt, objectAt, spaceEnd, type Edit } from './json-bytes.ts';
import type { PolicyFinder } from './tool-policies.ts';

/** A policy around the calls of one tool. */
export interface CallPolicy {
  run(
    call: (context: { readonly signal: AbortSignal }) => Promise<unknown>,
    options: { readonly signal: AbortSignal; readonly session: string | undefined; readonly input: unknown },
  ): Promise<unknown>;
}

/** Tools that the proxy answers itself. */
export interface LocalTools {
  readonly definitions: readonly ToolDefinition[];
  /** Told the names that they have by now. */
  named(names: readonly string[]): void;
  /** The result of a call; rejects where it fails. */
  call(name: string, args: unknown, caller: Caller): Promise<object>;
}

/** Who calls a tool of the proxy. */
export interface Caller {
  /** Whether it comes by HTTP: a stranger. */
  readonly remote: boolean;
  /** The MCP session, where there is one. */
  readonly session: string | undefined;
}

/** What is asked of the proxy. */
export interface MediationOptions {
  /** The policy of a tool of the server, where it has one. */
  readonly policyOf: PolicyFinder;
  readonly tools?: LocalTools | undefined;
}

/** What is done with a request. */
export type Verdict =
  | { readonly by: 'server' }
  | { readonly by: 'policy'; readonly policy: CallPolicy; readonly input: unknown }
  | { readonly by: 'proxy'; readonly answer: (caller: Caller) => Promise<object> };

const TO_SERVER: Verdict = { by: 'server' };
const INTRODUCTIONS = new Set(['initialize', 'server/discover']);

/** Decides about requests, and puts the proxy's own tools into what a server says of its own. */
export class Mediation {
  readonly #options: MediationOptions;
  readonly #serverTools = new ListedTools();
  #serverHasTools = true;
  /** Whether the last page of the server's tools has been seen: its names go first, and ours are offered there. */
  #isListed = false;

  constructor(options: MediationOptions) {
    this.#options = options;
    this.#nameOwn();
  }

  /** Whether there are tools that the proxy answers itself. */
  get hasTools(): boolean {
    return this.#options.tools !== undefined;
  }

  /** What is to be done with a request of the client. */
  verdictOn({ method, params }: RequestMessage): Verdict {
    const { tools, policyOf } = this.#options;
    if (tools !== undefined && method === 'tools/list' && !this.#serverHasTools) {
      return { by: 'proxy', answer: () => Promise.resolve({ tools: this.#offered(tools) }) };
    }
    const name = params?.['name'];
    if (method !== 'tools/call' || typeof name !== 'string') return TO_SERVER;
    const areOffered = this.#isListed || !this.#serverHasTools;
    const own = areOffered ? tools?.definitions.find((tool) => this.#nameOf(tool) === name) : undefined;
    if (tools !== undefined && own !== undefined) {
      return { by: 'proxy', answer: (caller) => tools.call(own.name, params?.['arguments'], caller) };
    }
    const listed = this.#serverTools.has(name);
    const policy = policyOf(name, listed, this.#serverTools.annotationsOf(name));
    return policy === undefined ? TO_SERVER : { by: 'policy', policy, input: params?.['arguments'] };
  }

  /** Whether the answer to this request may have to be changed. */
  changesAnswerTo({ method }: RequestMessage): boolean {
    return this.#options.tools !== undefined && (method === 'tools/list' || INTRODUCTIONS.has(method));
  }

  /** Whether the answer to this request is taken note of, or changed. */
  readsAnswerTo(request: RequestMessage): boolean {
    return request.method === 'tools/list' || this.changesAnswerTo(request);
  }

  /** Takes note of what the server answers to a request with this method. */
  learn(method: string, { result }: ResponseMessage): void {
    if (method !== 'tools/list') return;
    this.#serverTools.learn(result);
    this.#isListed ||= isRecord(result) && Array.isArray(result['tools']) && result['nextCursor'] === undefined;
    this.#nameOwn();
  }

  /** The answer with the proxy's own tools in it; the same bytes where nothing is to be added. */
  changedAnswer(method: string, bytes: Buffer, message: unknown): Buffer {
    const { tools } = this.#options;
    const result = isRecord(message) ? message['result'] : undefined;
    if (tools === undefined || !isRecord(result)) return bytes;
    if (method === 'tools/list') {
      // on the last page
      return result['nextCursor'] === undefined ? withTools(bytes, this.#offered(tools)) : bytes;
    }
    if (!isRecord(result['capabilities']) || result['capabilities']['tools'] !== undefined) return bytes;
    this.#serverHasTools = false;
    return withToolsCapability(bytes);
  }

  #nameOwn(): void {
    const { tools } = this.#options;
    tools?.named(tools.definitions.map((tool) => this.#nameOf(tool)));
  }

  #offered({ definitions }: LocalTools): ToolDefinition[] {
    return definitions.map((tool) => ({ ...tool, name: this.#nameOf(tool) }));
  }

  // the server's own names go first
  #nameOf({ name }: ToolDefinition): string {
    return this.#serverTools.has(name) ? `${CLASH_PREFIX}${name}` : name;
  }
}

/** A message that answers a request in place of the server. */
export function answerTo({ id, params }: RequestMessage, result: object): object {
  const modern = isModern(envelopeVersion(metaOf(params)));
  return { jsonrpc: '2.0', id, result: modern ? { resultType: 'complete', ...result } : result };
}

/** The result of a call that the proxy has refused or ended. Text of what is no `ToolError` stays here. */
export function failureResult(error: unknown): object {
  return handleError(error, { mode: 'strict' });
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
