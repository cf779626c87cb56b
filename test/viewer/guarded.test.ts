// The port of the viewer: every route of it, and who is turned away from each.
import { request as httpRequest } from 'node:http';
import { networkInterfaces } from 'node:os';
import { describe, expect, onTestFinished } from 'vitest';
import { JAEGER_ROUTES } from '../../src/viewer/api/jaeger.ts';
import { ROUTES } from '../../src/viewer/api/routes.ts';
import { startViewer } from '../../src/viewer/viewer.ts';
import { openPort } from '../../src/loopback/listen.ts';
import { startOnFreePort } from '../../src/viewer/free-port.ts';
import { Child } from '../harness/child.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { viewerClient } from './client.ts';
import { post, spanId, spansBody, traceId } from './otlp-bodies.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const toolspan = (...args: string[]) => new Child(process.execPath, [MAIN, ...args]);

const TRACE = '1'.repeat(32);
const PAGES = [
  '/',
  '/traces',
  `/traces/${TRACE}`,
  '/tools/x',
  '/logs',
  '/metrics',
  '/server',
  '/compare',
  '/index.html',
];
const API = [
  ...[...ROUTES, ...JAEGER_ROUTES].map(({ path }) => path.replace('{traceId}', TRACE).replace(/\{\w+\}/g, 'x')),
  '/api/openapi.json',
  '/api/events',
  `/api/traces/${TRACE}/share`,
];
const OTLP = ['/v1/traces', '/v1/metrics', '/v1/logs'];

/** Status of a request with exactly these headers. */
function status(origin: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<number> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname: hostname.replace(/[[\]]/g, ''), port, path, method, headers }, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the port', () => {
  verifies('api.guarded', async () => {
    const { viewer, token } = await viewerClient();
    const { endpoint } = viewer;
    const known = { authorization: `Bearer ${token}` };
    for (const path of [...PAGES, ...API, ...OTLP, '/healthz', '/api/data', '/nothing.js']) {
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
        const what = `${method} ${path}`;
        expect(await status(endpoint, path, { ...known, host: 'evil.example' }, method), what).toBe(403);
        expect(await status(endpoint, path, { ...known, origin: 'https://evil.example' }, method), what).toBe(403);
        expect(await status(endpoint, path, { ...known, origin: 'null' }, method), what).toBe(403);
      }
    }
    for (const path of [...PAGES, ...API]) {
      expect(await status(endpoint, path), path).toBe(401);
      expect(await status(endpoint, path, { authorization: 'Bearer wrong' }), path).toBe(401);
    }
    expect(await status(endpoint, '/api/data', {}, 'DELETE')).toBe(401);
    // what every exporter of this machine may do without a setting
    for (const path of OTLP)
      expect(await status(endpoint, path, { 'content-type': 'application/json' }, 'POST'), path).toBe(400);
    expect(await status(endpoint, '/healthz')).toBe(200);
  });

  verifies(
    'api.guarded',
    async () => {
      const { viewer } = await viewerClient({ askForToken: false });
      const { endpoint } = viewer;
      const other = { origin: 'http://localhost:3000' };
      expect(await status(endpoint, '/api/data', other, 'DELETE')).toBe(403);
      for (const path of OTLP)
        expect(await status(endpoint, path, { ...other, 'content-type': 'application/json' }, 'POST'), path).toBe(403);
      // the page itself may; another may ask, and its browser shows it nothing
      expect(await status(endpoint, '/api/data', { origin: endpoint }, 'DELETE')).toBe(204);
      const asked = await fetch(`${endpoint}/api/status`, { headers: other });
      expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    },
    'a page of another port of this machine, without a token',
  );

  verifies(
    'api.guarded',
    async () => {
      const { viewer, fetch: send } = await viewerClient();
      for (const path of ['/', '/api/status', '/healthz', '/api/nothing']) {
        const { headers } = await send(path);
        expect(headers.get('content-security-policy'), path).toContain(`default-src 'none'; script-src 'self'`);
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('x-frame-options')).toBe('DENY');
        expect(headers.get('access-control-allow-origin')).toBeNull();
      }
      const page = await (await send('/')).text();
      expect(page).not.toMatch(/<script>|<style|\son\w+=/);
      const script = /src="([^"]+\.js)"/.exec(page)?.[1] ?? '';
      const compressed = await send(script, { headers: { 'accept-encoding': 'gzip' } });
      expect(compressed.headers.get('content-encoding')).toBe('gzip');
      expect(compressed.headers.get('cache-control')).toContain('immutable');
      expect(await (await send(script)).text()).toMatch(/^\/\*! preact: Copyright/);
      expect(await (await send('/licenses.txt')).text()).toMatch(
        /Jason Miller[\s\S]+Leon Sorokin[\s\S]+Tanner Linsley/,
      );
      expect((await send('/app-000000000000.js')).status).toBe(404);
      expect((await send('/', { method: 'PUT' })).status).toBe(405);
      expect(viewer.url).toContain('/?token=');
    },
    'with headers that keep a page to itself',
  );

  verifies('page.budget', async () => {
    const { fetch: send } = await viewerClient();
    const page = await (await send('/', { headers: { 'accept-encoding': 'identity' } })).text();
    const parts = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '');
    expect(parts).toHaveLength(2);
    const sizes = await Promise.all(
      ['/', ...parts].map(async (path) =>
        Number((await send(path, { headers: { 'accept-encoding': 'gzip' } })).headers.get('content-length')),
      ),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
  });

  verifies('receiver.cors', async () => {
    const origin = 'https://app.example';
    const { viewer } = await viewerClient({ corsOrigins: [origin] });
    const preflight = await fetch(`${viewer.endpoint}/v1/traces`, { method: 'OPTIONS', headers: { origin } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('POST');
    const body = JSON.stringify(spansBody([]));
    const sent = await fetch(`${viewer.endpoint}/v1/traces`, {
      method: 'POST',
      headers: { origin, 'content-type': 'application/json' },
      body,
    });
    expect(sent.status).toBe(200);
    expect(sent.headers.get('access-control-allow-origin')).toBe(origin);
    // to send only: nothing is read from there
    expect((await fetch(`${viewer.endpoint}/api/status`, { headers: { origin } })).status).toBe(403);
    const without = await viewerClient();
    expect(
      (await fetch(`${without.viewer.endpoint}/v1/traces`, { method: 'OPTIONS', headers: { origin } })).status,
    ).toBe(403);
  });

  verifies('viewer.elsewhere', async () => {
    const address = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    const viewer = await startViewer({ port: 0, host: '0.0.0.0', askForToken: false, allowedHosts: ['box.example'] });
    onTestFinished(() => viewer.close());
    const token = new URL(viewer.url).searchParams.get('token') ?? '';
    expect(token).not.toBe('');
    expect(viewer.exporterHeaders).toBe(`authorization=Bearer ${token}`);
    const local = `http://127.0.0.1:${viewer.port}`;
    for (const path of [...PAGES, ...API]) expect(await status(local, path), path).toBe(401);
    expect(await status(local, '/api/status', { authorization: `Bearer ${token}`, host: 'box.example' })).toBe(200);
    expect(await status(local, '/api/status', { authorization: `Bearer ${token}`, host: 'evil.example' })).toBe(403);
    if (address === undefined) return;
    const far = `http://${address}:${viewer.port}`;
    const json = { 'content-type': 'application/json' };
    expect(await status(far, '/v1/traces', json, 'POST')).toBe(401);
    expect(await status(far, '/v1/traces', { ...json, authorization: `Bearer ${token}` }, 'POST')).toBe(400);
  });
});

describe('toolspan view', () => {
  verifies('viewer.command', async () => {
    const view = toolspan('view', '--no-token');
    const [, url = '', endpoint = ''] = await eventually(
      'the address',
      () => /Page +(\S+)\n +Receives +(\S+)/.exec(view.stdout) ?? undefined,
    );
    expect(url).toBe(`${endpoint}/`);
    expect(endpoint).toMatch(/^http:\/\/localhost:\d+$/);
    expect(view.stdout).toContain('not for production');
    const id = traceId();
    await post(
      endpoint,
      'traces',
      spansBody([{ traceId: id, spanId: spanId(), name: 'x', kind: 2, startMs: Date.now(), durationMs: 1 }]),
    );
    expect((await fetch(`${endpoint}/api/traces/${id}`)).status).toBe(200);
    const ended = await view.kill('SIGINT');
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(ended.stderr).toBe('');
  });

  verifies('viewer.taken-port', async () => {
    const holder = await openPort((_, response) => void response.end(), 0);
    const taken = await toolspan('view', '--port', String(holder.port)).ended();
    expect(taken).toMatchObject({ code: 2, stdout: '' });
    const named = process.platform === 'linux' ? `process ${process.pid} \\(.+\\)` : 'another program';
    expect(taken.stderr).toMatch(
      new RegExp(`^toolspan: --port ${holder.port} is taken by ${named}; choose another, or leave it out\n`),
    );
    await holder.close();
    // without a number the next one is used; 4318 may be somebody's on this machine already
    const first = await startOnFreePort({});
    const second = await startOnFreePort({});
    onTestFinished(async () => {
      await second.viewer.close();
      await first.viewer.close();
    });
    expect(second.viewer.port).toBeGreaterThan(4_318);
    expect(second.taken).toBeDefined();
    if (first.taken === undefined) expect(second.taken).toMatch(/^a toolspan viewer\/\d/);
  });

  verifies(
    'viewer.command',
    async () => {
      const wrong: [string[], RegExp][] = [
        [['view', '--port', '0'], /--port must be a whole number above 0 and at most 65535, got "0"/],
        [['view', '--memory', 'much'], /--memory must be a whole number/],
        [['view', '--keep', '-1'], /--keep/],
        [['view', '--cors', 'localhost:5173'], /--cors must be an origin, such as/],
        [['view', '--no-token', '--host', '0.0.0.0'], /--no-token is for loopback only/],
        [
          ['view', '--db', '/no/such/folder/x.db'],
          /--db \/no\/such\/folder\/x.db: .+; name a file that can be written/,
        ],
        [['view', '--nonsense'], /Unknown option '--nonsense'/],
      ];
      for (const [args, message] of wrong) {
        const ended = await toolspan(...args).ended();
        expect(ended, args.join(' ')).toMatchObject({ code: 2, stdout: '' });
        expect(ended.stderr).toMatch(message);
      }
      expect((await toolspan('view', '--help').ended()).stdout).toMatch(/^Usage: toolspan view/);
    },
    'and what is wrong with an option',
  );
});
