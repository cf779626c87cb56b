// Checks of an application: what they say, and that they cannot do any harm.
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { registerHealthCheck } from '../../src/index.ts';
import { HealthChecks, type HealthCheck, type HealthCheckOptions } from '../../src/health/checks.ts';
import { monitor as shared } from '../../src/health/monitor.ts';
import { eventually } from '../harness/poll.ts';
import { watched } from '../harness/monitor.ts';
import { verifies } from '../harness/verifies.ts';

/** Runs one check once. */
async function once(run: HealthCheck, options: HealthCheckOptions = {}) {
  const { monitor } = watched();
  monitor.checks.register('it', run, options);
  const result = await eventually('a result', () => {
    const [found] = monitor.checks.results();
    return found?.code === 'PENDING' ? undefined : found;
  });
  return { result, health: monitor.health('nobody') };
}

describe('a check', () => {
  verifies('health.checks', async () => {
    const outcomes: [HealthCheck, string, string | undefined, string][] = [
      [() => undefined, 'healthy', undefined, 'healthy'],
      [() => Promise.resolve(true), 'healthy', undefined, 'healthy'],
      [() => ({ status: 'healthy' }), 'healthy', undefined, 'healthy'],
      [() => false, 'unhealthy', 'FALSE', 'degraded'],
      [() => ({ status: 'degraded' }), 'degraded', 'REPORTED', 'degraded'],
      [() => ({ status: 'unhealthy' }), 'unhealthy', 'REPORTED', 'degraded'],
      [() => 'fine' as never, 'unhealthy', 'INVALID_ANSWER', 'degraded'],
      [() => Promise.reject(new Error('no')), 'unhealthy', 'INTERNAL_ERROR', 'degraded'],
      [
        () => {
          throw new ToolError('UNAVAILABLE', 'the database is away');
        },
        'unhealthy',
        'UNAVAILABLE',
        'degraded',
      ],
      [() => Promise.reject(undefined), 'unhealthy', 'INTERNAL_ERROR', 'degraded'],
    ];
    for (const [run, status, code, overall] of outcomes) {
      const { result, health } = await once(run);
      expect(result).toMatchObject({ name: 'it', status, critical: false });
      expect(result.code).toBe(code);
      expect(health.status).toBe(overall);
    }
    const critical = await once(() => false, { critical: true });
    expect(critical.health).toEqual({
      status: 'unhealthy',
      reasons: [
        {
          metric: 'check',
          status: 'unhealthy',
          value: 'unhealthy',
          threshold: 'healthy',
          window: undefined,
          name: 'it',
          code: 'FALSE',
        },
      ],
    });
    expect((await once(() => ({ status: 'degraded' }), { critical: true })).health.status).toBe('degraded');
  });

  verifies(
    'health.checks',
    async () => {
      const calls = new AsyncLocalStorage<string>();
      let seen: string | undefined = 'not run';
      await calls.run('a call', () =>
        once(() => {
          seen = calls.getStore();
        }),
      );
      expect(seen).toBeUndefined();
      // one that throws does not keep another from running
      const { monitor } = watched();
      monitor.checks.register('bad', () => {
        throw new Error('no');
      });
      monitor.checks.register('good', () => true);
      await eventually('both have run', () =>
        monitor.checks.results().every(({ code }) => code !== 'PENDING') ? true : undefined,
      );
      expect(monitor.checks.results().map(({ status }) => status)).toEqual(['unhealthy', 'healthy']);
    },
    'in isolation',
  );

  verifies('health.check-timeout', async () => {
    let now = 0;
    const checks = new HealthChecks(() => now);
    const releases: (() => void)[] = [];
    const aborted: boolean[] = [];
    checks.register(
      'slow',
      ({ signal }) => {
        signal.addEventListener('abort', () => aborted.push(signal.aborted));
        return new Promise((resolve) => releases.push(() => resolve(true)));
      },
      { timeoutMs: 5, everyMs: 100 },
    );
    await eventually('the time is over', () => checks.results()[0]?.code === 'TIMEOUT' || undefined);
    expect(checks.results()[0]).toMatchObject({ status: 'unhealthy' });
    expect(aborted).toEqual([true]);
    now = 1_000;
    checks.runDue();
    checks.runDue();
    // it ignores the signal, so it is still there
    expect(releases).toHaveLength(1);
    releases[0]?.();
    await eventually('it runs again once it has come back', () => {
      checks.runDue();
      return releases.length === 2 || undefined;
    });
    // the late answer is not taken for a new one
    expect(checks.results()[0]?.code).not.toBeUndefined();
    releases[1]?.();
    await eventually('the answer', () => checks.results()[0]?.status === 'healthy' || undefined);
  });

  verifies('health.check-stale', async () => {
    let now = 0;
    const checks = new HealthChecks(() => now);
    let hanging: Promise<boolean> | boolean = true;
    const remove = checks.register('it', () => hanging, { everyMs: 1_000, timeoutMs: 60_000 });
    await eventually('a result', () => checks.results()[0]?.status === 'healthy' || undefined);
    hanging = new Promise(() => {});
    now = 3_000;
    checks.runDue();
    expect(checks.results()[0]).toMatchObject({ status: 'healthy', ageMs: 3_000 });
    now = 3_001;
    expect(checks.results()[0]).toMatchObject({ status: 'unknown', code: 'STALE', ageMs: 3_001 });
    remove();
    expect(checks.results()).toEqual([]);
  });

  verifies('health.check-names', () => {
    onTestFinished(registerHealthCheck('taken', () => true));
    onTestFinished(() => shared.release('checks'));
    const bad: [unknown[], ErrorConstructor, string][] = [
      [['taken', () => true], TypeError, 'there is a check "taken" already'],
      [['', () => true], TypeError, 'name must be 1 to 64 letters, digits or ". _ : -", got "" (string)'],
      [['two words', () => true], TypeError, 'got "two words" (string)'],
      [[7, () => true], TypeError, 'got 7 (number)'],
      [['free', 'no function'], TypeError, 'check "free" must be a function, got "no function" (string)'],
      [
        ['free', () => true, { timeoutMs: 0 }],
        RangeError,
        'option "timeoutMs" must be a number of milliseconds from 1',
      ],
      [['free', () => true, { everyMs: 1 }], RangeError, 'option "everyMs" must be a number of milliseconds from 100'],
      [['free', () => true, { critical: 'yes' }], TypeError, 'option "critical" must be true or false'],
      [['free', () => true, { ttl: 1 }], TypeError, 'unknown option "ttl"'],
    ];
    for (const [args, type, message] of bad) {
      const register = () => (registerHealthCheck as (...all: unknown[]) => void)(...args);
      expect(register, message).toThrow(type);
      expect(register).toThrow(message);
    }
    const many = new HealthChecks();
    for (let index = 0; index < 100; index++) many.register(`check${index}`, () => true);
    expect(() => many.register('one more', () => true)).toThrow(TypeError);
    expect(() => many.register('one-more', () => true)).toThrow(RangeError);
  });

  verifies('health.check-private', async () => {
    const secret = 'postgres://admin:hunter2@db.internal/prod';
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    onTestFinished(() => stderr.mockRestore());
    const { result, health } = await once(() => Promise.reject(new Error(secret)));
    expect(JSON.stringify([result, health, stderr.mock.calls])).not.toMatch(/hunter2|postgres|internal\/prod/);
  });
});
