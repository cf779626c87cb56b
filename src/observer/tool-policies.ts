// Policies around whole tools: found by the name of a tool or its annotations, kept by server and tool, since some hosts make
// a server for each request. They stand between what tells the client of an error and the tool's own handler.
import { ambientSignal, runningCalls, withSignal } from '../context.ts';
import { complainOnce } from '../diagnostics.ts';
import { ERROR_CODES } from '../errors/error-code.ts';
import { ERROR_META_KEY, errorMetaOf } from '../errors/error-result.ts';
import { read } from '../errors/read.ts';
import { boolean, checkOptions, objectRule, oneOf, shown } from '../options.ts';
import { isRecord } from '../protocol/message.ts';
import type { FailOn, Failure } from '../resilience/failure.ts';
import { checkPolicyOptions, policy, type NamedPolicy, type PolicyOptions } from '../resilience/policy.ts';
import type { RateLimitSettings } from '../resilience/rate-limit.ts';
import { policyNamed } from '../resilience/registry.ts';
import type { RetrySettings } from '../resilience/retry.ts';
import { OTHER } from '../telemetry/names.ts';
import { callerOf, sessionOf, signalOf, withSignalIn, type Handler } from './handler-extra.ts';

/** Policies around one tool, or several. What is left out or false is not there. */
export interface ToolPolicyOptions extends Omit<PolicyOptions<unknown>, 'timeoutMs' | 'retry' | 'rateLimit'> {
  /** How long the whole call may take, in ms. @default false: a tool may well wait for a person */
  readonly timeoutMs?: number | false | undefined;
  /** When and how often the tool is called again: only where its annotations say `readOnlyHint` or `idempotentHint`. @default false */
  readonly retry?: (RetrySettings & ToolRetryOptions) | false | undefined;
  /** How many calls may be made in which time. @default false */
  readonly rateLimit?: (RateLimitSettings & ToolRateLimitOptions) | false | undefined;
}

/** What a retry of a tool has beside what every retry has. */
export interface ToolRetryOptions {
  /** Whether a tool is retried whatever its annotations say. @default false */
  readonly force?: boolean | undefined;
}

/** What a rate limit of a tool has beside what every rate limit has. */
export interface ToolRateLimitOptions {
  /**
   * Who has a limit of its own.
   *
   * - `session`: each MCP session; without sessions each authenticated caller; else all together.
   * - `caller`: each authenticated caller; else all together.
   * - `all`: all together.
   *
   * @default 'session'
   */
  readonly per?: 'session' | 'caller' | 'all' | undefined;
}

/**
 * Policies by tool: `*` for all tools, `@readOnlyHint` and the like for those that are annotated so, or a name. The narrower
 * one wins, part by part.
 */
export type ToolPolicyMap = Readonly<Record<string, ToolPolicyOptions>>;

interface Bound {
  readonly annotations: unknown;
  readonly policy: NamedPolicy<unknown> | undefined;
  readonly options: ToolPolicyOptions;
}

const ANNOTATIONS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const;
const SELECTORS: ReadonlySet<string> = new Set(ANNOTATIONS.map((annotation) => `@${annotation}`));
const MAX_TOOLS = 500;
// https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation: thrown to ask for something, not as a failure
const URL_ELICITATION_REQUIRED = -32_042;

/** What a tool threw that is no failure, on its way past the policies. */
class Passing {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    this.thrown = thrown;
  }
}

/** The policies of one server. */
export class ToolPolicies {
  readonly #server: string;
  readonly #map: ToolPolicyMap;
  readonly #bound = new Map<string, Bound>();

  /** @param map as `checkToolPolicies` allows. */
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
    const bind = (called: string) =>
      tool === undefined ? this.#bindListed(called) : this.#bind(called, tool['annotations']);
    return function (this: unknown, ...args: unknown[]): unknown {
      const bound = bind(runningCalls.getStore()?.target ?? name);
      if (bound?.policy === undefined) return handler.apply(this, args);
      return run(bound, bound.policy, (signal) => handler.apply(this, withSignalIn(args, signal)), args);
    };
  }

  // A name that no registry knows is the client's choice: only those that the map lists have a policy of their own.
  #bindListed(name: string): Bound | undefined {
    return Object.hasOwn(this.#map, name) ? this.#bind(name, undefined) : this.#bind('*', undefined);
  }

  #bind(name: string, annotations: unknown): Bound {
    const there = this.#bound.get(name);
    if (there !== undefined && there.annotations === annotations) return there;
    const options = this.#optionsOf(name, annotations);
    const known = this.#bound.size < MAX_TOOLS || there !== undefined;
    const bound = { annotations, options, policy: this.#policyOf(known ? name : OTHER, options) };
    if (known) this.#bound.set(name, bound);
    return bound;
  }

  #optionsOf(name: string, annotations: unknown): ToolPolicyOptions {
    const selected = Object.entries(this.#map).filter(
      ([key]) => SELECTORS.has(key) && isRecord(annotations) && annotations[key.slice(1)] === true,
    );
    const own = Object.hasOwn(this.#map, name) ? this.#map[name] : undefined;
    return Object.assign({}, this.#map['*'], ...selected.map(([, options]) => options), own) as ToolPolicyOptions;
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

/**
 * Checks policies by tool.
 *
 * @throws {TypeError | RangeError} for a key that selects nothing, a bad option, or options that contradict each other.
 */
export function checkToolPolicies(fn: string, map: ToolPolicyMap): void {
  for (const [key, options] of Object.entries(map)) {
    const where = `${fn}: tools["${key}"]`;
    if (key.startsWith('@') && !SELECTORS.has(key)) {
      throw new TypeError(
        `${where}: expected the name of a tool, "*", or one of ${[...SELECTORS].join(', ')}, got ${shown(key)}`,
      );
    }
    if (!objectRule.allows(options)) throw new TypeError(`${where}: expected an object, got ${shown(options)}`);
    const { retry, rateLimit } = options;
    if (isRecord(retry)) checkOptions<ToolRetryOptions>(`${where}: retry`, ownOf(retry, 'force'), { force: boolean });
    if (isRecord(rateLimit)) {
      const per = oneOf('session', 'caller', 'all');
      checkOptions<ToolRateLimitOptions>(`${where}: rateLimit`, ownOf(rateLimit, 'per'), { per });
    }
    checkPolicyOptions(where, policyOptionsOf({ ...map['*'], ...options }));
  }
}

function ownOf(options: Record<string, unknown>, key: string): object {
  return { [key]: options[key] };
}

// What remains when that which only tools have is taken out.
function policyOptionsOf(options: ToolPolicyOptions): PolicyOptions<unknown> {
  const { timeoutMs = false, retry, rateLimit, failOn = failureOfResult, ...rest } = options;
  const { attemptTimeoutMs = timeoutMs === false ? false : undefined } = rest;
  return {
    ...rest,
    timeoutMs,
    attemptTimeoutMs,
    failOn,
    retry: without(retry, 'force') as RetrySettings,
    rateLimit: without(rateLimit, 'per') as RateLimitSettings,
  };
}

function without(options: unknown, key: string): unknown {
  if (!isRecord(options)) return options;
  const { [key]: _, ...rest } = options;
  return rest;
}

// A result that says its code is known to have failed; one that only says isError may well be an answer.
const failureOfResult: FailOn = (result): Failure | undefined => {
  const meta = read(result, 'isError') === true ? errorMetaOf(result) : undefined;
  if (meta === undefined) return undefined;
  const after = read(read(read(result, '_meta'), ERROR_META_KEY), 'retry_after_ms');
  const retryAfterMs = typeof after === 'number' && after >= 0 ? after : undefined;
  return { ...meta, fault: ERROR_CODES[meta.code].fault, retryAfterMs };
};

async function run(
  { options, annotations }: Bound,
  around: NamedPolicy<unknown>,
  call: (signal: AbortSignal | undefined) => unknown,
  args: readonly unknown[],
): Promise<unknown> {
  const extra = args.at(-1);
  // a tool without an input schema is not given its arguments
  const input = args.length > 1 ? args[0] : undefined;
  const { retry, rateLimit } = options;
  const force = isRecord(retry) && retry['force'] === true;
  const per = isRecord(rateLimit) ? (rateLimit as ToolRateLimitOptions).per : 'all';
  // only a time limit ends a part of the call before the call itself
  const limited = typeof options.timeoutMs === 'number' || typeof options.attemptTimeoutMs === 'number';
  const result = await around.run(
    async (context) => {
      const signal = limited ? context.signal : undefined;
      try {
        return await (signal === undefined ? call(undefined) : withSignal(signal, () => call(signal)));
      } catch (error) {
        if (isRecord(error) && error['code'] === URL_ELICITATION_REQUIRED) return new Passing(error);
        throw error;
      }
    },
    {
      // where nothing is observed nobody has noted the signal of the call
      signal: ambientSignal() === undefined ? signalOf(extra) : undefined,
      key: keyOf(per, extra),
      input,
      idempotent: force || isIdempotent(annotations),
    },
  );
  if (result instanceof Passing) throw result.thrown;
  return result;
}

function isIdempotent(annotations: unknown): boolean {
  return isRecord(annotations) && (annotations['readOnlyHint'] === true || annotations['idempotentHint'] === true);
}

function keyOf(per: ToolRateLimitOptions['per'] = 'session', extra: unknown): string | undefined {
  if (per === 'all') return undefined;
  const session = per === 'session' ? sessionOf(extra) : undefined;
  if (session !== undefined) return `session ${session}`;
  const caller = callerOf(extra);
  return caller === undefined ? undefined : `caller ${caller}`;
}
