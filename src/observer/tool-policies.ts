// Policies around whole tools: found by the name of a tool or its annotations, kept by server and tool, since some hosts make
// a server for each request. In a server they stand between what tells the client of an error and the tool's own handler.
import { ambientSignal, runningCalls, withSignal } from '../context.ts';
import { complainOnce } from '../diagnostics.ts';
import { isRecord } from '../protocol/message.ts';
import { isUrlElicitation } from '../protocol/outcome.ts';
import type { CallContext } from '../resilience/call.ts';
import { policy, type NamedPolicy } from '../resilience/policy.ts';
import { policyNamed } from '../resilience/registry.ts';
import { OTHER } from '../telemetry/names.ts';
import { callerOf, sessionOf, signalOf, withSignalIn, type Handler } from './handler-extra.ts';
import {
  optionsFor,
  policyOptionsOf,
  type ToolPolicyMap,
  type ToolPolicyOptions,
  type ToolRateLimitOptions,
} from './tool-policy-options.ts';

const MAX_TOOLS = 500;

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
  readonly #bound = new Map<string, { readonly annotations: unknown; readonly policy: ToolPolicy | undefined }>();

  /**
   * @param server the name of the server, which the names of the policies begin with.
   * @param map as `checkToolPolicies` allows.
   */
  constructor(server: string, map: ToolPolicyMap) {
    this.#server = server;
    this.#map = map;
  }

  /**
   * The handler with its policies around it.
   *
   * @param tool the tool as the server keeps it; undefined for a low-level server, whose one handler serves all tools.
   */
  around(name: string, tool: Record<string, unknown> | undefined, handler: Handler): Handler {
    const find = (called: string) =>
      tool === undefined ? this.ofUnlisted(called) : this.ofListed(called, tool['annotations']);
    return function (this: unknown, ...args: unknown[]): unknown {
      const found = find(runningCalls.getStore()?.target ?? name);
      if (found === undefined) return handler.apply(this, args);
      return run(found, (signal) => handler.apply(this, withSignalIn(args, signal)), args);
    };
  }

  /** The policies of a tool that the server has. */
  ofListed(name: string, annotations: unknown): ToolPolicy | undefined {
    const there = this.#bound.get(name);
    if (there !== undefined && there.annotations === annotations) return there.policy;
    const options = optionsFor(this.#map, name, annotations);
    const known = this.#bound.size < MAX_TOOLS || there !== undefined;
    const made = this.#policyOf(known ? name : OTHER, options);
    const found = made === undefined ? undefined : new ToolPolicy(made, options, annotations);
    if (known) this.#bound.set(name, { annotations, policy: found });
    return found;
  }

  /** Those of a name that may be the client's choice: only what the map lists has a policy of its own. */
  ofUnlisted(name: string): ToolPolicy | undefined {
    return this.ofListed(Object.hasOwn(this.#map, name) ? name : '*', undefined);
  }

  #policyOf(name: string, options: ToolPolicyOptions): NamedPolicy<unknown> | undefined {
    try {
      const pure = policyOptionsOf(options);
      return Object.values(options).every((value) => value === undefined || value === false)
        ? undefined
        : policy<unknown>(`${this.#server}/${name}`, pure);
    } catch (error) {
      // the other options are those of an earlier server of this name, or of earlier annotations
      const earlier = policyNamed(`${this.#server}/${name}`);
      complainOnce(
        `tool policy ${this.#server}/${name}`,
        `the policies of tool "${name}" of server "${this.#server}" ${earlier === undefined ? 'contradict each other, so it runs without' : 'differ from those it had before, which stay'}: ${(error as Error).message}`,
      );
      return earlier as NamedPolicy<unknown> | undefined;
    }
  }
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
