// Puts the agent's tools on a server of either SDK generation. What they are, and zod, is loaded then and not before.
import { complainAboutFailure } from '../diagnostics.ts';
import { healthStates, monitor } from '../health/monitor.ts';
import { checkOptions, objectWith, shown, type OptionRule } from '../options.ts';
import { traceUrl } from '../settings.ts';
import { claimTool } from '../state/own-tools.ts';
import { exposeHealth } from '../telemetry/health-gauge.ts';
import type { ObservabilityTool } from './answers.ts';
import type { Link } from './catalogue.ts';
import { admit, type Authorize } from './access.ts';

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

const NAMES: readonly ObservabilityTool[] = [
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
  if (!objectWith('registerTool', 'connect').allows(server)) {
    throw new TypeError(`registerObservabilityTools: expected an McpServer of the MCP SDK, got ${shown(server)}`);
  }
  const { include = NAMES, prefix = '', authorize } = options;
  const link = linkTo(options.traceUrl ?? traceUrl());
  const { TOOLS } = await import('./catalogue.ts');
  for (const name of new Set(include)) {
    const { title, description, schemas, answer } = TOOLS[name];
    const config = {
      title,
      description,
      ...schemas,
      annotations: { title, readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    };
    const handler = async (args: unknown, extra: unknown) => {
      const asked = (args ?? {}) as Record<string, unknown>;
      const caller = await admit(authorize, name, asked, extra);
      const { output, text } = await answer(server, asked, caller, link);
      return { content: [{ type: 'text', text }], structuredContent: output };
    };
    (server as unknown as Registering).registerTool(`${prefix}${name}`, config, handler);
    claimTool(server, `${prefix}${name}`);
  }
  try {
    monitor.need('tools');
    exposeHealth(healthStates);
  } catch (error) {
    complainAboutFailure('watching the health of this process', error);
  }
  return server;
}

function linkTo(url: string | undefined): Link {
  if (url === undefined) return () => null;
  const template = url.includes('{trace_id}') ? url : `${url.replace(/\/+$/, '')}/trace/{trace_id}`;
  return (traceId) => template.replace('{trace_id}', traceId);
}
