// Probes over real HTTP, and the orderly end of a server.
import { createServer } from 'node:http';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { registerHealthCheck } from '../../src/index.ts';
import { monitor } from '../../src/health/monitor.ts';
import { setDraining } from '../../src/health/readiness.ts';
import { drain, probeHandler, type ProbeHandler } from '../../src/node/index.ts';
import { reportBreakers } from '../../src/state/sources.ts';
import { statsOf } from '../../src/state/stats.ts';
import { listening } from '../harness/http-server.ts';
import { eventually } from '../harness/poll.ts';
import { scriptReference } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const settled = (name: string) =>
  eventually(`the check ${name}`, () =>
    monitor.checks.results().find((check) => check.name === name)?.code === 'PENDING' ? undefined : true,
  );

async function get(handler: ProbeHandler, path: string, method = 'GET') {
  const response = await handler.fetch(new Request(`http://server${path}`, { method }));
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>) };
}

describe('probes', () => {
  verifies('probes.status', async () => {
    let ready = false;
    const handler = probeHandler({ ready: () => ready });
    expect(await get(handler, '/readyz')).toEqual({ status: 503, body: { status: 'not_ready', causes: ['starting'] } });
    expect(await get(handler, '/livez')).toEqual({ status: 200, body: { status: 'live' } });
    ready = true;
    expect(await get(handler, '/readyz')).toEqual({ status: 200, body: { status: 'ready' } });
    expect((await get(handler, '/healthz')).status).toBe(200);

    const removeDegrading = registerHealthCheck('cache', () => false);
    await settled('cache');
    const degraded = await get(handler, '/healthz');
    expect(degraded).toMatchObject({ status: 200, body: { status: 'degraded', reasons: [{ name: 'cache' }] } });
    expect(degraded.body?.['age_ms']).toBeTypeOf('number');
    expect((await get(handler, '/readyz')).status).toBe(200);
    removeDegrading();

    const removeCritical = registerHealthCheck('database', () => Promise.reject(new Error('db.internal')), {
      critical: true,
    });
    expect((await get(handler, '/readyz')).body?.['causes']).toEqual(['check:database']);
    await settled('database');
    const unhealthy = await get(handler, '/healthz');
    expect(unhealthy).toMatchObject({ status: 503, body: { status: 'unhealthy' } });
    expect(JSON.stringify(unhealthy)).not.toContain('db.internal');
    expect((await get(handler, '/readyz')).status).toBe(503);
    // nothing that it depends on makes a process dead
    expect((await get(handler, '/livez')).status).toBe(200);
    removeCritical();

    const breaker = { name: 'api', state: 'open', since: 0, failures: 5, retryAfterMs: 1, critical: true } as const;
    const stop = reportBreakers(() => [breaker]);
    expect((await get(handler, '/readyz')).body?.['causes']).toEqual(['circuit_breaker:api']);
    stop();
    expect((await get(handler, '/readyz')).status).toBe(200);
    const broken = probeHandler({
      ready: () => {
        throw new Error('no');
      },
    });
    expect((await get(broken, '/readyz')).status).toBe(503);
  });

  verifies('probes.ready', async () => {
    const statusOf = async (ready: () => boolean | Promise<boolean>) =>
      (await get(probeHandler({ ready }), '/readyz')).status;
    expect(await statusOf(async () => false)).toBe(503);
    expect(await statusOf(async () => true)).toBe(200);
    expect(await statusOf(() => Promise.reject(new Error('no')))).toBe(503);
    // one that does not come back is not ready
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const hanging = statusOf(() => new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await hanging).toBe(503);
  });

  verifies('probes.paths', async () => {
    const [plain, mounted] = [probeHandler(), probeHandler({ prefix: '/internal/v1' })];
    for (const probe of ['/livez', '/readyz', '/healthz']) {
      expect((await get(plain, probe)).status).toBe(200);
      expect((await get(plain, `/internal/v1${probe}`)).status).toBe(404);
      expect((await get(plain, `/api/users${probe}`)).status).toBe(404);
      expect((await get(mounted, `/internal/v1${probe}`)).status).toBe(200);
      expect((await get(mounted, probe)).status).toBe(404);
      expect((await get(mounted, `/internal/v2${probe}`)).status).toBe(404);
    }
    for (const prefix of ['internal', '/internal/', '/', '/a?b', '/a#b']) {
      expect(() => probeHandler({ prefix })).toThrow(`probeHandler: option "prefix" must be`);
    }
  });

  verifies('probes.forms', async () => {
    const handler = probeHandler();
    expect(await get(handler, '/livez?verbose')).toMatchObject({ status: 200 });
    expect(await get(handler, '/livez', 'HEAD')).toEqual({ status: 200, body: undefined });
    expect((await get(handler, '/livez', 'POST')).status).toBe(405);
    for (const other of ['/', '/metrics', '/livez/x', '/x/livez', '/constructor', '/__proto__']) {
      expect((await get(handler, other)).status).toBe(404);
    }
    const response = await handler.fetch(new Request('http://server/livez'));
    expect(response.headers.get('cache-control')).toBe('no-store');

    const passedOn: string[] = [];
    const server = createServer((request, reply) => {
      const alone = request.headers['x-alone'] !== undefined;
      void handler.node(
        request,
        reply,
        alone
          ? undefined
          : () => {
              passedOn.push(request.url ?? '');
              reply.writeHead(418).end();
            },
      );
    });
    const url = await listening(server);
    onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
    const ask = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, { ...init, keepalive: false });
    const live = await ask('/livez?x=1');
    expect([live.status, await live.json()]).toEqual([200, { status: 'live' }]);
    expect((await ask('/livez', { method: 'HEAD' })).status).toBe(200);
    const wrong = await ask('/livez', { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await ask('/work')).status).toBe(418);
    expect(passedOn).toEqual(['/work']);
    expect((await ask('/work', { headers: { 'x-alone': '1' } })).status).toBe(404);
    expect(() => probeHandler({ ready: true as never })).toThrow('probeHandler: option "ready" must be a function');
  });
});

describe('draining', () => {
  verifies('probes.drain', async () => {
    onTestFinished(() => setDraining(false));
    const serverName = `draining ${process.pid}`;
    const { transport, call } = await scriptReference('v2', { serverName });
    call(1, 'hang');
    const handler = probeHandler();
    let drained = false;
    // nobody has asked whether it is ready, so nobody has to notice
    const draining = drain({ waitMs: 0 }).then((result) => {
      drained = true;
      return result;
    });
    expect((await get(handler, '/readyz')).body?.['causes']).toEqual(['draining']);
    expect((await get(handler, '/livez')).status).toBe(200);
    // what still comes is done
    call(2, 'echo', { text: 'hi' });
    await transport.answer(2);
    expect(statsOf(serverName).inFlight).toBe(1);
    expect(drained).toBe(false);
    transport.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    expect(await draining).toEqual({ unfinished: 0 });
  });

  verifies(
    'probes.drain',
    async () => {
      onTestFinished(() => setDraining(false));
      const { transport, call } = await scriptReference('v2', { serverName: `stuck ${process.pid}` });
      call(1, 'hang');
      expect(await drain({ waitMs: 60_000, timeoutMs: 30 })).toEqual({ unfinished: 1 });
      await transport.close();
      await expect(drain({ waitMs: -1 })).rejects.toThrow(RangeError);
      await expect(drain({ wait: 1 } as never)).rejects.toThrow('drain: unknown option "wait"');
    },
    'no longer than told',
  );
});
