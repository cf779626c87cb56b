// What policies do, in telemetry: events on the span that is active where it happens, and metrics that are read off the
// policies when they are collected, so that a call costs nothing for them.
import {
  trace,
  type Attributes,
  type BatchObservableResult,
  type Histogram,
  type MeterProvider,
} from '@opentelemetry/api';
import { complainAboutFailure } from '../diagnostics.ts';
import { cut } from '../redaction/cut.ts';
import { BREAKER_STATES, type PolicyEvent } from '../resilience/events.ts';
import { announcedPolicies, onPolicy } from '../resilience/registry.ts';
import type { PolicySnapshot } from '../resilience/snapshot.ts';
import { shared } from '../state/shared.ts';
import { VERSION } from '../version.ts';
import { exceptionType } from './exception.ts';
import * as names from './names.ts';
import { ATTR_ERROR_TYPE } from './semconv.ts';
import { MAX_NAME } from './text.ts';

/** What is shown on a span. */
export type SpanEvent = Exclude<PolicyEvent, { type: 'bulkhead.waited' }>;

interface Observing {
  /** Whether policies are listened to; one copy of this package does it for all. */
  listening: boolean;
  readonly providers: WeakSet<MeterProvider>;
  readonly waits: Histogram[];
}

/** Bucket boundaries of waiting times, in seconds. */
const WAIT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const observing = shared<Observing>('resilience-telemetry', () => ({
  listening: false,
  providers: new WeakSet(),
  waits: [],
}));

const EVENT_NAMES: Readonly<Record<SpanEvent['type'], string>> = {
  retry: names.EVENT_TOOLSPAN_RETRY,
  'retry.gave_up': names.EVENT_TOOLSPAN_RETRY_GAVE_UP,
  'circuit_breaker.transition': names.EVENT_TOOLSPAN_CIRCUIT_BREAKER_TRANSITION,
  'circuit_breaker.rejected': names.EVENT_TOOLSPAN_CIRCUIT_BREAKER_REJECTED,
  timeout: names.EVENT_TOOLSPAN_TIMEOUT,
  'bulkhead.rejected': names.EVENT_TOOLSPAN_BULKHEAD_REJECTED,
  'rate_limit.rejected': names.EVENT_TOOLSPAN_RATE_LIMIT_REJECTED,
  fallback: names.EVENT_TOOLSPAN_FALLBACK,
};

/**
 * Shows all named policies of this process in telemetry: those there are, and those to come. Calling it again for a provider
 * is harmless; a provider that is registered later is shown everything too.
 */
export function observePolicies(provider: MeterProvider): void {
  try {
    showPolicyEvents();
    if (observing.providers.has(provider)) return;
    observing.providers.add(provider);
    observing.waits.push(meter(provider));
  } catch (error) {
    complainAboutFailure('observing policies', error);
  }
}

/** Shows what named policies do as events on spans, and no more: where there is no provider yet. */
export function showPolicyEvents(): void {
  if (observing.listening) return;
  observing.listening = true;
  onPolicy((policy) => policy.on(record));
}

function record(event: PolicyEvent): void {
  if (event.type === 'bulkhead.waited') {
    const attributes = { [names.ATTR_TOOLSPAN_POLICY_NAME]: event.policy ?? '' };
    for (const waits of observing.waits) waits.record(event.waitedMs / 1_000, attributes);
    return;
  }
  const span = trace.getActiveSpan();
  if (span?.isRecording() === true) span.addEvent(EVENT_NAMES[event.type], policyEventAttributes(event));
}

/** What an event says, by the names of telemetry. */
export function policyEventAttributes(event: SpanEvent): Attributes {
  const common = { [names.ATTR_TOOLSPAN_POLICY_NAME]: event.policy ?? '' };
  switch (event.type) {
    case 'retry':
      return {
        ...common,
        [names.ATTR_TOOLSPAN_RETRY_ATTEMPT]: event.attempt,
        [names.ATTR_TOOLSPAN_RETRY_DELAY_MS]: Math.round(event.delayMs),
        ...causeOf(event),
      };
    case 'retry.gave_up':
      return {
        ...common,
        [names.ATTR_TOOLSPAN_RETRY_RESULT]: event.result,
        [names.ATTR_TOOLSPAN_RETRY_ATTEMPT]: event.attempts,
        ...causeOf(event),
      };
    case 'circuit_breaker.transition':
      return {
        ...common,
        [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_FROM]: event.from,
        [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_TO]: event.to,
        [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_REASON]: event.reason,
        [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_FAILURES]: event.failures,
        [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_CALLS]: event.calls,
        ...(event.lastErrorCode !== undefined && {
          [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_LAST_ERROR_CODE]: event.lastErrorCode,
        }),
        ...(event.resetAfterMs !== undefined && {
          [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_RESET_AFTER_MS]: Math.round(event.resetAfterMs),
        }),
      };
    case 'circuit_breaker.rejected':
      return {
        ...common,
        [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_STATE]: event.state,
        [names.ATTR_TOOLSPAN_RETRY_AFTER_MS]: event.retryAfterMs,
      };
    case 'timeout':
      return {
        ...common,
        [names.ATTR_TOOLSPAN_TIMEOUT_SCOPE]: event.scope,
        [names.ATTR_TOOLSPAN_TIMEOUT_LIMIT_MS]: event.limitMs,
      };
    case 'bulkhead.rejected':
      return {
        ...common,
        [names.METRIC_TOOLSPAN_BULKHEAD_RUNNING]: event.running,
        [names.METRIC_TOOLSPAN_BULKHEAD_WAITING]: event.waiting,
      };
    case 'rate_limit.rejected':
      return { ...common, [names.ATTR_TOOLSPAN_RETRY_AFTER_MS]: event.retryAfterMs };
    default:
      return { ...common, ...causeOf(event) };
  }
}

// Of a failed result nothing was thrown: there the code is all that is known.
function causeOf({ code, error }: { readonly code: string; readonly error: unknown }): Attributes {
  return {
    [names.ATTR_TOOLSPAN_ERROR_CODE]: code,
    [ATTR_ERROR_TYPE]: error === undefined ? code : cut(exceptionType(error), MAX_NAME),
  };
}

// Makes the instruments of one provider, and returns the only one that is written to.
function meter(provider: MeterProvider): Histogram {
  const made = provider.getMeter(names.SCOPE_NAME, VERSION);
  const instruments = {
    calls: made.createObservableCounter(names.METRIC_TOOLSPAN_POLICY_CALLS, {
      unit: '{call}',
      description: 'Calls under a policy, by how they ended.',
    }),
    retries: made.createObservableCounter(names.METRIC_TOOLSPAN_RETRY_ATTEMPTS, {
      unit: '{attempt}',
      description: 'Attempts after the first.',
    }),
    retryCalls: made.createObservableCounter(names.METRIC_TOOLSPAN_RETRY_CALLS, {
      unit: '{call}',
      description: 'Calls that could be retried, by what came of it.',
    }),
    state: made.createObservableGauge(names.METRIC_TOOLSPAN_CIRCUIT_BREAKER_STATE, {
      unit: '{state}',
      description: '1 for the state that a circuit breaker is in, 0 for each other one.',
    }),
    transitions: made.createObservableCounter(names.METRIC_TOOLSPAN_CIRCUIT_BREAKER_TRANSITIONS, {
      unit: '{transition}',
      description: 'How often a circuit breaker went from one state to another.',
    }),
    timeInState: made.createObservableCounter(names.METRIC_TOOLSPAN_CIRCUIT_BREAKER_TIME_IN_STATE, {
      unit: 's',
      description: 'How long a circuit breaker was in each state.',
    }),
    running: made.createObservableUpDownCounter(names.METRIC_TOOLSPAN_BULKHEAD_RUNNING, {
      unit: '{call}',
      description: 'Calls that run under a bulkhead.',
    }),
    waiting: made.createObservableUpDownCounter(names.METRIC_TOOLSPAN_BULKHEAD_WAITING, {
      unit: '{call}',
      description: 'Calls that wait for a bulkhead.',
    }),
  };
  made.addBatchObservableCallback((result) => {
    for (const policy of announcedPolicies()) observe(result, instruments, policy.snapshot());
  }, Object.values(instruments));
  return made.createHistogram(names.METRIC_TOOLSPAN_BULKHEAD_WAIT_DURATION, {
    unit: 's',
    description: 'How long calls waited for a bulkhead that had to.',
    advice: { explicitBucketBoundaries: [...WAIT_BUCKETS] },
  });
}

type Instruments = Readonly<
  Record<
    'calls' | 'retries' | 'retryCalls' | 'state' | 'transitions' | 'timeInState' | 'running' | 'waiting',
    Parameters<BatchObservableResult['observe']>[0]
  >
>;

function observe(
  result: BatchObservableResult,
  to: Instruments,
  { name, calls, retry, breaker, bulkhead }: PolicySnapshot,
): void {
  const policy = { [names.ATTR_TOOLSPAN_POLICY_NAME]: name };
  for (const [outcome, count] of Object.entries(calls ?? {})) {
    result.observe(to.calls, count, { ...policy, [names.ATTR_TOOLSPAN_POLICY_OUTCOME]: outcome });
  }
  if (retry !== undefined) {
    result.observe(to.retries, retry.attempts, policy);
    for (const [outcome, count] of Object.entries(retry.calls)) {
      result.observe(to.retryCalls, count, { ...policy, [names.ATTR_TOOLSPAN_RETRY_RESULT]: outcome });
    }
  }
  if (breaker !== undefined) {
    for (const state of BREAKER_STATES) {
      const labels = { ...policy, [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_STATE]: state };
      result.observe(to.state, breaker.state === state ? 1 : 0, labels);
      result.observe(to.timeInState, breaker.timeInStateMs[state] / 1_000, labels);
    }
    for (const { from, to: next, count } of breaker.transitions) {
      result.observe(to.transitions, count, {
        ...policy,
        [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_FROM]: from,
        [names.ATTR_TOOLSPAN_CIRCUIT_BREAKER_TO]: next,
      });
    }
  }
  if (bulkhead !== undefined) {
    result.observe(to.running, bulkhead.running, policy);
    result.observe(to.waiting, bulkhead.waiting, policy);
  }
}
