// Policies of `toolspan wrap --url`: no call gets around them, and what is withdrawn makes room.
import { describe, expect } from 'vitest';
import { Mediation, type CallPolicy } from '../../src/proxy/mediation.ts';
import { ask, behind, posted, type Ask, type Handle } from '../harness/http-wrap.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

const call = (id: number, name: string) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } });

describe('policies over HTTP', () => {
  verifies(
    'wrap.policies',
    async () => {
      const failures: unknown[] = [];
      const policy: CallPolicy = {
        run: async (work, { signal }) => {
          try {
            return await work({ signal });
          } catch (error) {
            failures.push(error);
            throw error;
          }
        },
      };
      const mediation = new Mediation({ policyOf: () => policy });
      const reached: string[] = [];
      const handle: Handle = (request, response) => {
        request.on('data', (chunk: Buffer) => reached.push(chunk.toString()));
        // the call is answered by nobody, what else comes is accepted
        request.on('end', () => {
          if (!reached.at(-1)?.includes('tools/call')) response.writeHead(202).end();
        });
      };
      await behind(
        handle,
        async (proxy) => {
          const inSession = (body: object, type = 'application/json'): Ask => {
            const { headers = [], ...rest } = posted(body);
            const others = headers.filter((_, index) => headers[index - (index % 2)]?.toLowerCase() !== 'content-type');
            return { ...rest, headers: [...others, 'Content-Type', type, 'Mcp-Session-Id', 's1'] };
          };
          const batch = await ask(proxy.port, inSession([call(1, 'x'), call(2, 'x')]));
          expect([batch.status, batch.body.toString()]).toEqual([400, expect.stringContaining('one by one')]);
          expect(reached).toEqual([]);
          const waiting = ask(proxy.port, inSession(call(3, 'x'), 'Application/JSON')).catch(() => undefined);
          await eventually('it is made', () => reached.length === 1 || undefined);
          expect(failures).toEqual([]);
          const params = { requestId: 3 };
          await ask(proxy.port, inSession({ jsonrpc: '2.0', method: 'notifications/cancelled', params }));
          // its place is free again
          await eventually('it is withdrawn', () => failures.length === 1 || undefined);
          void waiting;
        },
        { mediation },
      );
    },
    'batches, media types in capitals, and a withdrawal by another exchange',
  );
});
