// `toolspan wrap --url` over time: events, sessions, and what goes wrong.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { Child } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { freePort, whenRead } from '../harness/http-server.ts';
import { ask, behind, outcomes, PING, PONG, posted, proxyBefore, underWay } from '../harness/http-wrap.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

const ROOT = new URL('..', import.meta.url).pathname;

describe('events', () => {
  verifies(
    'wrap.http-stream',
    () => {
      let go: (() => void) | undefined;
      return behind(
        (request, response) => {
          request.resume();
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.flushHeaders();
          response.write(': nothing yet\n\n');
          go = () => response.end(`event: message\ndata: ${PONG}\n\n`);
        },
        async (proxy) => {
          const { headers, body } = posted(PING);
          const sent = httpRequest({
            host: '127.0.0.1',
            port: proxy.port,
            method: 'POST',
            path: '/mcp',
            headers: ['Host', 'localhost', ...(headers ?? [])] as never,
          });
          sent.end(body);
          // headers and the first byte are there while the server is still at work
          const [response] = (await once(sent, 'response')) as [IncomingMessage];
          const [first] = (await once(response, 'data')) as [Buffer];
          expect(first.toString()).toBe(': nothing yet\n\n');
          expect(outcomes(proxy)).toEqual([]);
          const ended = once(response, 'end');
          go?.();
          const [second] = (await once(response, 'data')) as [Buffer];
          expect(second.toString()).toBe(`event: message\ndata: ${PONG}\n\n`);
          await ended;
          await eventually('the span', () => outcomes(proxy).length > 0 || undefined);
          expect(outcomes(proxy)).toEqual(['ping ok']);
        },
      );
    },
    'the first byte does not wait',
  );

  verifies(
    'wrap.propagate',
    () => {
      const asked: string[] = [];
      return behind(
        (request, response) => {
          request.on('data', (chunk: Buffer) => asked.push(chunk.toString()));
          request.on('end', () => {
            asked.push(String(request.headers['traceparent']));
            response.writeHead(200, { 'content-type': 'text/event-stream' });
            response.write('data: {"jsonrpc":"2.0","id":0,"method":"sampling/createMessage","params":{"x":1}}\n\n');
            response.end(`data: ${PONG}\n\n`);
          });
        },
        async (proxy) => {
          const answer = await ask(
            proxy.port,
            posted({ ...PING, params: { _meta: { traceparent: CALLER, keep: 1 } } }, 'traceparent', CALLER),
          );
          await eventually('both spans', () => proxy.recorder.spans().length > 1 || undefined);
          const [ping, sampling] = ['ping', 'sampling/createMessage'].map((name) =>
            proxy.recorder.spans().find((span) => span.name === name),
          );
          const [body = '', header] = asked;
          expect(body).toBe(
            `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"traceparent":"00-${TRACE}-${ping?.spanId}-01","keep":1}}}`,
          );
          expect(header).toBe(`00-${TRACE}-${ping?.spanId}-01`);
          expect(sampling?.parentSpanId).toBe(ping?.spanId);
          expect(answer.body.toString()).toBe(
            `data: {"jsonrpc":"2.0","id":0,"method":"sampling/createMessage","params":{"_meta":{"traceparent":"00-${TRACE}-${sampling?.spanId}-01"},"x":1}}\n\ndata: ${PONG}\n\n`,
          );
        },
        { propagate: true },
      );
    },
    'over HTTP, both ways',
  );
});

describe('more of it', () => {
  verifies(
    'wrap.http-stream',
    () =>
      behind(
        (request, response) => {
          request.resume();
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(': begun\n\n');
          // longer than a connection may be idle between two requests
          setTimeout(() => response.end(`data: ${PONG}\n\n`), 2_500);
        },
        async (proxy) => {
          expect((await ask(proxy.port, posted(PING))).body.toString()).toBe(`: begun\n\ndata: ${PONG}\n\n`);
          expect(outcomes(proxy)).toEqual(['ping ok']);
        },
      ),
    'a stream that is silent for long',
  );

  verifies(
    'wrap.http-sessions',
    () =>
      behind(
        (request, response) => {
          request.resume();
          request.on('end', () => {
            response.writeHead(200, { 'content-type': 'application/json' });
            response.end(`[${PONG},{"jsonrpc":"2.0","id":2,"result":{"content":[],"isError":true}}]`);
          });
        },
        async (proxy) => {
          const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'x' } };
          await ask(proxy.port, posted([PING, { jsonrpc: '2.0', method: 'notifications/x' }, call]));
          await eventually('all of it', () => outcomes(proxy).length === 3 || undefined);
          expect(outcomes(proxy).toSorted()).toEqual(['_other ok', 'ping ok', 'tools/call _other tool_error']);
        },
      ),
    'each message of a batch',
  );
});

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = `00-${TRACE}-b7ad6b7169203331-01`;

describe('sessions', () => {
  verifies('wrap.http-sessions', () => {
    let sessions = 0;
    return behind(
      (request, response) => {
        whenRead(request, (body) => {
          const { id, method } = JSON.parse(body.toString() || '{}') as {
            id?: number;
            method?: string;
          };
          const session = request.headers['mcp-session-id'] ?? `session-${++sessions}`;
          if (request.method === 'DELETE') return response.writeHead(204).end();
          if (method === 'tools/call') {
            // the stream is closed before the answer, which comes by another
            response.writeHead(200, { 'content-type': 'text/event-stream' });
            return response.end('id: 1\ndata: \n\n');
          }
          if (request.headers['last-event-id'] !== undefined) {
            response.writeHead(200, { 'content-type': 'text/event-stream' });
            return response.end('id: 2\ndata: {"jsonrpc":"2.0","id":1,"result":{"content":[]}}\n\n');
          }
          response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': session });
          return response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25' } }));
        });
      },
      async (proxy) => {
        const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} };
        const first = await ask(proxy.port, posted(initialize));
        const second = await ask(proxy.port, posted(initialize));
        expect([first, second].map(({ headers }) => headers[headers.indexOf('mcp-session-id') + 1])).toEqual([
          'session-1',
          'session-2',
        ]);
        // both clients ask with id 1; one of them resumes and is answered
        const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x' } };
        for (const session of ['session-1', 'session-2'])
          await ask(proxy.port, posted(call, 'Mcp-Session-Id', session));
        expect(outcomes(proxy)).toEqual(['initialize ok', 'initialize ok']);
        await ask(proxy.port, { method: 'GET', headers: ['Mcp-Session-Id', 'session-2', 'Last-Event-ID', '1'] });
        await eventually('the answer', () => outcomes(proxy).length > 2 || undefined);
        for (const session of ['session-1', 'session-2']) {
          expect((await ask(proxy.port, { method: 'DELETE', headers: ['Mcp-Session-Id', session] })).status).toBe(204);
        }
        await eventually('the end of the other', () => outcomes(proxy).length > 3 || undefined);
        const calls = proxy.recorder.spans().filter(({ attributes }) => attributes['mcp.method.name'] === 'tools/call');
        expect(calls.map(({ attributes }) => [attributes['mcp.session.id'], attributes['toolspan.outcome']])).toEqual([
          ['session-2', 'ok'],
          ['session-1', 'aborted'],
        ]);
        expect((await proxy.recorder.points('mcp.server.session.duration')).map(({ value }) => value)).toEqual([2]);
      },
    );
  });

  verifies('wrap.http-older', () => {
    let events: ServerResponse | undefined;
    return behind(
      (request, response) => {
        if (request.method === 'GET') {
          events = response;
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write('event: endpoint\ndata: /messages?sessionId=7\n\n');
          return;
        }
        request.resume();
        request.on('end', () => {
          response.writeHead(202).end('Accepted');
          events?.write(`event: message\ndata: ${PONG}\n\n`);
        });
      },
      async (proxy) => {
        const stream = httpRequest({ host: '127.0.0.1', port: proxy.port, path: '/sse' }).end();
        const [response] = (await once(stream, 'response')) as [IncomingMessage];
        await once(response, 'data');
        await ask(proxy.port, { ...posted(PING), path: '/messages?sessionId=7' });
        await once(response, 'data');
        await eventually('the span', () => outcomes(proxy).length > 0 || undefined);
        expect(outcomes(proxy)).toEqual(['ping ok']);
        stream.destroy();
      },
    );
  });

  verifies('wrap.http-private', () =>
    behind(
      (request, response) => {
        request.resume();
        expect(request.headers.authorization).toBe('Bearer hush-hush');
        response.writeHead(401, { 'www-authenticate': 'Bearer realm="hush-realm"' }).end('hush-body');
      },
      async (proxy) => {
        const answer = await ask(proxy.port, posted(PING, 'Authorization', 'Bearer hush-hush', 'Cookie', 'hush=1'));
        expect(answer.status).toBe(401);
        await eventually('the span', () => outcomes(proxy).length > 0 || undefined);
        const [span] = proxy.recorder.spans();
        expect(span?.attributes).toMatchObject({
          'toolspan.outcome': 'protocol_error',
          'http.response.status_code': 401,
        });
        expect(span?.attributes['error.type']).toBeUndefined();
        expect(JSON.stringify(proxy.recorder.spans())).not.toContain('hush');
      },
    ),
  );
});

describe('faults', () => {
  verifies(
    'wrap.many',
    () =>
      behind(
        (incoming, response) => incoming.resume().once('end', () => response.end()),
        async (proxy) => {
          const batch = Array.from({ length: 10_007 }, (_, id) => ({ ...PING, id }));
          expect((await ask(proxy.port, posted(batch))).status).toBe(200);
          expect(proxy.unobserved.counts.too_many).toBe(7);
        },
      ),
    'over HTTP',
  );

  verifies('wrap.http-aborted', () => {
    let ended: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => (ended = resolve));
    return behind(
      (request, response) => {
        request.resume();
        response.once('close', () => ended?.());
      },
      async (proxy) => {
        const modern = { ...PING, params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } };
        const { headers, body } = posted(modern);
        const sent = httpRequest({
          host: '127.0.0.1',
          port: proxy.port,
          method: 'POST',
          path: '/mcp',
          headers: ['Host', 'localhost', ...(headers ?? [])] as never,
        });
        sent.on('error', () => {});
        sent.end(body);
        await underWay(proxy, 1);
        sent.destroy();
        await gone;
        await eventually('the span', () => outcomes(proxy).length > 0 || undefined);
        expect(outcomes(proxy)).toEqual(['ping cancelled']);
      },
    );
  });

  verifies(
    'wrap.http-unreachable',
    async () => {
      const port = await freePort();
      const proxy = await proxyBefore(`http://127.0.0.1:${port}/mcp`);
      const answer = await ask(proxy.port, posted(PING));
      expect(answer.status).toBe(502);
      expect(answer.body.toString()).toContain('ECONNREFUSED');
      const [span] = proxy.recorder.spans();
      expect(span?.attributes).toMatchObject({ 'toolspan.outcome': 'aborted', 'error.type': 'ECONNREFUSED' });
      expect(span?.status.code).toBe(2);
      await proxy.close();
    },
    'nobody listens',
  );

  verifies(
    'wrap.http-unreachable',
    () =>
      behind(
        (request, response) => {
          request.resume();
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write('data: {"jso');
          setImmediate(() => response.destroy());
        },
        async (proxy) => {
          // a stream that broke off must not look whole
          await expect(ask(proxy.port, posted(PING))).rejects.toThrow();
          await eventually('the span', () => outcomes(proxy).length > 0 || undefined);
          expect(outcomes(proxy)).toEqual(['ping aborted']);
        },
      ),
    'a stream that breaks off',
  );

  verifies(
    'wrap.http-unreachable',
    () =>
      behind(
        () => {},
        async (proxy) => {
          // garbage on the port is nobody's span and no crash
          const socket = connect(proxy.port, '127.0.0.1');
          socket.on('error', () => {});
          socket.resume();
          socket.end('NOT HTTP AT ALL\r\n\r\n');
          await once(socket, 'close');
          expect((await ask(proxy.port, { method: 'OPTIONS', path: '*' })).status).toBe(400);
          expect(outcomes(proxy)).toEqual([]);
        },
      ),
    'garbage on the port',
  );

  verifies('wrap.http-tls', async () => {
    // a certificate for localhost that nobody trusts, good for a hundred years
    const [key, cert] = ['key', 'cert'].map((part) => `${ROOT}fixtures/localhost-${part}.pem`) as [string, string];
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(PONG));
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const { port } = server.address() as { port: number };
    const collector = await startCollector();
    const wrapped = new Child(
      process.execPath,
      [
        new URL('../../src/cli/main.ts', import.meta.url).pathname,
        'wrap',
        `--url=https://localhost:${port}/mcp`,
        '--listen=0',
        `--endpoint=${collector.url}`,
      ],
      { env: { NODE_EXTRA_CA_CERTS: cert } },
    );
    const ours = await eventually('the port', () => /http:\/\/127\.0\.0\.1:(\d+)\/mcp/.exec(wrapped.stderr)?.[1]);
    expect((await ask(Number(ours), posted(PING))).body.toString()).toBe(PONG);
    expect(await wrapped.kill('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(collector.spans().map(({ name }) => name)).toEqual(['ping']);
    server.closeAllConnections();
    server.close();
    await collector.close();
  });
});
