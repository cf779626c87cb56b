// What policies do, as spans and metrics show it.
import { context, metrics, trace, type Span } from '@opentelemetry/api';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { httpFailure, policy, type NamedPolicy, type PolicyOptions } from '../../src/resilience/index.ts';
import { OperationMetrics } from '../../src/telemetry/metrics.ts';
import { observePolicies } from '../../src/telemetry/resilience.ts';
import { ManualClock, settled, watch } from '../harness/manual-clock.ts';
import { recorder, type Recorder } from '../harness/recorder.ts';
import { verifies } from '../harness/verifies.ts';

class ServiceDown extends ToolError {
  constructor() {
    super('UNAVAILABLE', 'down');
    Object.defineProperty(this, 'name', { value: 'ServiceDown' });
  }
}

let made = 0;

function under<F = never>(options: PolicyOptions<F>) {
  const clock = new ManualClock();
  const name = `observed ${++made}`;
  const observed = policy<F>(name, { clock, random: () => 0.5, ...options });
  const recorded = recorder();
  observePolicies(recorded.meterProvider);
  return { clock, name, observed, recorded, within: spanOf(recorded) };
}

/** Runs something inside a span; returns the span as it was recorded, once it is over. */
function spanOf({ tracerProvider, spans }: Recorder) {
  return async (work: () => Promise<unknown>) => {
    const span: Span = tracerProvider.getTracer('test').startSpan('work');
    const done = context.with(trace.setSpan(context.active(), span), work);
    await done.catch(() => {});
    span.end();
    return spans().at(-1);
  };
}

async function pointsOf(recorded: Recorder, metric: string, name: string) {
  const points = await recorded.points(metric);
  return points
    .filter(({ attributes }) => attributes['toolspan.policy.name'] === name)
    .map(({ attributes, value }) => {
      const labels = Object.entries(attributes).filter(([key]) => key !== 'toolspan.policy.name');
      return [labels.map(([, label]) => String(label)).join(' '), value];
    });
}

const down = () => Promise.reject(new ServiceDown());
const failing = (observed: NamedPolicy<unknown>) => observed.run(down).catch(() => {});

describe('span events', () => {
  verifies('telemetry.retry-events', async () => {
    const { clock, name, observed, within } = under({ retry: { jitter: 'none' } });
    const span = await within(async () => {
      const call = observed.run(({ attempt }) => (attempt < 3 ? down() : 'ok'));
      await clock.pass(10_000);
      return call;
    });
    const cause = { 'toolspan.policy.name': name, 'toolspan.error.code': 'UNAVAILABLE', 'error.type': 'ServiceDown' };
    expect(span?.events).toEqual([
      { name: 'toolspan.retry', attributes: { ...cause, 'toolspan.retry.attempt': 2, 'toolspan.retry.delay_ms': 200 } },
      { name: 'toolspan.retry', attributes: { ...cause, 'toolspan.retry.attempt': 3, 'toolspan.retry.delay_ms': 400 } },
    ]);
    // a call that recovered is no error
    expect([span?.status.code, span?.attributes['error.type']]).toEqual([0, undefined]);
  });

  verifies(
    'telemetry.retry-events',
    async () => {
      const { clock, name, observed, within } = under({ retry: { attempts: 2, jitter: 'none' }, failOn: httpFailure });
      const span = await within(async () => {
        const call = observed.run(() => new Response(null, { status: 503 }));
        await clock.pass(10_000);
        return call;
      });
      const cause = { 'toolspan.policy.name': name, 'toolspan.error.code': 'UNAVAILABLE', 'error.type': 'UNAVAILABLE' };
      expect(span?.events.at(-1)).toEqual({
        name: 'toolspan.retry.gave_up',
        attributes: { ...cause, 'toolspan.retry.result': 'exhausted', 'toolspan.retry.attempt': 2 },
      });
    },
    'and one that did not',
  );

  verifies(
    'retry.context',
    async () => {
      const { clock, observed, within, recorded } = under({ retry: {} });
      const tracer = recorded.tracerProvider.getTracer('test');
      const span = await within(async () => {
        const call = observed.run(() =>
          tracer.startActiveSpan('request', (request) => {
            request.end();
            return down();
          }),
        );
        await clock.pass(10_000);
        return call;
      });
      const requests = recorded.spans().filter(({ name }) => name === 'request');
      expect(requests.map(({ parentSpanId }) => parentSpanId)).toEqual(Array(3).fill(span?.spanId));
      expect(new Set(requests.map(({ spanId }) => spanId)).size).toBe(3);
    },
    'so that each request has a span of its own',
  );

  verifies('telemetry.breaker-events', async () => {
    const { clock, name, observed, within } = under({ breaker: { failures: 2, resetAfterMs: 1_000 } });
    const policyName = { 'toolspan.policy.name': name };
    const opening = await within(async () => {
      await failing(observed);
      await failing(observed);
      await failing(observed);
    });
    expect(opening?.events).toEqual([
      {
        name: 'toolspan.circuit_breaker.transition',
        attributes: {
          ...policyName,
          'toolspan.circuit_breaker.from': 'closed',
          'toolspan.circuit_breaker.to': 'open',
          'toolspan.circuit_breaker.reason': 'consecutive',
          'toolspan.circuit_breaker.failures': 2,
          'toolspan.circuit_breaker.calls': 2,
          'toolspan.circuit_breaker.last_error_code': 'UNAVAILABLE',
          'toolspan.circuit_breaker.reset_after_ms': 1_000,
        },
      },
      {
        name: 'toolspan.circuit_breaker.rejected',
        attributes: { ...policyName, 'toolspan.circuit_breaker.state': 'open', 'toolspan.retry_after_ms': 1_000 },
      },
    ]);
    clock.skip(1_000);
    // on the span of the call that probes, not of the one that opened it
    const probing = await within(() => observed.run(() => 'ok'));
    expect(probing?.events.map(({ attributes }) => attributes['toolspan.circuit_breaker.to'])).toEqual([
      'half_open',
      'closed',
    ]);
  });

  verifies('telemetry.other-events', async () => {
    const { clock, name, observed, within } = under<string>({
      timeoutMs: 1_000,
      bulkhead: { concurrency: 1 },
      rateLimit: { permits: 3, perMs: 30_000 },
      fallback: 'cached',
    });
    const span = await within(async () => {
      const hangs = observed.run(() => new Promise(() => {}));
      await observed.run(() => 'too many at a time');
      await clock.pass(1_000);
      await hangs;
      await observed.run(() => 'ok');
      await observed.run(() => 'too many in a while');
    });
    const policyName = { 'toolspan.policy.name': name };
    const events = span?.events.filter(({ name: event }) => event !== 'toolspan.fallback');
    expect(events).toEqual([
      {
        name: 'toolspan.bulkhead.rejected',
        attributes: { ...policyName, 'toolspan.bulkhead.running': 1, 'toolspan.bulkhead.waiting': 0 },
      },
      {
        name: 'toolspan.timeout',
        attributes: { ...policyName, 'toolspan.timeout.scope': 'total', 'toolspan.timeout.limit_ms': 1_000 },
      },
      { name: 'toolspan.rate_limit.rejected', attributes: { ...policyName, 'toolspan.retry_after_ms': 9_000 } },
    ]);
    const fallbacks = span?.events.filter(({ name: event }) => event === 'toolspan.fallback');
    expect(fallbacks?.map(({ attributes }) => attributes['toolspan.error.code'])).toEqual([
      'UNAVAILABLE',
      'TIMEOUT',
      'RATE_LIMIT_EXCEEDED',
    ]);
    expect(fallbacks?.[0]?.attributes).toEqual({
      ...policyName,
      'toolspan.error.code': 'UNAVAILABLE',
      'error.type': 'ToolError',
    });
  });
});

describe('metrics', () => {
  verifies('telemetry.policy-metrics', async () => {
    const { clock, name, observed, recorded } = under<string>({
      retry: { jitter: 'none' },
      breaker: { failures: 3, resetAfterMs: 1_000 },
      bulkhead: { concurrency: 1, queue: 1 },
      timeoutMs: false,
      attemptTimeoutMs: false,
    });
    const read = (metric: string) => pointsOf(recorded, `toolspan.${metric}`, name);
    // there from the beginning, so that the first failure is a rise
    expect(await read('policy.calls')).toEqual(
      ['success', 'failure', 'rejected', 'timeout', 'cancelled', 'fallback'].map((outcome) => [outcome, 0]),
    );
    expect(await read('retry.attempts')).toEqual([['', 0]]);
    expect(await read('circuit_breaker.transitions')).toHaveLength(4);
    watch(observed.run(down));
    await clock.pass(700);
    await failing(observed);
    await clock.pass(9_300);
    expect(await read('policy.calls')).toEqual(
      expect.arrayContaining([
        ['failure', 1],
        ['rejected', 1],
      ]),
    );
    expect(await read('retry.attempts')).toEqual([['', 2]]);
    expect(await read('retry.calls')).toEqual(
      expect.arrayContaining([
        ['exhausted', 1],
        ['not_retryable', 1],
        ['not_needed', 0],
        ['budget', 0],
      ]),
    );
    // opened at 600, read at 10,000: half-open since 1,600
    expect(await read('circuit_breaker.state')).toEqual([
      ['closed', 0],
      ['open', 0],
      ['half_open', 1],
      ['isolated', 0],
    ]);
    expect(await read('circuit_breaker.time_in_state')).toEqual([
      ['closed', 0.6],
      ['open', 1],
      ['half_open', 8.4],
      ['isolated', 0],
    ]);
    expect(await read('circuit_breaker.transitions')).toEqual(
      expect.arrayContaining([
        ['closed open', 1],
        ['open half_open', 1],
        ['half_open closed', 0],
      ]),
    );
    for (const metric of ['policy.calls', 'retry.calls', 'circuit_breaker.state', 'circuit_breaker.time_in_state']) {
      for (const [, value] of await read(metric)) expect(value).toBeGreaterThanOrEqual(0);
    }
    expect((await recorded.metric('toolspan.circuit_breaker.time_in_state'))?.descriptor.unit).toBe('s');
  });

  verifies(
    'telemetry.policy-metrics',
    async () => {
      const { clock, name, observed, recorded } = under({ bulkhead: { concurrency: 1, queue: 1 }, timeoutMs: false });
      const read = (metric: string) => pointsOf(recorded, `toolspan.bulkhead.${metric}`, name);
      let finish: (value: string) => void = () => {};
      watch(observed.run(() => new Promise<string>((resolve) => (finish = resolve))));
      const waiting = watch(observed.run(() => 'ok'));
      expect([await read('running'), await read('waiting')]).toEqual([[['', 1]], [['', 1]]]);
      clock.skip(30);
      finish('ok');
      await settled();
      expect(waiting.state).toBe('fulfilled');
      expect([await read('running'), await read('waiting')]).toEqual([[['', 0]], [['', 0]]]);
      const waits = await recorded.metric('toolspan.bulkhead.wait_duration');
      expect([waits?.descriptor.unit, waits?.dataPointType]).toEqual(['s', DataPointType.HISTOGRAM]);
      const points = await recorded.points('toolspan.bulkhead.wait_duration');
      const point = points.find(({ attributes }) => attributes['toolspan.policy.name'] === name);
      expect(point).toMatchObject({
        value: 1,
        sum: 0.03,
        boundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      });
    },
    'of a bulkhead',
  );

  verifies('telemetry.late-provider', async () => {
    onTestFinished(() => metrics.disable());
    const operations = new OperationMetrics(undefined);
    operations.prepare();
    const late = policy(`late ${++made}`, { retry: {} });
    await late.run(() => 'before');
    const first = recorder();
    metrics.setGlobalMeterProvider(first.meterProvider);
    operations.prepare();
    await late.run(() => 'after');
    expect(await pointsOf(first, 'toolspan.retry.calls', late.name)).toContainEqual(['not_needed', 2]);
    metrics.disable();
    const second = recorder();
    metrics.setGlobalMeterProvider(second.meterProvider);
    operations.prepare();
    operations.prepare();
    expect(await pointsOf(second, 'toolspan.retry.calls', late.name)).toContainEqual(['not_needed', 2]);
  });

  verifies('telemetry.once', async () => {
    const { name, observed, recorded, within } = under<string>({ fallback: 'cached', timeoutMs: false });
    vi.resetModules();
    const copy = await import('../../src/telemetry/resilience.ts');
    expect(copy.observePolicies).not.toBe(observePolicies);
    copy.observePolicies(recorded.meterProvider);
    const span = await within(() => observed.run(down));
    expect(span?.events).toHaveLength(1);
    expect(await pointsOf(recorded, 'toolspan.policy.calls', name)).toContainEqual(['fallback', 1]);
    const broken = { getMeter: () => ({}) };
    const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    observePolicies(broken as never);
    expect(String(write.mock.calls[0]?.[0])).toMatch(/^toolspan: observing policies failed and is skipped/);
    vi.restoreAllMocks();
  });
});
