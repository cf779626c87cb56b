// `toolspan wrap --url`: what a client gets through it is what it would get without.
import { gzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import { Child } from '../harness/child.ts';
import { whenRead } from '../harness/http-server.ts';
import { ask, behind, outcomes, PING, PONG, posted, type Ask, type Handle } from '../harness/http-wrap.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

describe('transparency', () => {
  const mirror: Handle = (request, response) => {
    whenRead(request, (body) => {
      const { method, url, rawHeaders } = request;
      const kept = rawHeaders.filter((_, index) => {
        const name = (rawHeaders[index - (index % 2)] ?? '').toLowerCase();
        return !['host', 'connection', 'accept-encoding', 'transfer-encoding'].includes(name);
      });
      response.writeHead(Number(/^\/(\d{3})$/.exec(url ?? '')?.[1] ?? 200), 'Just So', [
        'X-Twice',
        'one',
        'x-twice',
        'two',
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'WWW-Authenticate',
        'Bearer resource_metadata="x"',
        'Connection',
        'x-secret-hop',
        'x-secret-hop',
        '1',
        'Mcp-Session-Id',
        's-1',
        'Content-Type',
        'text/plain',
        'Date',
        'Thu, 01 Jan 1970 00:00:00 GMT',
      ]);
      response.end(JSON.stringify({ method, url, kept, body: body.toString('base64') }));
    });
  };
  const asks: readonly Ask[] = [
    { method: 'GET', path: '/mcp?x=%20y&z', headers: ['Accept', 'text/event-stream', 'Last-Event-ID', '42'] },
    {
      method: 'POST',
      path: '/mcp',
      headers: ['Content-Type', 'application/json', 'Authorization', 'Bearer secret', 'Content-Length', '3'],
      body: '{} ',
    },
    {
      method: 'POST',
      path: '/mcp',
      headers: ['Content-Type', 'application/json', 'Transfer-Encoding', 'chunked'],
      body: 'no json at all \u0000',
    },
    {
      method: 'POST',
      path: '/other',
      headers: ['Content-Type', 'application/octet-stream', 'Transfer-Encoding', 'chunked'],
      body: Buffer.alloc(200_000, 0xff),
    },
    { method: 'DELETE', path: '/mcp', headers: ['MCP-Session-Id', 'abc', 'mcp-protocol-version', '2025-11-25'] },
    { method: 'OPTIONS', path: '/.well-known/oauth-protected-resource/mcp', headers: ['X-Mixed-CASE', 'kept'] },
    { method: 'GET', path: '/401' },
    { method: 'POST', path: '/404', headers: ['Content-Length', '0'] },
    { method: 'PUT', path: '/405', headers: ['Transfer-Encoding', 'chunked'], body: 'x' },
    { method: 'GET', path: '/503' },
  ];
  for (const propagate of [false, true]) {
    verifies(
      'wrap.http-transparent',
      () =>
        behind(
          mirror,
          async (proxy, port) => {
            for (const asked of asks) {
              const bare = await ask(port, asked);
              const wrapped = await ask(proxy.port, asked);
              const strip = (headers: readonly string[]) =>
                headers.filter((_, index) => {
                  const name = (headers[index - (index % 2)] ?? '').toLowerCase();
                  return !['connection', 'x-secret-hop', 'keep-alive', 'transfer-encoding', 'content-length'].includes(
                    name,
                  );
                });
              expect(
                { ...wrapped, headers: strip(wrapped.headers), body: wrapped.body.toString() },
                asked.path,
              ).toEqual({
                ...bare,
                headers: strip(bare.headers),
                body: bare.body.toString(),
              });
            }
          },
          { propagate },
        ),
      propagate ? 'with --propagate' : 'observing',
    );
  }

  verifies(
    'wrap.http-transparent',
    () =>
      behind(
        (request, response) => {
          request.resume();
          request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(PONG));
        },
        async (proxy) => {
          const big = { ...PING, params: { text: 'x'.repeat(20 * 1_024 * 1_024) } };
          for (const asked of [posted(PING), posted(big), posted(PING)]) {
            expect((await ask(proxy.port, asked)).body.toString()).toBe(PONG);
          }
          expect(proxy.unobserved.counts.too_long).toBe(1);
          expect(outcomes(proxy)).toEqual(['ping ok', 'ping ok']);
        },
      ),
    'a body of 20 MiB passes unread',
  );

  verifies(
    'wrap.http-transparent',
    () =>
      behind(
        (request, response) => {
          request.resume();
          response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
          response.end(gzipSync(PONG));
        },
        async (proxy) => {
          const answer = await ask(proxy.port, posted(PING));
          expect(answer.body.equals(gzipSync(PONG))).toBe(true);
          expect(proxy.unobserved.counts.encoded).toBe(1);
        },
      ),
    'an encoded answer passes unread',
  );
});

describe('the guard', () => {
  const seen: string[] = [];
  const handle: Handle = (request, response) => {
    seen.push(request.url ?? '');
    response.end('reached');
  };
  verifies('wrap.http-guard', () =>
    behind(handle, async (proxy) => {
      const routes = [
        { method: 'GET', path: '/mcp' },
        { method: 'POST', path: '/mcp' },
        { method: 'DELETE', path: '/mcp' },
        { method: 'GET', path: '/.well-known/oauth-authorization-server' },
      ];
      for (const route of routes) {
        for (const [headers, status] of [
          [['Host', 'evil.example'], 403],
          [['Host', `evil.example:${proxy.port}`], 403],
          [['Host', `127.0.0.1.evil.example`], 403],
          [['Host', 'localhost', 'Host', 'localhost'], 400],
          [['Host', 'localhost', 'Origin', 'http://evil.example'], 403],
          [['Host', 'localhost', 'Origin', 'null'], 403],
          [['Host', 'localhost', 'Origin', 'http://localhost', 'Origin', 'http://localhost'], 403],
          [['Host', 'localhost', 'Origin', 'http://localhost.evil.example'], 403],
        ] as const) {
          const refused = await ask(proxy.port, { ...route, headers });
          expect([route.path, headers, refused.status]).toEqual([route.path, headers, status]);
        }
        for (const headers of [
          ['Host', `localhost:${proxy.port}`],
          ['Host', '127.0.0.1'],
          ['Host', '[::1]:80', 'Origin', 'http://localhost:3000'],
        ]) {
          expect((await ask(proxy.port, { ...route, headers })).body.toString()).toBe('reached');
        }
      }
      expect(seen).toHaveLength(routes.length * 3);
    }),
  );

  verifies(
    'wrap.http-guard',
    () =>
      behind(
        handle,
        async (proxy) => {
          expect((await ask(proxy.port, { headers: ['Host', 'tools.example:80'] })).status).toBe(200);
          expect((await ask(proxy.port, { headers: ['Host', 'other.example'] })).status).toBe(403);
        },
        { hosts: ['tools.example'] },
      ),
    'a host that is allowed',
  );

  verifies(
    'wrap.http-guard',
    async () => {
      const wrapped = new Child(process.execPath, [
        new URL('../../src/cli/main.ts', import.meta.url).pathname,
        'wrap',
        '--url=http://127.0.0.1:9/mcp',
        '--listen=0.0.0.0:0',
      ]);
      const ended = await wrapped.ended();
      expect(ended.code).toBe(2);
      expect(ended.stderr).toContain('--allow-host');
    },
    'more than loopback has to be asked for',
  );
});

describe('the address of the server', () => {
  const wrap = (url: string) =>
    new Child(process.execPath, [
      new URL('../../src/cli/main.ts', import.meta.url).pathname,
      'wrap',
      `--url=${url}`,
      '--listen=0',
      '--disabled',
    ]);

  verifies(
    'wrap.http-private',
    async () => {
      const ended = await wrap('http://someone:hush@127.0.0.1:9/mcp').ended();
      expect(ended.code).toBe(2);
      expect(ended.stderr).toContain('Authorization header');
      expect(ended.stderr).not.toContain('hush');
    },
    'a password in --url is refused, since it would not be sent',
  );

  verifies(
    'wrap.http-private',
    async () => {
      const child = wrap('http://127.0.0.1:9/mcp?key=hush');
      const said = await eventually('the line', () => /stands for .*\n/.exec(child.stderr)?.[0]);
      expect(said).toBe('stands for http://127.0.0.1:9/mcp (the query of --url is for clients to send)\n');
      expect((await child.kill('SIGTERM')).stderr).not.toContain('hush');
    },
    'a query in --url is not printed',
  );
});
