// What a server behind `toolspan wrap --url` may do wrong: one exchange ends, the proxy goes on.
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import { describe, expect } from 'vitest';
import { wrapHttp } from '../../src/proxy/http-proxy.ts';
import { Mediation } from '../../src/proxy/mediation.ts';
import { closed, listening, portOf } from '../harness/http-server.ts';
import { ask, behind, outcomes, PING, posted, type Handle } from '../harness/http-wrap.ts';
import { call, oneAtATime } from '../harness/mediated.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

/** A proxy that observes nothing. */
const unseenBefore = (port: number) =>
  wrapHttp(
    { url: new URL(`http://127.0.0.1:${port}`), host: '127.0.0.1', port: 0, hosts: [], propagate: false },
    undefined,
  );

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
            const unseen = await unseenBefore(port);
            expect((await ask(unseen.port, posted(PING))).status).toBe(502);
            await unseen.close();
          },
        ),
      `a server that answers ${JSON.stringify(said)}`,
    );
  }

  verifies(
    'wrap.policies',
    () => {
      const policy = oneAtATime();
      return behind(
        ({ socket }) => void socket.end('HTTP/1.1 200 \u0001\r\nContent-Length: 2\r\n\r\nhi'),
        async (proxy) => {
          // the second would wait for ever if the first kept its place
          for (const id of [1, 2]) expect((await ask(proxy.port, posted(call(id, 'x')))).status).toBe(502);
        },
        { mediation: new Mediation({ policyOf: () => policy }) },
      );
    },
    'an answer that cannot be passed on ends its call',
  );
});

describe('a server that answers before it has read all', () => {
  const early: Handle = (_request, response) => {
    response.writeHead(413, { 'content-type': 'application/json', connection: 'close' });
    response.end('{"error":"too large"}');
  };
  /** Sends bytes for as long as they are taken, and reads the answer all the same. */
  const push = async (port: number, body: Buffer, headers: Record<string, string>): Promise<string> => {
    const options = { host: '127.0.0.1', port, method: 'POST', path: '/mcp', agent: false, headers };
    const sent = request(options).on('error', () => {});
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(response, 'close');
    return `${response.statusCode} ${Buffer.concat(chunks).toString()}`;
  };
  const ways = {
    observing: {},
    'with --propagate': { propagate: true },
    'under policies': { mediation: new Mediation({ policyOf: () => undefined }) },
  };
  for (const [how, options] of Object.entries(ways)) {
    verifies(
      'wrap.http-transparent',
      () =>
        behind(
          early,
          async (proxy) => {
            // one is held where the proxy changes bodies, the other is too long for that
            for (const length of [5_000_000, 20_000_000]) {
              const body = Buffer.from(JSON.stringify({ ...PING, params: { text: 'x'.repeat(length) } }));
              for (const framing of [{}, { 'content-length': String(body.length) }]) {
                const headers = { 'content-type': 'application/json', ...framing };
                expect(await push(proxy.port, body, headers)).toBe('413 {"error":"too large"}');
              }
            }
          },
          options,
        ),
      `an early answer, ${how}`,
    );
  }

  verifies(
    'wrap.disabled',
    async () => {
      const server = createServer(early);
      await listening(server);
      const proxy = await unseenBefore(portOf(server));
      const answer = await push(proxy.port, Buffer.alloc(5_000_000), { 'content-type': 'application/octet-stream' });
      expect(answer).toBe('413 {"error":"too large"}');
      await proxy.close();
      await closed(server);
    },
    'an early answer over HTTP',
  );
});
