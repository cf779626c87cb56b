// The file that TOOLSPAN_CONFIG or `--policy` names: policies for tools, checked here so that a mistake is said with the path
// to it. A module may also hold what JSON cannot: functions.
import { readFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';

const duration = z
  .number()
  .min(1)
  .max(2 ** 31 - 1);
const count = z.int().min(1);
const ratio = z.number().min(0).max(1);
const callback = z.custom<(value: unknown) => boolean>((value) => typeof value === 'function', 'expected a function');
const orOff = <T extends z.ZodType>(schema: T) => z.union([schema, z.literal(false)]).optional();

const retry = z.strictObject({
  attempts: count.optional(),
  initialDelayMs: z.number().min(0).optional(),
  maxDelayMs: z.number().min(0).optional(),
  multiplier: z.number().min(1).optional(),
  jitter: z.enum(['full', 'equal', 'decorrelated', 'none']).optional(),
  budget: orOff(
    z.strictObject({ ratio: ratio.optional(), min: z.number().min(0).optional(), perMs: duration.optional() }),
  ),
  when: callback.optional(),
});

const breaker = z.strictObject({
  failures: orOff(count),
  window: orOff(
    z.strictObject({
      durationMs: duration.optional(),
      calls: count.optional(),
      minimumCalls: count.optional(),
      failureRatio: ratio.optional(),
      slowMs: duration.optional(),
      slowRatio: ratio.optional(),
    }),
  ),
  resetAfterMs: duration.optional(),
  resetMultiplier: z.number().min(1).optional(),
  maxResetAfterMs: duration.optional(),
  resetJitter: ratio.optional(),
  probes: count.optional(),
  probeTimeoutMs: duration.optional(),
  critical: z.boolean().optional(),
  when: callback.optional(),
});

const toolPolicy = z.strictObject({
  timeoutMs: orOff(duration),
  attemptTimeoutMs: orOff(duration),
  retry: orOff(retry),
  breaker: orOff(breaker),
  bulkhead: orOff(z.strictObject({ concurrency: count.optional(), queue: z.int().min(0).optional() })),
  rateLimit: orOff(z.strictObject({ permits: count, perMs: duration.optional(), maxKeys: count.optional() })),
  fallback: z.unknown().optional(),
  failOn: callback.optional(),
});

const file = z.strictObject({ tools: z.record(z.string().min(1), toolPolicy) });

type Part = Readonly<Record<string, unknown>> | false | undefined;

/** The policy of one tool, as the file has it: the options of `policy` in toolspan/resilience. */
export interface ToolPolicyConfig {
  readonly timeoutMs?: number | false | undefined;
  readonly attemptTimeoutMs?: number | false | undefined;
  readonly retry?: Part;
  readonly breaker?: Part;
  readonly bulkhead?: Part;
  readonly rateLimit?: Part;
  readonly fallback?: unknown;
  readonly failOn?: ((value: unknown) => boolean) | undefined;
}

/** What the file says. */
export interface DoorConfig {
  /** Policies by tool name; `*` stands for every tool that is not named. */
  readonly tools: Readonly<Record<string, ToolPolicyConfig>>;
}

/**
 * Reads a file of policies: `.json`, or a module (`.mjs`, `.js`) with a default export.
 *
 * @throws {ConfigError} where it cannot be read or holds something else than policies.
 */
export async function readConfigFile(path: string): Promise<DoorConfig> {
  const content = await contentOf(path);
  const { success, data, error } = file.safeParse(content, { reportInput: true });
  if (success) return data;
  const problems = error.issues.flatMap((issue) => said(issue, []));
  throw new ConfigError([`${basename(path)} cannot be used:`, ...problems.map((problem) => `  ${problem}`)].join('\n'));
}

async function contentOf(path: string): Promise<unknown> {
  const full = resolve(path);
  try {
    if (extname(path) !== '.json') {
      const module_ = (await import(pathToFileURL(full).href)) as { default?: unknown };
      if (module_.default === undefined) throw new Error('it has no default export');
      return module_.default;
    }
    return JSON.parse(await readFile(full, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
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
  return `, got ${JSON.stringify(issue.input)?.slice(0, 80) ?? typeof issue.input}`;
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
