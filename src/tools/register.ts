// Puts the agent's tools on a server of either SDK generation. What they are, and zod, is loaded then and not before.
import { complainAboutFailure } from '../diagnostics.ts';
import { healthStates, monitor } from '../health/monitor.ts';
import { checkOptions, objectWith, shown, type OptionRule } from '../options.ts';
import { CLASH_PREFIX, claimTool } from '../state/own-tools.ts';
import { exposeHealth } from '../telemetry/health-gauge.ts';
import type { ObservabilityTool } from './answers.ts';
import type { Authorize } from './access.ts';
import type { PreparedTool } from './prepare.ts';

/** Options of `registerObservabilityTools`. All have a default. */
export interface ObservabilityToolsOptions {
  /** Which tools to register. @default all four */
  readonly include?: readonly ObservabilityTool[] | undefined;
  /** Stands before each name, as in `weather_get_trace`. @default none */
  readonly prefix?: string | undefined;
  /**
   * Says who may call them, and then learn everything; only `true` lets a caller in.
   *
   * @default everybody may call; over HTTP, errors are those of the caller's session or of a trace whose id it holds
   */
  readonly authorize?: Authorize | undefined;
  /**
   * Where people look at traces: a URL with `{trace_id}` in it, or the base URL of Jaeger or the viewer.
   *
   * @default the environment variable `TOOLSPAN_TRACE_URL`, else no links
   */
  readonly traceUrl?: string | undefined;
}

/** The tools that there are. */
export const NAMES: readonly ObservabilityTool[] = [
  'get_server_health',
  'get_server_metrics',
  'get_recent_errors',
  'get_trace',
];

const RULES: Readonly<Record<keyof ObservabilityToolsOptions, OptionRule>> = {
  include: {
    allows: (value) => Array.isArray(value) && value.every((name) => NAMES.includes(name as ObservabilityTool)),
    expected: `a list of ${NAMES.join(', ')}`,
  },
  prefix: {
    allows: (value) => typeof value === 'string' && /^[\w.-]{0,64}$/.test(value),
    expected: 'at most 64 letters, digits or "_ - ."',
    outOfRange: (value) => typeof value === 'string',
  },
  authorize: { allows: (value) => typeof value === 'function', expected: 'a function' },
  traceUrl: {
    allows: (value) => typeof value === 'string' && URL.canParse(value),
    expected: 'a URL',
    outOfRange: (value) => typeof value === 'string',
  },
};

interface Registering {
  registerTool(name: string, config: object, handler: (...args: unknown[]) => Promise<object>): unknown;
}

/**
 * Registers tools by which an agent can ask how the server is and why its last call failed: `get_server_health`,
 * `get_server_metrics`, `get_recent_errors`, `get_trace`. They are never counted in the figures that they show.
 *
 * @param server an `McpServer` of SDK v1 or v2, before it is connected.
 * @returns the same server.
 * @throws {TypeError | RangeError} for something that is not an `McpServer`, or a bad option.
 */
export async function registerObservabilityTools<S extends object>(
  server: S,
  options: ObservabilityToolsOptions = {},
): Promise<S> {
  checkOptions<ObservabilityToolsOptions>('registerObservabilityTools', options, RULES);
  if (!takesTools(server)) {
    throw new TypeError(`registerObservabilityTools: expected an McpServer of the MCP SDK, got ${shown(server)}`);
  }
  const { include = NAMES, prefix = '' } = options;
  const { prepareTool } = await import('./prepare.ts');
  for (const name of new Set(include)) register(server, `${prefix}${name}`, prepareTool(name, server, options));
  watchHealth();
  return server;
}

/**
 * Loads the tools for servers that cannot wait: gives what registers all four at once. Where a server has a tool of the same
 * name, ours gets the prefix `toolspan_`.
 */
export async function loadTools(): Promise<(server: object) => void> {
  const { prepareTool } = await import('./prepare.ts');
  return (server) => {
    for (const name of NAMES) {
      const tool = prepareTool(name, server);
      try {
        register(server, name, tool);
      } catch {
        register(server, `${CLASH_PREFIX}${name}`, tool);
      }
    }
    watchHealth();
  };
}

/** Whether a server is one that tools can be registered on. */
export function takesTools(server: object): boolean {
  return objectWith('registerTool', 'connect').allows(server);
}

function register(server: object, name: string, { config, call }: PreparedTool): void {
  (server as unknown as Registering).registerTool(name, config, call);
  claimTool(server, name);
}

/** Sees that the health of this process is measured from now on. */
export function watchHealth(): void {
  try {
    monitor.need('tools');
    exposeHealth(healthStates);
  } catch (error) {
    complainAboutFailure('watching the health of this process', error);
  }
}
