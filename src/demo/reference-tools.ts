// The tools of the reference design, each showing one thing: here typed errors, and logs that need no code in the tool.
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { ToolError } from '../index.ts';
import { text } from './text.ts';

const input = z.object({ input_data: z.string().describe('Any text') });

/** Registers them on the demo's server. */
export function registerReferenceTools(server: McpServer): void {
  server.registerTool(
    'robust_operation',
    {
      title: 'Robust operation',
      description: 'Processes text. Refuses text that is empty or contains "invalid", and says so by code and details.',
      inputSchema: input,
      annotations: { readOnlyHint: true },
    },
    ({ input_data }) => {
      if (input_data.trim() === '') throw refusal('input_data must not be empty', input_data);
      if (input_data.includes('invalid')) throw refusal('input_data must not contain "invalid"', input_data);
      return text(`Processed: ${input_data.toUpperCase()}`);
    },
  );

  server.registerTool(
    'instrumented_tool',
    {
      title: 'Instrumented tool',
      description: 'Writes text in capitals. Its start, success and errors are logged without a line of code in it.',
      inputSchema: input,
      annotations: { readOnlyHint: true },
    },
    ({ input_data }) => text(input_data.toUpperCase()),
  );
}

function refusal(message: string, value: string): ToolError {
  return new ToolError('VALIDATION_ERROR', message, { details: { field: 'input_data', received_value: value } });
}
