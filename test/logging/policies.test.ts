// What policies do, as the log tells it.
import { describe, expect } from 'vitest';
import { configureLogging } from '../../src/index.ts';
import { logPolicies } from '../../src/logging/policy-log.ts';
import { policy } from '../../src/resilience/index.ts';
import { ManualClock } from '../harness/manual-clock.ts';
import { keepLines, parsed } from '../harness/lines.ts';
import { verifies } from '../harness/verifies.ts';

describe('policies', () => {
  verifies('logging.policies', async () => {
    logPolicies();
    const lines = keepLines();
    const clock = new ManualClock();
    const name = `logged ${process.pid}`;
    const guarded = policy(name, {
      clock,
      retry: { attempts: 2, jitter: 'none' },
      breaker: { failures: 2, resetAfterMs: 1_000 },
    });
    const down = () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    const failing = guarded.run(down).catch(() => undefined);
    await clock.pass(500);
    await failing;
    const told = () => parsed(lines).map(({ level, event_type, message }) => [level, event_type, message]);
    expect(told()).toEqual([
      ['warn', 'circuit_breaker_transition', `circuit breaker of policy ${name} is open (consecutive)`],
      ['warn', 'retry_gave_up', `gave up under policy ${name}: exhausted`],
    ]);
    expect(parsed(lines)[0]?.extra_data).toMatchObject({
      'toolspan.policy.name': name,
      'toolspan.circuit_breaker.failures': 2,
      'toolspan.circuit_breaker.last_error_code': 'UNAVAILABLE',
    });
    configureLogging({ level: 'info' });
    await clock.pass(1_100);
    await guarded.run(() => Promise.resolve('up'));
    expect(told().slice(2)).toEqual([
      ['info', 'circuit_breaker_transition', `circuit breaker of policy ${name} is half_open (reset_elapsed)`],
      ['info', 'circuit_breaker_transition', `circuit breaker of policy ${name} is closed (probe_ok)`],
    ]);
  });
});
