// A breaker under a manual clock, with what tests do to it.
import { expect } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { circuitBreaker, type CircuitBreakerOptions, type PolicyEvent } from '../../src/resilience/index.ts';
import { Deferred, ManualClock, settled, watch } from './manual-clock.ts';

export const down = () => new ToolError('UNAVAILABLE', 'down');

export function breakerUnder(options: CircuitBreakerOptions = {}) {
  const clock = new ManualClock();
  const breaker = circuitBreaker({ clock, random: () => 0.5, resetAfterMs: 1_000, ...options });
  const events: PolicyEvent[] = [];
  breaker.on((event) => events.push(event));
  const fail = (error: unknown = down()) => watch(breaker.run(rejecting(error)));
  const succeed = (value: unknown = 'ok') => watch(breaker.run(() => value));
  const start = (more = {}) => {
    const work = new Deferred();
    let admitted = false;
    const call = watch(
      breaker.run(() => {
        admitted = true;
        return work.promise;
      }, more),
    );
    return Object.assign(work, { call, admitted });
  };
  const open = async (times = 5) => {
    for (let failures = 0; failures < times; failures++) fail();
    await settled();
    expect(breaker.state).toBe('open');
  };
  const transitions = () =>
    events.flatMap((event) =>
      event.type === 'circuit_breaker.transition' ? [`${event.from} > ${event.to}: ${event.reason}`] : [],
    );
  return { clock, breaker, events, fail, succeed, start, open, transitions };
}

function rejecting(thrown: unknown): () => Promise<never> {
  return () => Promise.reject(thrown);
}
