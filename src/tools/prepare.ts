// The agent's tools made ready: each with what it tells of itself, and what answers its calls about one server.
import { traceUrl } from '../settings.ts';
import { admit, type Authorize } from './access.ts';
import type { ObservabilityTool } from './answers.ts';
import { TOOLS, type Link } from './catalogue.ts';
import type { ToolSchemas } from './schemas.ts';

/** One tool, ready to be called. */
export interface PreparedTool {
  readonly config: ToolSchemas & {
    readonly title: string;
    readonly description: string;
    readonly annotations: object;
  };
  /**
   * Answers a call with a tool result.
   *
   * @param extra what an MCP SDK hands to a handler, which tells who calls.
   * @throws {ToolError} for a caller that may not ask.
   */
  readonly call: (args: unknown, extra: unknown) => Promise<object>;
}

/** A tool that answers about this server. */
export function prepareTool(
  name: ObservabilityTool,
  server: object,
  options: { readonly authorize?: Authorize | undefined; readonly traceUrl?: string | undefined } = {},
): PreparedTool {
  const { title, description, schemas, answer } = TOOLS[name];
  const { authorize } = options;
  const link = linkTo(options.traceUrl ?? traceUrl());
  return {
    config: {
      title,
      description,
      ...schemas,
      annotations: { title, readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    },
    async call(args, extra) {
      const asked = (args ?? {}) as Record<string, unknown>;
      const caller = await admit(authorize, name, asked, extra);
      const { output, text } = await answer(server, asked, caller, link);
      return { content: [{ type: 'text', text }], structuredContent: output };
    },
  };
}

function linkTo(url: string | undefined): Link {
  if (url === undefined) return () => null;
  const template = url.includes('{trace_id}') ? url : `${url.replace(/\/+$/, '')}/trace/{trace_id}`;
  return (traceId) => template.replace('{trace_id}', traceId);
}
