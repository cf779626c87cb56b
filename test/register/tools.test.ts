// The agent's tools on servers that do not know of them.
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer as ServerV2 } from '@modelcontextprotocol/server';
import { describe, expect } from 'vitest';
import { ownToolsOf } from '../../src/state/own-tools.ts';
import { loadTools, takesTools } from '../../src/tools/register.ts';
import { GENERATIONS, script } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

describe.each(GENERATIONS)('a server of %s', (generation) => {
  verifies(
    'doors.tools',
    async () => {
      const info = { name: 'taken', version: '1' };
      // the calls made here are the same on both, their types are not
      const server = generation === 'v1' ? (new ServerV1(info) as unknown as ServerV2) : new ServerV2(info);
      server.registerTool('get_trace', {}, () => ({ content: [{ type: 'text', text: 'my own' }] }));
      expect(takesTools(server)).toBe(true);
      expect(takesTools(server.server)).toBe(false);
      const addTools = await loadTools();
      addTools(server);
      const added = ['get_server_health', 'get_server_metrics', 'get_recent_errors', 'toolspan_get_trace'];
      expect([...ownToolsOf(server)]).toEqual(added);
      const { transport, call } = await script(server);
      call(1, 'get_trace');
      expect(await transport.answer(1)).toMatchObject({ result: { content: [{ text: 'my own' }] } });
      call(2, 'toolspan_get_trace', { trace_id: '0'.repeat(32) });
      expect(await transport.answer(2)).toMatchObject({ result: { structuredContent: { trace_id: '0'.repeat(32) } } });
    },
    `${generation}: where a name is taken`,
  );
});
