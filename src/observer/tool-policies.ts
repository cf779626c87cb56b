// Policies around whole tools: found by the name of a tool or its annotations, kept by server and tool, since some hosts make
// a server for each request. In a server they stand between what tells the client of an error and the tool's own handler.
import { ambientSignal, runningCall, withSignal } from '../context.ts';
import { complainAboutFailure, complainOnce } from '../diagnostics.ts';
import { shown } from '../options.ts';
import { isRecord } from '../protocol/message.ts';
import { isUrlElicitation } from '../protocol/outcome.ts';
import type { CallContext } from '../resilience/call.ts';
import { policyOrEarlier, type NamedPolicy } from '../resilience/policy.ts';
import { shared } from '../state/shared.ts';
import { OTHER } from '../telemetry/names.ts';
import { callerOf, sessionOf, signalOf, withSignalIn, type Handler } from './handler-extra.ts';
import { ListedTools } from './listed-tools.ts';
import {
  agreeing,
  isNamedIn,
  isToolResult,
  mayGain,
  namesIn,
  ownPartsFor,
  partsFor,
  policyOptionsOf,
  TOOL_RESULT,
  type ToolPolicyMap,
  type ToolPolicyOptions,
  type ToolRateLimitOptions,
} from './tool-policy-options.ts';

const MAX_TOOLS = 500;
const MAX_SERVERS = 100;
const MAX_SHOWN = 20;
const defaults = shared<{ tools: ToolPolicyMap | undefined }>('default-tool-policies', () => ({ tools: undefined }));
const listedTools = shared('listed-tools', () => new Map<string, ListedTools>());

/** Policies that hold on every server of this process, as far as it has none of its own by the same name or annotation. */
export function setDefaultToolPolicies(tools: ToolPolicyMap): void {
  defaults.tools = tools;
}

/** What is in force on a server with policies of its own, or none. */
export function toolPoliciesInForce(own: ToolPolicyMap | undefined): ToolPolicyMap | undefined {
  return own === undefined || defaults.tools === undefined ? (own ?? defaults.tools) : { ...defaults.tools, ...own };
}

/** What a call of a tool says of itself. */
export interface ToolCall {
  /** Aborted when the call is withdrawn. */
  readonly signal?: AbortSignal | undefined;
  /** The MCP session, where there is one. */
  readonly session?: string | undefined;
  /** Who calls, where that is verified. */
  readonly caller?: string | undefined;
  /** Its arguments, for a fallback to go by. */
  readonly input?: unknown;
}

/** What a tool threw that is no failure, on its way past the policies. */
class Passing {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    this.thrown = thrown;
  }
}

/** The policies around one tool. */
export class ToolPolicy {
  readonly annotations: unknown;
  readonly #policy: NamedPolicy<unknown>;
  readonly #options: ToolPolicyOptions;

  constructor(around: NamedPolicy<unknown>, options: ToolPolicyOptions, annotations: unknown) {
    this.#policy = around;
    this.#options = options;
    this.annotations = annotations;
  }

  /** Whether a time limit may end a part of a call before the call itself. */
  get isLimited(): boolean {
    const { timeoutMs, attemptTimeoutMs } = this.#options;
    return typeof timeoutMs === 'number' || typeof attemptTimeoutMs === 'number';
  }

  /** Makes a call under them. Settles as `policy(...).run` does; what asks for something passes, and is no failure. */
  async run(call: (context: CallContext) => unknown, { signal, session, caller, input }: ToolCall): Promise<unknown> {
    const { retry, rateLimit } = this.#options;
    const force = isRecord(retry) && retry['force'] === true;
    const per = isRecord(rateLimit) ? (rateLimit as ToolRateLimitOptions).per : 'all';
    const result = await this.#policy.run(
      async (context) => {
        try {
          return await call(context);
        } catch (error) {
          if (isUrlElicitation(error)) return new Passing(error);
          throw error;
        }
      },
      {
        signal,
        key: keyOf(per, session, caller),
        input,
        idempotent: force || isIdempotent(this.annotations),
      },
    );
    if (result instanceof Passing) throw result.thrown;
    return result;
  }
}

/** The policies of the tools of one server. */
export class ToolPolicies {
  readonly #server: string;
  readonly #map: ToolPolicyMap;
  readonly #own: ReadonlySet<string>;
  readonly #bound = new Map<string, { readonly annotations: unknown; readonly policy: ToolPolicy | undefined }>();
  #namesChecked = false;

  /**
   * @param server the name of the server, which the names of the policies begin with.
   * @param map as `checkToolPolicies` allows.
   * @param own the tools that toolspan itself has put on the server: only what names them is around them.
   */
  constructor(server: string, map: ToolPolicyMap, own: ReadonlySet<string> = new Set()) {
    this.#server = server;
    this.#map = map;
    this.#own = own;
  }

  /**
   * The handler with its policies around it.
   *
   * @param tool the tool as the server keeps it; undefined for a low-level server, whose one handler serves all tools.
   */
  around(name: string, tool: Record<string, unknown> | undefined, handler: Handler): Handler {
    const find = (called: string) =>
      tool === undefined ? this.#ofLowLevel(called) : this.ofListed(called, tool['annotations']);
    return function (this: unknown, ...args: unknown[]): unknown {
      const found = find(runningCall()?.target ?? name);
      if (found === undefined) return handler.apply(this, args);
      return run(found, (signal) => handler.apply(this, withSignalIn(args, signal)), args);
    };
  }

  /** The handler of `tools/list` of a low-level server: what it answers says which tools there are. */
  learningFrom(handler: Handler): Handler {
    const learn = (result: unknown) => {
      try {
        listedToolsOf(this.#server).learn(result);
      } catch (error) {
        complainAboutFailure('reading a list of tools', error);
      }
    };
    return function (this: unknown, ...args: unknown[]): unknown {
      const returned = handler.apply(this, args);
      if (returned instanceof Promise) returned.then(learn, () => {});
      else learn(returned);
      return returned;
    };
  }

  /** Says once which of the names that have policies no tool has. */
  checkNames(tools: Readonly<Record<string, unknown>>): void {
    if (this.#namesChecked) return;
    this.#namesChecked = true;
    for (const name of namesIn(this.#map)) {
      if (Object.hasOwn(tools, name)) continue;
      complainOnce(
        `tool name ${this.#server}/${name}`,
        `tools[${JSON.stringify(name)}]: the server "${this.#server}" has no tool of this name by now; it has ${Object.keys(tools).slice(0, MAX_SHOWN).join(', ')}. Please check the name.`,
      );
    }
  }

  /** The policies of a tool that the server has. */
  ofListed(name: string, annotations: unknown): ToolPolicy | undefined {
    const parts = this.#own.has(name) ? ownPartsFor(this.#map, name) : partsFor(this.#map, name, annotations);
    return this.#bind(name, name, annotations, parts);
  }

  /**
   * Those of a name that may be the client's choice. One that the map names has policies of its own. All others have one policy
   * together, without a breaker: what fails under a made-up name says nothing of any tool.
   */
  ofUnlisted(name: string): ToolPolicy | undefined {
    if (isNamedIn(this.#map, name)) {
      // with what its annotations will add when it is listed it is another policy
      const policy = mayGain(this.#map, name) ? `${name} (not listed)` : name;
      return this.#bind(name, policy, undefined, partsFor(this.#map, name));
    }
    return this.#bind('*', '*', undefined, [...partsFor(this.#map, '*'), { breaker: false }]);
  }

  #ofLowLevel(name: string): ToolPolicy | undefined {
    const listed = listedToolsOf(this.#server);
    return listed.has(name) ? this.ofListed(name, listed.annotationsOf(name)) : this.ofUnlisted(name);
  }

  #bind(tool: string, name: string, annotations: unknown, parts: readonly ToolPolicyOptions[]): ToolPolicy | undefined {
    const there = this.#bound.get(name);
    if (there !== undefined && there.annotations === annotations) return there.policy;
    const known = this.#bound.size < MAX_TOOLS || there !== undefined;
    const policy = this.#policyOf(tool, known ? name : OTHER, parts, annotations);
    if (known) this.#bound.set(name, { annotations, policy });
    return policy;
  }

  #policyOf(
    tool: string,
    name: string,
    parts: readonly ToolPolicyOptions[],
    annotations: unknown,
  ): ToolPolicy | undefined {
    try {
      return this.#make(tool, name, parts, annotations);
    } catch (error) {
      complainAboutFailure(`making the policies of tool "${tool}" of server "${this.#server}"`, error);
      return undefined;
    }
  }

  #make(tool: string, name: string, parts: readonly ToolPolicyOptions[], annotations: unknown): ToolPolicy | undefined {
    const { options, leftOut, why } = agreeing(parts);
    if (Object.values(options).every((value) => value === undefined || value === false)) return undefined;
    const whose = `tool "${tool}" of server "${this.#server}"`;
    const said = `tool policy ${this.#server}/${name}`;
    if (why !== undefined) {
      const without = leftOut.join(', ');
      complainOnce(said, `the policies of ${whose} contradict each other, so it runs without ${without}: ${why}`);
    }
    const fallback = answering(whose, options.fallback);
    // the other options are those of an earlier server of this name, or of earlier annotations
    const made = policyOrEarlier<unknown>(
      `${this.#server}/${name}`,
      policyOptionsOf({ ...options, fallback }),
      ({ message }) =>
        complainOnce(said, `the policies of ${whose} differ from those it had before, which stay: ${message}`),
    );
    return new ToolPolicy(made, options, annotations);
  }
}

// Some hosts make a server for each request, and a client need not list the tools of each.
function listedToolsOf(server: string): ListedTools {
  const there = listedTools.get(server);
  if (there !== undefined) return there;
  const listed = new ListedTools();
  if (listedTools.size < MAX_SERVERS) listedTools.set(server, listed);
  return listed;
}

// What a fallback makes up must be what the client can read.
function answering(whose: string, fallback: unknown): unknown {
  if (typeof fallback !== 'function') return fallback;
  return async (error: unknown, input: unknown) => {
    const answer: unknown = await (fallback as (error: unknown, input: unknown) => unknown)(error, input);
    if (isToolResult(answer)) return answer;
    const wrong = `the fallback of ${whose} must return ${TOOL_RESULT}, got ${shown(answer)}`;
    complainOnce(`fallback of ${whose}`, `${wrong}; the call failed.`);
    throw new TypeError(wrong);
  };
}

function run(
  around: ToolPolicy,
  call: (signal: AbortSignal | undefined) => unknown,
  args: readonly unknown[],
): Promise<unknown> {
  const extra = args.at(-1);
  const limited = around.isLimited;
  return around.run(
    (context) => {
      const signal = limited ? context.signal : undefined;
      return signal === undefined ? call(undefined) : withSignal(signal, () => call(signal));
    },
    {
      // where nothing is observed nobody has noted the signal of the call
      signal: ambientSignal() === undefined ? signalOf(extra) : undefined,
      session: sessionOf(extra),
      caller: callerOf(extra),
      // a tool without an input schema is not given its arguments
      input: args.length > 1 ? args[0] : undefined,
    },
  );
}

function isIdempotent(annotations: unknown): boolean {
  return isRecord(annotations) && (annotations['readOnlyHint'] === true || annotations['idempotentHint'] === true);
}

function keyOf(
  per: ToolRateLimitOptions['per'] = 'session',
  session: string | undefined,
  caller: string | undefined,
): string | undefined {
  if (per === 'all') return undefined;
  if (per === 'session' && session !== undefined) return `session ${session}`;
  return caller === undefined ? undefined : `caller ${caller}`;
}
