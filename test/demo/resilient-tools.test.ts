// The two resilient tools of the demo, and the service that they are tried on.
import { createServer, type Server } from 'node:http';
import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, describe, expect } from 'vitest';
import { faultsOf, startFlakyUpstream } from '../../src/demo/flaky-upstream.ts';
import { guardedGet, type GuardOptions } from '../../src/demo/guarded-get.ts';
import { isPublicAddress } from '../../src/demo/public-address.ts';
import { registerResilientTools, type ResilientToolOptions } from '../../src/demo/resilient-tools.ts';
import { Child } from '../harness/child.ts';
import { closed, listening } from '../harness/http-server.ts';
import { eventually } from '../harness/poll.ts';
import { script } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function serve(handle: Parameters<typeof createServer>[1]): Promise<string> {
  const server: Server = createServer(handle);
  closing.push(() => closed(server));
  return listening(server);
}

const get = (url: string, options: Partial<GuardOptions> = {}) =>
  guardedGet(url, { signal: new AbortController().signal, ...options });

describe('the flaky service', () => {
  verifies('demo.upstream', () => {
    const first = (seed: number, ratio = 0.5) => {
      const faults = faultsOf(seed, ratio);
      return Array.from({ length: 200 }, () => faults.next().value);
    };
    expect(first(7)).toEqual(first(7));
    expect(first(7)).not.toEqual(first(8));
    expect(new Set(first(7))).toEqual(new Set([undefined, 'slow', 'error', 'limited', 'reset', 'hang']));
    expect(first(7).filter((fault) => fault !== undefined).length).toBeGreaterThan(70);
    expect(new Set(first(1, 0))).toEqual(new Set([undefined]));
  });

  verifies(
    'demo.upstream',
    async () => {
      const upstream = await startFlakyUpstream({ slowMs: 5, flapMs: 40, faultRatio: 1, seed: 3 });
      closing.push(upstream.close);
      const status = async (path: string) => (await fetch(`${upstream.url}${path}`)).status;
      expect([await status('/ok'), await status('/slow'), await status('/error'), await status('/nothing')]).toEqual([
        200, 200, 500, 404,
      ]);
      const limited = await fetch(`${upstream.url}/limited`);
      expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '1']);
      await expect(status('/reset')).rejects.toThrow('fetch failed');
      const hanging = new AbortController();
      const hangs = fetch(`${upstream.url}/hang`, { signal: hanging.signal });
      // good and bad times take turns while it hangs
      const seen = new Set<number>();
      await eventually('both times', async () => (seen.add(await status('/flapping')), seen.size === 2 || undefined));
      hanging.abort();
      await expect(hangs).rejects.toThrow('aborted');
      expect(seen).toEqual(new Set([200, 500]));
    },
    'over the wire',
  );
});

describe('a URL that somebody else chose', () => {
  verifies('demo.guard', () => {
    const refused = [
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '127.0.0.1',
      '127.255.255.254',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.8',
      '192.0.2.1',
      '192.168.1.1',
      '198.18.0.1',
      '198.51.100.7',
      '203.0.113.9',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::7f00:1',
      '100::1',
      '2001::1',
      '2001:db8::1',
      '2002:7f00:1::',
      'fc00::1',
      'fd12:3456::1',
      'fe80::1',
      'fec0::1',
      'ff02::1',
      'localhost',
      '',
      '1',
      '127.1',
    ];
    expect(refused.filter(isPublicAddress)).toEqual([]);
    const allowed = [
      '1.1.1.1',
      '8.8.8.8',
      '172.15.0.1',
      '172.32.0.1',
      '192.167.0.1',
      '2606:4700:4700::1111',
      '2a00:1450::1',
    ];
    expect(allowed.filter((address) => !isPublicAddress(address))).toEqual([]);
  });

  verifies(
    'demo.guard',
    async () => {
      const { port } = new URL(await serve((_request, response) => response.end('a secret of this machine')));
      const denied = 'The URL leads to an address that is not public';
      const spellings = [
        '127.0.0.1',
        'localhost',
        '127.1',
        '2130706433',
        '0x7f000001',
        '0177.0.0.1',
        '[::1]',
        '[::ffff:127.0.0.1]',
        '0.0.0.0',
      ];
      for (const host of spellings)
        await expect(get(`http://${host}:${port}/`), host).rejects.toMatchObject({
          code: 'PERMISSION_DENIED',
          message: denied,
        });
      // a name of the attacker's that leads here, alone or among others
      for (const addresses of [['127.0.0.1'], ['1.1.1.1', '10.0.0.1'], ['fe80::1'], []]) {
        const resolve = () => Promise.resolve(addresses);
        await expect(get(`http://evil.example:${port}/`, { resolve })).rejects.toMatchObject({
          retryable: addresses.length === 0,
        });
      }
      for (const url of [
        'file:///etc/passwd',
        'ftp://example.com/',
        'gopher://x',
        'no url',
        '',
        'http://',
        'javascript:1',
      ]) {
        await expect(get(url), url).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
      }
      await expect(get('http://user:secret@example.com/')).rejects.toThrow('must not hold credentials');
    },
    'in any spelling',
  );

  verifies(
    'demo.guard',
    async () => {
      const secret = await serve((_request, response) => response.end('a secret of this machine'));
      const seen: string[] = [];
      const front = await serve((request, response) => {
        seen.push(`${request.headers.host} ${request.url}`);
        const to: Record<string, string> = {
          '/out': secret,
          '/in': '/there',
          '/loop': '/loop',
          '/file': 'file:///etc/passwd',
        };
        const location = to[request.url ?? ''];
        if (location === undefined) response.end('there');
        else response.writeHead(302, { location }).end();
      });
      // the name has no address but the one it was checked for, and is asked for once
      const origin = front.replace('127.0.0.1', 'front.example');
      let asked = 0;
      const resolve = () => (asked++, Promise.resolve(['127.0.0.1']));
      const options = { allowedOrigins: [origin], resolve };
      expect(await get(`${origin}/plain?x=1`, options)).toMatchObject({ status: 200, body: 'there' });
      expect([asked, seen]).toEqual([1, [`${new URL(origin).host} /plain?x=1`]]);
      expect(await get(`${origin}/in`, options)).toMatchObject({ status: 200, body: 'there' });
      await expect(get(`${origin}/out`, options)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      await expect(get(`${origin}/file`, options)).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
      await expect(get(`${origin}/loop`, options)).rejects.toMatchObject({
        message: 'More than 5 redirects',
        retryable: false,
      });
    },
    'after each redirect, at the address that was checked',
  );

  verifies('demo.bounded', async () => {
    const endless = await serve((request, response) => {
      if (request.url === '/length') response.setHeader('content-length', 5_000_000);
      const more = () => void response.write('x'.repeat(10_000), more);
      more();
    });
    const allowedOrigins = [endless];
    for (const path of ['/length', '/stream']) {
      await expect(get(`${endless}${path}`, { allowedOrigins })).rejects.toThrow(
        'The answer is longer than 1000000 bytes',
      );
    }
    const hangs = await serve(() => {});
    const caller = new AbortController();
    const hanging = get(hangs, { allowedOrigins: [hangs], signal: caller.signal });
    const lookingUp = get('http://slow.example/', {
      signal: caller.signal,
      resolve: () =>
        new Promise((_, reject) => caller.signal.addEventListener('abort', () => reject(new Error('gone')))),
    });
    caller.abort('enough');
    for (const call of [hanging, lookingUp]) await expect(call).rejects.toBe('enough');
    await expect(get('http://127.0.0.1:1/', { allowedOrigins: ['http://127.0.0.1:1'] })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    });
  });
});

describe('the tools', () => {
  async function tools(options: ResilientToolOptions = {}) {
    const server = new McpServer({ name: 'demo', version: '1' });
    registerResilientTools(server, options);
    const { transport, call } = await script(server);
    let id = 0;
    return async (name: string, args: Record<string, unknown>) => {
      call(++id, name, args);
      const { result } = await transport.answer(id);
      const { content, isError } = result as { content: { text: string }[]; isError?: boolean };
      return `${isError === true ? 'error: ' : ''}${content[0]?.text.split('.')[0]}`;
    };
  }

  verifies('demo.external-call', async () => {
    const answers: Record<string, number[]> = {
      '/recovers': [500, 503, 200],
      '/down': [503],
      '/limited': [429, 200],
      '/missing': [404],
      '/bad': [400],
    };
    const requests: Record<string, number> = {};
    const service = await serve((request, response) => {
      const path = request.url ?? '';
      const turn = requests[path] ?? 0;
      requests[path] = turn + 1;
      const list = answers[path] ?? [];
      const status = list[Math.min(turn, list.length - 1)] ?? 0;
      response.writeHead(status, status === 429 ? { 'retry-after': '0' } : {}).end(`answer ${turn + 1}`);
    });
    const ask = await tools({ allowedOrigins: [service], initialDelayMs: 0, requestTimeoutMs: 5_000 });
    const call = (path: string) => ask('resilient_external_call', { url: `${service}${path}` });
    expect([
      await call('/recovers'),
      await call('/limited'),
      await call('/down'),
      await call('/missing'),
      await call('/bad'),
    ]).toEqual([
      'answer 3',
      'answer 2',
      'error: UNAVAILABLE: The service answered 503',
      'error: RESOURCE_NOT_FOUND: The service answered 404',
      'error: VALIDATION_ERROR: The service answered 400',
    ]);
    expect(requests).toEqual({ '/recovers': 3, '/limited': 2, '/down': 4, '/missing': 1, '/bad': 1 });
    expect(await ask('resilient_external_call', { url: 'http://localhost/' })).toContain('not public');
  });
});

describe('watched', () => {
  verifies('demo.breaker', async () => {
    const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
    const demo = new Child(process.execPath, [main, 'demo']);
    const shown = (text: string) =>
      eventually(`"${text}" among what the demo shows`, () => demo.stdout.includes(text) || undefined, 25_000);
    await shown('circuit breaker transition: operation closed > open (consecutive)');
    await shown('circuit breaker rejected: operation');
    await shown('fallback: operation');
    await shown('circuit breaker transition: operation open > half_open (reset_elapsed)');
    await shown('circuit breaker transition: operation half_open > closed (probe_ok)');
    expect(await demo.kill('SIGINT')).toMatchObject({ code: 0 });
  });
});
