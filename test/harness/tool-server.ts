// A server of tools under policies, in time that the test lets pass.
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer as ServerV2 } from '@modelcontextprotocol/server';
import type { Generation } from '../fixtures/reference-server.ts';
import type { ToolPolicyMap } from '../../src/index.ts';
import { ManualClock } from './manual-clock.ts';
import { freshName } from './policy.ts';
import { script, type Json, type Scripted } from './scripted.ts';

/** A tool of either generation that takes no arguments. */
export type Tool = (extra: { signal?: AbortSignal; mcpReq?: { signal: AbortSignal } }) => unknown;

/** What a tool answers with. */
export const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });

/** A server that is not instrumented yet; the calls that tests make are the same on both generations, their types are not. */
export function bareServer(generation: Generation, name: string): ServerV2 {
  const info = { name, version: '1' };
  const options = { capabilities: { tools: {} } };
  return generation === 'v1' ? (new ServerV1(info, options) as unknown as ServerV2) : new ServerV2(info, options);
}

/** Makes servers of one generation with these tools under these policies. */
export function serverOf(generation: Generation) {
  return async (
    tools: ToolPolicyMap,
    registered: Record<string, { run: Tool; annotations?: object }>,
    name = freshName('server'),
  ) => {
    const clock = new ManualClock();
    const server = bareServer(generation, name);
    const handles = Object.entries(registered).map(([tool, { run, annotations = {} }]) =>
      server.registerTool(tool, { annotations }, run as never),
    );
    const scripted = await script(server, { tools: timed(tools, clock) });
    return { ...scripted, clock, name, handles, ...caller(scripted) };
  };
}

/** The same policies in the test's own time. */
export function timed(tools: ToolPolicyMap, clock: ManualClock): ToolPolicyMap {
  return Object.fromEntries(
    Object.entries(tools).map(([key, options]) => [key, { clock, random: () => 1, ...options }]),
  );
}

/** Calls tools as a client does. */
export function caller({ transport, call }: Pick<Scripted, 'transport' | 'call'>) {
  let id = 0;
  return {
    /** Calls a tool, and returns the text of its answer. */
    async ask(tool: string, extra?: Json) {
      const mine = ++id;
      if (extra === undefined) call(mine, tool);
      else transport.deliver({ jsonrpc: '2.0', id: mine, method: 'tools/call', params: { name: tool } }, extra);
      const { result, error } = await transport.answer(mine);
      const { content, isError } = (result ?? {}) as { content?: { text: string }[]; isError?: boolean };
      const said = content?.map((part) => part.text.replace(/ Trace id: \w+$/, '')).join(' ');
      return result === undefined ? error : isError === true ? `error: ${said}` : said;
    },
    /** Lists the tools. */
    async list() {
      const mine = `list ${++id}`;
      transport.deliver({ jsonrpc: '2.0', id: mine, method: 'tools/list' });
      return (await transport.answer(mine))['result'];
    },
  };
}
