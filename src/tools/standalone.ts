// The agent's tools for whoever answers without an MCP SDK: as they stand in `tools/list`, and their calls.
import { z } from 'zod';
import { ToolError } from '../errors/tool-error.ts';
import type { ObservabilityTool } from './answers.ts';
import { prepareTool, type PreparedTool } from './prepare.ts';
import { NAMES, watchHealth } from './register.ts';

/** A tool as `tools/list` shows it. */
export interface ToolDefinition {
  readonly name: string;
  readonly [key: string]: unknown;
}

/** The tools, about one server. */
export class StandaloneTools {
  readonly definitions: readonly ToolDefinition[];
  readonly #tools: ReadonlyMap<string, PreparedTool>;

  /** @param server whatever stands for the server in the figures. */
  constructor(server: object) {
    this.#tools = new Map(NAMES.map((name: ObservabilityTool) => [name, prepareTool(name, server)]));
    this.definitions = Array.from(this.#tools, ([name, { config }]) => {
      const { inputSchema, outputSchema, ...rest } = config;
      return {
        name,
        ...rest,
        inputSchema: z.toJSONSchema(inputSchema, { io: 'input' }),
        outputSchema: z.toJSONSchema(outputSchema),
      };
    });
    watchHealth();
  }

  /**
   * Answers a call.
   *
   * @param extra as an MCP SDK would hand it to a handler.
   * @throws {ToolError} for arguments that do not fit, or a caller that may not ask.
   */
  async call(name: string, args: unknown, extra: unknown): Promise<object> {
    const tool = this.#tools.get(name);
    if (tool === undefined) throw new ToolError('RESOURCE_NOT_FOUND', `There is no tool ${name}.`);
    const { success, data, error } = tool.config.inputSchema.safeParse(args ?? {});
    if (!success) throw new ToolError('VALIDATION_ERROR', z.prettifyError(error));
    return tool.call(data, extra);
  }
}
