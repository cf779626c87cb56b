// The guard of a port, asked over real sockets, since what Node makes of headers is part of it.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Guard, isLoopback, makeToken } from '../../src/loopback/guard.ts';
import { openPort, type OpenPort } from '../../src/loopback/listen.ts';
import { verifies } from '../harness/verifies.ts';

const TOKEN = makeToken();
let port: OpenPort;

beforeAll(async () => {
  const guard = new Guard({ token: TOKEN, hosts: ['dev.example', 'fd00::1'], ownPagesOnly: true });
  port = await openPort((request, response) => {
    const refusal = guard.refusal(request, ['https://allowed.example']);
    const exchange = guard.exchange(request);
    if (refusal !== undefined) response.writeHead(refusal.status).end(refusal.message);
    else if (exchange !== undefined) {
      response.writeHead(303, { location: exchange.location, 'set-cookie': exchange.setCookie }).end();
    } else response.writeHead(guard.knows(request) ? 200 : 401).end();
  }, 0);
});
afterAll(() => port.close());

/** Sends header lines as they are; answers status and headers. */
function send(lines: readonly string[], path = '/', method = 'GET'): Promise<{ status: number; head: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('utf8')));
    socket.on('error', reject);
    socket.on('close', () => resolve({ status: Number(answer.slice(9, 12)), head: answer }));
    socket.end(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  });
}
const statusOf = async (lines: readonly string[], method = 'GET') => (await send(lines, '/', method)).status;

describe('the guard', () => {
  verifies('loopback.host', async () => {
    const good = [
      'localhost',
      'localhost:4318',
      'LOCALHOST',
      '127.0.0.1:80',
      '127.3.2.1',
      '[::1]',
      '[::1]:9',
      'dev.example',
    ];
    for (const host of [...good, '[fd00::1]:4318']) expect(await statusOf([`Host: ${host}`]), host).toBe(401);
    const foreign = [
      'evil.example',
      'localhost.evil.example',
      '0.0.0.0',
      '[::]',
      '10.0.0.1',
      '127.0.0.1.evil.example',
      'localhost.',
    ];
    for (const host of foreign) expect(await statusOf([`Host: ${host}`]), host).toBe(403);
    const bad = ['', 'localhost@evil.example', 'localhost:port', 'a b', 'localhost, evil.example'];
    for (const host of bad) expect(await statusOf([`Host: ${host}`]), host).toBe(400);
    expect(await statusOf(['Host: localhost', 'Host: evil.example'])).toBe(400);
    expect(await statusOf(['X-No-Host: 1'])).toBe(400);
  });

  verifies('loopback.origin', async () => {
    const from = (...lines: string[]) => statusOf(['Host: localhost', ...lines]);
    for (const origin of [
      'http://localhost:3000',
      'https://127.0.0.1',
      'http://[::1]:1',
      'https://dev.example',
      'https://allowed.example',
    ]) {
      expect(await from(`Origin: ${origin}`), origin).toBe(401);
    }
    for (const origin of [
      'null',
      '',
      'https://evil.example',
      'file://localhost',
      'http://localhost.evil.example',
      'http://localhost@evil.example',
      'https://allowed.example:8443',
    ]) {
      expect(await from(`Origin: ${origin}`), origin).toBe(403);
    }
    expect(await from('Origin: http://localhost', 'Origin: https://evil.example')).toBe(403);
    // a picture or script of a foreign page has no origin, a link that was followed is welcome
    expect(await from('Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors')).toBe(403);
    expect(await from('Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate')).toBe(401);
    expect(await from('Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: cors')).toBe(401);
  });

  verifies('loopback.changes', async () => {
    const own = `localhost:${port.port}`;
    const from = (method: string, origin: string, host = own) =>
      statusOf([`Host: ${host}`, `Origin: ${origin}`], method);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      for (const origin of ['http://localhost:3000', `http://127.0.0.1:${port.port}`, 'http://localhost']) {
        expect(await from(method, origin), `${method} ${origin}`).toBe(403);
      }
      // its own page, one that is allowed, and a program, which has no origin
      expect(await from(method, `http://${own}`)).toBe(401);
      expect(await from(method, `http://${own}`, own.toUpperCase())).toBe(401);
      expect(await from(method, 'https://allowed.example')).toBe(401);
      expect(await statusOf([`Host: ${own}`], method)).toBe(401);
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(await from(method, 'http://localhost:3000')).toBe(401);
  });

  verifies('loopback.token', async () => {
    const host = 'Host: localhost';
    const swapped = await send([host], `/traces?tool=x&token=${TOKEN}`);
    expect(swapped.status).toBe(303);
    expect(swapped.head).toMatch(/location: \/traces\?tool=x\r\n/i);
    const cookie = /set-cookie: ([^;]+); Path=\/; HttpOnly; SameSite=Lax/i.exec(swapped.head)?.[1] ?? '';
    expect(cookie).toContain(`toolspan_${port.port}=`);
    expect(cookie).not.toContain(TOKEN);
    expect(await statusOf([host, `Cookie: other=1; ${cookie}`])).toBe(200);
    expect(await statusOf([host, `Authorization: Bearer ${TOKEN}`])).toBe(200);
    for (const wrong of [
      `Cookie: ${cookie}x`,
      `Cookie: toolspan_1=${cookie.split('=')[1]}`,
      'Authorization: Bearer x',
      `Authorization: ${TOKEN}`,
    ]) {
      expect(await statusOf([host, wrong]), wrong).toBe(401);
    }
    expect((await send([host], '/?token=wrong')).status).toBe(401);
  });

  verifies(
    'loopback.token',
    async () => {
      for (const path of [`//evil.example/?token=${TOKEN}`, String.raw`/\evil.example/?token=${TOKEN}`]) {
        expect((await send(['Host: localhost'], path)).head).toMatch(/location: \/evil\.example\/\r\n/i);
      }
    },
    'and never leads elsewhere',
  );

  verifies(
    'loopback.token',
    () => {
      expect(() => new Guard({ token: '' })).toThrow(/option "token" must be a non-empty string/);
      expect(() => new Guard({ hosts: [''] })).toThrow(/option "hosts" must be a list of host names/);
      expect(makeToken()).not.toBe(makeToken());
      expect(['localhost', '::1', '127.0.0.1'].every(isLoopback)).toBe(true);
      expect(['0.0.0.0', '::', 'localhost.example'].some(isLoopback)).toBe(false);
    },
    'of options that are checked',
  );
});
