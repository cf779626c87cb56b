// From readings to a status with reasons: every threshold at its edge, and what keeps the status from flapping.
import { spawnSync } from 'node:child_process';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { configureHealth } from '../../src/index.ts';
import type { HealthOptions } from '../../src/health/settings.ts';
import type { HostReadings } from '../../src/host/sampler.ts';
import { reportBreakers, reportExporters, reportReadings, type BreakerSnapshot } from '../../src/state/sources.ts';
import { statsOf } from '../../src/state/stats.ts';
import { endOf } from '../../src/stats/series.ts';
import { disk, watched, type Watched } from '../harness/monitor.ts';
import { verifies } from '../harness/verifies.ts';

const OK = endOf('ok', undefined, 'none');
const FAILED = endOf('tool_error', 'INTERNAL_ERROR', 'failure');
const WRONG = endOf('tool_error', 'VALIDATION_ERROR', 'mistake');

let servers = 0;

/** Calls of a server of the test's own, by how they ended. */
function calls(ends: { ok?: number; failed?: number; wrong?: number }, at: number): string {
  const name = `server ${process.pid} ${servers++}`;
  const stats = statsOf(name);
  const record = (count: number, end: typeof OK) => {
    for (let call = 0; call < count; call++) stats.record(stats.series('in', 'tools/call t'), true, end, 5, at);
  };
  record(ends.ok ?? 0, OK);
  record(ends.failed ?? 0, FAILED);
  record(ends.wrong ?? 0, WRONG);
  return name;
}

const EDGES: readonly [
  metric: string,
  read: (value: number) => Partial<HostReadings>,
  degraded: number,
  unhealthy: number,
][] = [
  ['cpu', (cpu) => ({ cpu }), 0.9, 0.95],
  ['memory', (memory) => ({ memory }), 0.9, 0.95],
  ['disk', (value) => ({ disks: [...disk(0.1), ...disk(value)] }), 0.95, 0.98],
  ['heap', (heap) => ({ heap }), 0.85, 0.95],
  ['event_loop_utilization', (value) => ({ eventLoopUtilization: value }), 0.85, 0.97],
  ['event_loop_delay_ms', (value) => ({ eventLoopDelayMs: value }), 100, 1_000],
];

describe('thresholds', () => {
  for (const [metric, read, degraded, unhealthy] of EDGES) {
    verifies(
      'health.thresholds',
      async () => {
        const settled = async (value: number) => {
          const state = watched();
          state.readings = read(value);
          await state.tick(2);
          return state.monitor.health('nobody');
        };
        expect(await settled(degraded)).toEqual({ status: 'healthy', reasons: [] });
        expect(await settled(degraded * 1.001)).toEqual({
          status: 'degraded',
          reasons: [{ metric, status: 'degraded', value: degraded * 1.001, threshold: degraded, window: '1s' }],
        });
        expect((await settled(unhealthy)).status).toBe('degraded');
        expect(await settled(unhealthy * 1.001)).toEqual({
          status: 'unhealthy',
          reasons: [{ metric, status: 'unhealthy', value: unhealthy * 1.001, threshold: unhealthy, window: '1s' }],
        });
      },
      metric,
    );
  }

  verifies(
    'health.thresholds',
    async () => {
      const settled = async (ends: Parameters<typeof calls>[0]) => {
        const state = watched();
        const server = calls(ends, state.now);
        await state.tick(2);
        return state.monitor.health(server);
      };
      expect(await settled({ ok: 90, failed: 10 })).toEqual({ status: 'healthy', reasons: [] });
      expect(await settled({ ok: 89, failed: 11 })).toEqual({
        status: 'degraded',
        reasons: [{ metric: 'error_rate', status: 'degraded', value: 0.11, threshold: 0.1, window: '5m' }],
      });
      expect((await settled({ ok: 80, failed: 20 })).status).toBe('degraded');
      expect(await settled({ ok: 79, failed: 21 })).toEqual({
        status: 'unhealthy',
        reasons: [{ metric: 'error_rate', status: 'unhealthy', value: 0.21, threshold: 0.2, window: '5m' }],
      });
      // what callers do wrong is no failure of the server
      expect((await settled({ ok: 10, wrong: 90 })).status).toBe('healthy');
    },
    'error rate',
  );

  verifies('health.min-calls', async () => {
    const state = watched();
    const few = calls({ failed: 19 }, state.now);
    const enough = calls({ failed: 20 }, state.now);
    await state.tick(2);
    expect(state.monitor.health(few).status).toBe('healthy');
    expect(state.monitor.health(enough).status).toBe('unhealthy');
    // nothing has come for longer than the window: there is nothing left to judge
    state.now += 300_000;
    await state.tick(3);
    expect(state.monitor.health(enough).status).toBe('healthy');
  });

  verifies('health.reasons', async () => {
    const state = watched();
    state.readings = { cpu: 0.99, memory: 0.92 };
    const server = calls({ failed: 30 }, state.now);
    await state.tick(2);
    const { status, reasons } = state.monitor.health();
    expect(status).toBe('unhealthy');
    expect(reasons.map(({ metric, status: each }) => [metric, each])).toEqual(
      expect.arrayContaining([
        ['cpu', 'unhealthy'],
        ['memory', 'degraded'],
        ['error_rate', 'unhealthy'],
      ]),
    );
    // the whole process says whose rate it is
    expect(reasons.find(({ metric, name }) => metric === 'error_rate' && name === server)).toBeDefined();
    expect(state.monitor.health()).not.toBe(state.monitor.health());
  });
});

describe('a status that does not flap', () => {
  const statuses = async (state: Watched, values: readonly number[]) => {
    const seen: string[] = [];
    for (const cpu of values) {
      state.readings = { cpu };
      await state.tick();
      seen.push(state.monitor.health('nobody').status);
    }
    return seen;
  };

  verifies('health.hysteresis', async () => {
    const [h, d, u] = ['healthy', 'degraded', 'unhealthy'];
    expect(await statuses(watched(), [0.99, 0.1, 0.99, 0.1])).toEqual([h, h, h, h]);
    expect(await statuses(watched(), [0.99, 0.99, 0.1, 0.1, 0.99, 0.1, 0.1, 0.1])).toEqual([h, u, u, u, u, u, u, h]);
    // as far as all of the last samples agree
    expect(await statuses(watched(), [0.92, 0.99, 0.99, 0.92, 0.92, 0.92, 0.5, 0.5, 0.5])).toEqual([
      h,
      d,
      u,
      u,
      u,
      d,
      d,
      d,
      h,
    ]);
    const eager = watched({ worsenAfter: 1, recoverAfter: 1 });
    expect(await statuses(eager, [0.99, 0.1, 0.92])).toEqual([u, h, d]);
    const missing = watched();
    missing.readings = { cpu: 0.99 };
    await missing.tick(2);
    missing.readings = { cpu: undefined };
    await missing.tick(3);
    expect(missing.monitor.health('nobody').status).toBe('healthy');
  });
});

describe('other causes', () => {
  const breaker = (part: Partial<BreakerSnapshot>): BreakerSnapshot => ({
    name: 'api',
    state: 'closed',
    since: 0,
    failures: 0,
    retryAfterMs: undefined,
    critical: false,
    ...part,
  });

  verifies('health.breakers', () => {
    const { monitor } = watched();
    const health = (part: Partial<BreakerSnapshot>) => {
      const stop = reportBreakers(() => [breaker({}), breaker(part)]);
      const found = monitor.health('nobody');
      stop();
      return found;
    };
    expect(health({}).status).toBe('healthy');
    expect(health({ state: 'open' })).toEqual({
      status: 'degraded',
      reasons: [
        {
          metric: 'circuit_breaker',
          status: 'degraded',
          value: 'open',
          threshold: 'closed',
          window: undefined,
          name: 'api',
        },
      ],
    });
    expect(health({ state: 'open', critical: true }).status).toBe('unhealthy');
    expect(health({ state: 'half_open', critical: true }).status).toBe('degraded');
    expect(health({ state: 'isolated' }).status).toBe('degraded');
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    onTestFinished(() => stderr.mockRestore());
    onTestFinished(
      reportBreakers(() => {
        throw new Error('not now');
      }),
    );
    expect(health({ state: 'open' }).status).toBe('degraded');
    expect(monitor.health('nobody').status).toBe('healthy');
  });

  verifies('health.exporter', () => {
    const { monitor } = watched();
    const exporter = {
      signal: 'traces',
      lastSuccessAt: undefined,
      lastFailureAt: 1,
      failing: true,
      lastError: 'ECONNREFUSED',
      queued: 3,
      dropped: 7,
      overflowing: false,
    } as const;
    const stop = reportExporters(() => [exporter, { ...exporter, signal: 'logs', failing: false, overflowing: true }]);
    onTestFinished(stop);
    const reason = { metric: 'telemetry_export', status: 'degraded', threshold: 'delivering', window: undefined };
    expect(monitor.health('nobody')).toEqual({
      status: 'degraded',
      reasons: [
        { ...reason, value: 'failing', name: 'traces', code: 'ECONNREFUSED' },
        { ...reason, value: 'queue_full', name: 'logs', code: 'QUEUE_FULL' },
      ],
    });
  });

  verifies('host.exported', async () => {
    const sample = vi.fn(() => Promise.reject(new Error('not now')));
    const stop = reportReadings(() => ({ cpu: 0.97, memory: undefined }), sample);
    onTestFinished(stop);
    const state = watched();
    await state.tick(2);
    expect(state.monitor.readings).toMatchObject({ cpu: 0.97, memory: 0.2 });
    expect(sample).toHaveBeenCalledTimes(2);
    // what is exported is blind to the limits of a container
    state.readings = { cpu: 0.3, limitedBy: { cpu: 'container', memory: 'host' } };
    await state.tick();
    expect(state.monitor.readings?.cpu).toBe(0.3);
  });
});

describe('configuring', () => {
  verifies('health.configure', async () => {
    const state = watched({
      cpu: { degraded: 0.5 },
      memory: false,
      window: '1m',
      minCalls: 2,
      errorRate: { degraded: 0, unhealthy: 0.5 },
    });
    state.readings = { cpu: 0.6, memory: 0.99 };
    const server = calls({ ok: 1, failed: 1 }, state.now);
    await state.tick(2);
    const { reasons } = state.monitor.health(server);
    expect(reasons.map(({ metric, threshold, window }) => [metric, threshold, window])).toEqual([
      ['error_rate', 0, '1m'],
      ['cpu', 0.5, '1s'],
    ]);
  });

  verifies(
    'health.configure',
    () => {
      const shape = (name: string, most: number) =>
        `configureHealth: option "${name}" must be false, or an object with degraded and unhealthy: numbers from 0 to ${most}, degraded not above unhealthy, got`;
      const bad: [unknown, ErrorConstructor, string][] = [
        [{ cpu: { degraded: 2 } }, RangeError, `${shape('cpu', 1)} an object`],
        [{ cpu: { degraded: 0.96 } }, RangeError, shape('cpu', 1)],
        [{ cpu: { degarded: 0.5 } }, RangeError, shape('cpu', 1)],
        [{ disk: 0.9 }, TypeError, `${shape('disk', 1)} 0.9 (number)`],
        [{ eventLoopDelayMs: { unhealthy: Number.NaN } }, RangeError, shape('eventLoopDelayMs', 3_600_000)],
        [{ window: '2m' }, TypeError, `option "window" must be '1m', '5m' or '15m', got "2m" (string)`],
        [{ minCalls: 0 }, RangeError, 'option "minCalls" must be a whole number from 1 to 1000000, got 0 (number)'],
        [{ worsenAfter: 'two' }, TypeError, 'option "worsenAfter" must be a whole number from 1 to 60'],
        [{ diskPaths: '/' }, TypeError, 'option "diskPaths" must be a list of paths, got "/" (string)'],
        [{ cpus: 1 }, TypeError, 'unknown option "cpus"'],
      ];
      for (const [options, type, message] of bad) {
        expect(() => configureHealth(options as HealthOptions), message).toThrow(type);
        expect(() => configureHealth(options as HealthOptions)).toThrow(message);
      }
    },
    'and what is refused',
  );
});

describe('the timer', () => {
  verifies('host.timer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const state = watched();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(state.samples).toBe(0);
    state.monitor.need('a');
    state.monitor.need('b');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(state.samples).toBe(6);
    state.monitor.release('a');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(state.samples).toBe(7);
    state.monitor.release('b');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(state.samples).toBe(7);
    state.monitor.need('a');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(state.samples).toBe(9);
    state.monitor.release('a');
  });

  verifies(
    'host.timer',
    () => {
      const index = new URL('../../src/index.ts', import.meta.url).href;
      const code = `import { processHealth, registerHealthCheck } from ${JSON.stringify(index)};
        registerHealthCheck('hangs', () => new Promise(() => {}));
        console.log(processHealth().status);`;
      const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      expect({ stdout, status }).toEqual({ stdout: 'degraded\n', status: 0 });
    },
    'and never keeps a process alive',
  );
});
