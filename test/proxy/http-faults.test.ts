// What a server behind `toolspan wrap --url` may do wrong: one exchange ends, the proxy goes on.
import { describe, expect } from 'vitest';
import { wrapHttp } from '../../src/proxy/http-proxy.ts';
import { ask, behind, outcomes, PING, posted } from '../harness/http-wrap.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

describe('answers that cannot be passed on', () => {
  for (const said of ['000 X', '099 X', '101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x', '200 \u0001']) {
    verifies(
      'wrap.http-unreachable',
      () =>
        behind(
          ({ socket }) => void socket.end(`HTTP/1.1 ${said}\r\nContent-Length: 2\r\n\r\nhi`),
          async (proxy, port) => {
            expect((await ask(proxy.port, posted(PING))).status).toBe(502);
            expect((await ask(proxy.port, { method: 'GET' })).status).toBe(502);
            await eventually('the span', () => outcomes(proxy).length > 0 || undefined);
            const unseen = await wrapHttp(
              { url: new URL(`http://127.0.0.1:${port}`), host: '127.0.0.1', port: 0, hosts: [], propagate: false },
              undefined,
            );
            expect((await ask(unseen.port, posted(PING))).status).toBe(502);
            await unseen.close();
          },
        ),
      `a server that answers ${JSON.stringify(said)}`,
    );
  }
});
