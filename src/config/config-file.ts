// The file that TOOLSPAN_CONFIG or `--policy` names: policies for tools, by the rules of toolspan/resilience, checked here so that
// a mistake is said with the path to it. A module may also hold what JSON cannot: functions.
import { readFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { z } from 'zod';
import { asError } from '../diagnostics.ts';
import {
  checkToolPolicies,
  TOOL_RATE_LIMIT_RULES,
  TOOL_RETRY_RULES,
  type ToolPolicyMap,
} from '../observer/tool-policy-options.ts';
import type { OptionRule, OptionRules } from '../options.ts';
import { BREAKER_RULES, WINDOW_RULES } from '../resilience/breaker/settings.ts';
import { BULKHEAD_RULES } from '../resilience/bulkhead.ts';
import { POLICY_RULES } from '../resilience/policy.ts';
import { RATE_LIMIT_RULES } from '../resilience/rate-limit.ts';
import { BUDGET_RULES } from '../resilience/retry-budget.ts';
import { RETRY_RULES } from '../resilience/retry.ts';
import { ConfigError } from './config-error.ts';

// what some editors put before a text
const BYTE_ORDER_MARK = '\uFEFF';

const field = (rule: OptionRule): z.ZodType =>
  z.custom((value) => rule.allows(value), { error: `expected ${rule.expected}` });

// The rules of the code say what the file may hold, so that the two cannot drift apart.
function fields<O>(rules: OptionRules<O>): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries<OptionRule>(rules).map(([name, rule]) => [name, field(rule).optional()] as const),
  );
}

const orOff = (shape: Record<string, z.ZodType>) => z.union([z.strictObject(shape), z.literal(false)]).optional();

// a file names no clock and no chance
const { clock: _, random: __, ...policyFields } = fields(POLICY_RULES);

const toolPolicy = z.strictObject({
  ...policyFields,
  retry: orOff({ ...fields(RETRY_RULES), ...fields(TOOL_RETRY_RULES), budget: orOff(fields(BUDGET_RULES)) }),
  breaker: orOff({ ...fields(BREAKER_RULES), window: orOff(fields(WINDOW_RULES)) }),
  bulkhead: orOff(fields(BULKHEAD_RULES)),
  rateLimit: orOff({
    ...fields(RATE_LIMIT_RULES),
    ...fields(TOOL_RATE_LIMIT_RULES),
    permits: field(RATE_LIMIT_RULES.permits),
  }),
});

const file = z.strictObject({ tools: z.record(z.string().min(1), toolPolicy) });

/** What the file says. */
export interface DoorConfig {
  /** Policies by tool, as `instrumentServer` takes them. */
  readonly tools: ToolPolicyMap;
}

/**
 * Reads a file of policies: `.json`, or a module (`.mjs`, `.js`) with a default export.
 *
 * @throws {ConfigError} where it cannot be read or holds something else than policies.
 */
export async function readConfigFile(path: string): Promise<DoorConfig> {
  const content = await contentOf(path);
  try {
    return checked(path, content);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // a module may export what cannot even be looked at
    const reason = asError(error).message;
    throw new ConfigError(`${basename(path)} cannot be used: ${reason}`, { cause: error });
  }
}

function checked(path: string, content: unknown): DoorConfig {
  const { success, data, error } = file.safeParse(content, { reportInput: true });
  if (!success) {
    const problems = error.issues.flatMap((issue) => said(issue, []));
    throw new ConfigError(
      [`${basename(path)} cannot be used:`, ...problems.map((problem) => `  ${problem}`)].join('\n'),
    );
  }
  const config = data as DoorConfig;
  try {
    // what belongs together
    checkToolPolicies(basename(path), config.tools);
  } catch (reason) {
    throw new ConfigError((reason as Error).message, { cause: reason });
  }
  return config;
}

async function contentOf(path: string): Promise<unknown> {
  const full = resolve(path);
  try {
    if (extname(path) !== '.json') {
      const module_ = (await import(pathToFileURL(full).href)) as { default?: unknown };
      if (module_.default === undefined) throw new Error('it has no default export');
      return module_.default;
    }
    const text = await readFile(full, 'utf8');
    return JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch (error) {
    const reason = asError(error).message;
    throw new ConfigError(
      `${path} cannot be read: ${reason}. Expected a .json file, or a module with a default export.`,
      {
        cause: error,
      },
    );
  }
}

type Issue = z.core.$ZodIssue;

function said(issue: Issue, above: readonly PropertyKey[]): string[] {
  const at = [...above, ...issue.path];
  const where = at.length === 0 ? 'the file' : pathText(at);
  // of the alternatives that failed, the one that is not just "off" says what is wrong
  if (issue.code === 'invalid_union' && issue.errors[0] !== undefined) {
    return issue.errors[0].flatMap((inner) => said(inner, at));
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${pathText([...at, key])}: there is no such option`);
  }
  return [`${where}: ${issue.message.replace(/^Invalid input: /, '')}${came(issue)}`];
}

function came(issue: Issue): string {
  if (issue.input === undefined || issue.message.includes('received')) return '';
  return `, got ${textOf(issue.input).slice(0, 80)}`;
}

// A module may export what has no JSON: a cycle, a BigInt, a function.
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return inspect(value, { depth: 1, breakLength: Infinity });
  }
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) =>
      typeof key === 'string' && /^[A-Za-z_]\w*$/.test(key)
        ? `${index === 0 ? '' : '.'}${key}`
        : `[${typeof key === 'string' ? JSON.stringify(key) : String(key)}]`,
    )
    .join('');
}
