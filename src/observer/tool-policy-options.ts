// Policies by tool as they are configured: what they may be, and which of them belong to one tool.
import { ERROR_CODES } from '../errors/error-code.ts';
import { ERROR_META_KEY, errorMetaOf } from '../errors/error-result.ts';
import { read } from '../errors/read.ts';
import { boolean, checkOptions, objectRule, oneOf, shown, type OptionRules } from '../options.ts';
import { isRecord } from '../protocol/message.ts';
import type { FailOn, Failure } from '../resilience/failure.ts';
import { checkPolicyOptions, type PolicyOptions } from '../resilience/policy.ts';
import type { RateLimitSettings } from '../resilience/rate-limit.ts';
import type { RetrySettings } from '../resilience/retry.ts';

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

const ANNOTATIONS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const;
const SELECTORS: ReadonlySet<string> = new Set(ANNOTATIONS.map((annotation) => `@${annotation}`));

/** What a retry of a tool may have beside the settings of every retry. */
export const TOOL_RETRY_RULES: OptionRules<ToolRetryOptions> = { force: boolean };

/** What a rate limit of a tool may have beside the settings of every rate limit. */
export const TOOL_RATE_LIMIT_RULES: OptionRules<ToolRateLimitOptions> = { per: oneOf('session', 'caller', 'all') };

/** What a tool answers with. */
export const TOOL_RESULT = 'a tool result, an object with a list "content"';

/** Whether a client can read this as the answer of a tool. */
export function isToolResult(value: unknown): boolean {
  return isRecord(value) && Array.isArray(value['content']);
}

/** The options that are for one tool, the widest first. */
export function partsFor(map: ToolPolicyMap, name: string, annotations?: unknown): readonly ToolPolicyOptions[] {
  const selected = Object.entries(map).filter(
    ([key]) => SELECTORS.has(key) && isRecord(annotations) && annotations[key.slice(1)] === true,
  );
  const everybody = Object.hasOwn(map, '*') ? [map['*'] ?? {}] : [];
  return [...everybody, ...selected.map(([, options]) => options), ...ownPartsFor(map, name)];
}

/** The options that are for just this tool. */
export function ownPartsFor(map: ToolPolicyMap, name: string): readonly ToolPolicyOptions[] {
  return isNamedIn(map, name) ? [map[name] ?? {}] : [];
}

/** Whether policies are for a tool by its name. */
export function isNamedIn(map: ToolPolicyMap, name: string): boolean {
  return name !== '*' && !name.startsWith('@') && Object.hasOwn(map, name);
}

/** The names that policies are for. */
export function namesIn(map: ToolPolicyMap): readonly string[] {
  return Object.keys(map).filter((key) => isNamedIn(map, key));
}

/** Whether annotations could add to what is for a tool by its name. */
export function mayGain(map: ToolPolicyMap, name: string): boolean {
  const own = map[name] ?? {};
  return Object.entries(map).some(
    ([key, options]) => SELECTORS.has(key) && Object.keys(options).some((option) => !Object.hasOwn(own, option)),
  );
}

/** Options that go together, and what had to be left out for that. */
export interface Agreement {
  readonly options: ToolPolicyOptions;
  readonly leftOut: readonly string[];
  /** What is wrong with all of them together; undefined where nothing is. */
  readonly why: string | undefined;
}

/** Puts the options for one tool together: the narrower wins, also where a wider one contradicts it. */
export function agreeing(parts: readonly ToolPolicyOptions[]): Agreement {
  const options = Object.assign({}, ...parts) as ToolPolicyOptions;
  // what is for one tool alone, or for all, was checked at set-up
  const why = parts.length < 2 ? undefined : contradictionIn(options);
  if (why === undefined) return { options, leftOut: [], why };
  const kept: Record<string, unknown> = {};
  const leftOut: string[] = [];
  for (const [key, value] of parts.toReversed().flatMap((part) => Object.entries<unknown>({ ...part }))) {
    if (Object.hasOwn(kept, key)) continue;
    if (contradictionIn({ ...kept, [key]: value }) === undefined) kept[key] = value;
    else leftOut.push(`${key}: ${shown(value)}`);
  }
  return { options: kept, leftOut, why };
}

function contradictionIn(options: ToolPolicyOptions): string | undefined {
  try {
    checkPolicyOptions('policy', policyOptionsOf(options));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Checks policies by tool.
 *
 * @param tools the tools that are known by now, with their annotations.
 * @throws {TypeError | RangeError} for a key that selects nothing, a bad option, or options that contradict each other.
 */
export function checkToolPolicies(
  fn: string,
  map: ToolPolicyMap,
  tools: Iterable<readonly [name: string, annotations: unknown]> = [],
): void {
  for (const [key, options] of Object.entries(map)) {
    const where = `${fn}: tools["${key}"]`;
    if (key.startsWith('@') && !SELECTORS.has(key)) {
      throw new TypeError(
        `${where}: expected the name of a tool, "*", or one of ${[...SELECTORS].join(', ')}, got ${shown(key)}`,
      );
    }
    if (!objectRule.allows(options)) throw new TypeError(`${where}: expected an object, got ${shown(options)}`);
    const { retry, rateLimit, fallback } = options;
    if (fallback !== undefined && typeof fallback !== 'function' && !isToolResult(fallback)) {
      throw new TypeError(
        `${where}: option "fallback" must be ${TOOL_RESULT}, or a function that returns one, got ${shown(fallback)}`,
      );
    }
    if (isRecord(retry)) checkOptions(`${where}: retry`, ownOf(retry, 'force'), TOOL_RETRY_RULES);
    if (isRecord(rateLimit)) checkOptions(`${where}: rateLimit`, ownOf(rateLimit, 'per'), TOOL_RATE_LIMIT_RULES);
    checkPolicyOptions(where, policyOptionsOf({ ...map['*'], ...options }));
  }
  if (!Object.keys(map).some((key) => SELECTORS.has(key))) return;
  for (const [name, annotations] of tools) {
    const options = Object.assign({}, ...partsFor(map, name, annotations)) as ToolPolicyOptions;
    checkPolicyOptions(`${fn}: tools: all that is for "${name}"`, policyOptionsOf(options));
  }
}

function ownOf(options: Record<string, unknown>, key: string): object {
  return { [key]: options[key] };
}

/** What remains for `policy` when that which only tools have is taken out. */
export function policyOptionsOf(options: ToolPolicyOptions): PolicyOptions<unknown> {
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
