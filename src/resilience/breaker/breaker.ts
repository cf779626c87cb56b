// The circuit breaker: lets calls through while what they need works, spares it while it does not, and finds out by probes
// when it works again. Needs no timer: its state is worked out whenever somebody looks. Pure.
import type { ErrorCode } from '../../errors/error-code.ts';
import { clamp } from '../backoff.ts';
import type { Call, Layer, Next, PolicyStep } from '../call.ts';
import type { Clock, Random } from '../clock.ts';
import type { Monitor, PolicyEvent, TransitionReason } from '../events.ts';
import { failureOfResult, isVoid, thrownEnd, type Ended, type FailOn } from '../failure.ts';
import type { Surroundings } from '../policy-options.ts';
import { refusal } from '../refusal.ts';
import type { BreakerSnapshot, PolicySnapshot } from '../snapshot.ts';
import { HalfOpen, type Lease } from './half-open.ts';
import { History } from './history.ts';
import { strategiesOf, type BreakerInForce } from './settings.ts';
import type { Counts, Strategy } from './strategy.ts';

type State =
  | { readonly name: 'closed' | 'isolated'; readonly since: number }
  | { readonly name: 'open'; readonly since: number; readonly until: number }
  | { readonly name: 'half_open'; readonly since: number; readonly probes: HalfOpen };

// a probe is under way, so the answer will be known soon
const PROBING_RETRY_MS = 1_000;
const NOTHING: Counts = { calls: 0, failures: 0 };

/** What else a breaker needs. */
export interface BreakerParts extends Surroundings {
  readonly monitor: Monitor;
  readonly failOn: FailOn | undefined;
  readonly when: ((error: unknown) => boolean) | undefined;
}

/** Lets calls through or refuses them, by what came of those before. */
export class Breaker implements Layer {
  readonly settings: BreakerInForce;
  readonly #slowMs: number;
  readonly #timed: boolean;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #monitor: Monitor;
  readonly #failOn: FailOn | undefined;
  readonly #when: ((error: unknown) => boolean) | undefined;
  readonly #strategies: readonly Strategy[];
  readonly #history = new History();
  #state: State;
  /** Changes with the state: what was let through in another era has no say in this one. */
  #era = 0;
  /** How often it has opened without closing in between. */
  #openings = 0;
  /** What it went by when it opened. */
  #opened = NOTHING;
  #lastErrorCode: ErrorCode | undefined;
  /** That it became half-open when somebody looked: told with the first call after it, so that its trace shows it. */
  #untold: PolicyEvent | undefined;

  constructor(settings: BreakerInForce, { clock, random, monitor, failOn, when }: BreakerParts) {
    this.settings = settings;
    const { window } = settings;
    this.#slowMs = window === false || window.slowMs === false ? Number.POSITIVE_INFINITY : window.slowMs;
    this.#timed = window !== false;
    this.#clock = clock;
    this.#random = random;
    this.#monitor = monitor;
    this.#failOn = failOn;
    this.#when = when;
    this.#strategies = strategiesOf(settings);
    this.#state = { name: 'closed', since: clock.now() };
  }

  async execute(call: Call, next: Next): Promise<unknown> {
    const lease = this.#state.name === 'closed' ? undefined : this.#admit();
    const era = this.#era;
    const measured = this.#slowMs !== Number.POSITIVE_INFINITY;
    const startedAt = measured ? this.#clock.now() : this.#timed ? call.at(this.#clock) : 0;
    let result: unknown;
    try {
      result = await next(call);
      const failure = failureOfResult(result, this.#failOn);
      if (failure !== undefined) {
        this.#failed(call, { threw: false, value: result, failure }, era, lease, startedAt);
        return result;
      }
    } catch (error) {
      this.#failed(call, thrownEnd(error), era, lease, startedAt);
      throw error;
    }
    this.#succeeded(era, lease, measured ? this.#clock.now() : startedAt, startedAt);
    return result;
  }

  describe(): PolicyStep {
    return { policy: 'circuit_breaker', ...this.settings };
  }

  report(): Pick<PolicySnapshot, 'breaker'> {
    return { breaker: this.snapshot() };
  }

  /** How it stands at this moment. */
  snapshot(): BreakerSnapshot {
    const now = this.#clock.now();
    const { name, since } = this.#current(now);
    const sinceMs = now - since;
    return {
      state: name,
      sinceMs,
      failures: (name === 'closed' ? this.#counts(now) : this.#opened).failures,
      retryAfterMs: name === 'closed' ? undefined : this.#retryAfterMs(now),
      critical: this.settings.critical,
      lastErrorCode: this.#lastErrorCode,
      ...this.#history.read(name, sinceMs),
    };
  }

  /** Opens it until `reset`, or closes it. */
  set(name: 'isolated' | 'closed'): void {
    const now = this.#clock.now();
    if (this.#current(now).name === name) return;
    const counts = this.#counts(now);
    if (name === 'isolated') this.#opened = counts;
    else this.#openings = 0;
    this.#become({ name, since: now }, 'manual', counts);
  }

  // -- letting through

  #admit(): Lease {
    const now = this.#clock.now();
    const state = this.#current(now);
    this.#tellWhatIsUntold();
    const lease = state.name === 'half_open' ? state.probes.admit(now) : undefined;
    if (lease !== undefined) return lease;
    const policy = this.#monitor.name;
    const retryAfterMs = this.#retryAfterMs(now);
    this.#monitor.tell({ type: 'circuit_breaker.rejected', policy, state: state.name, retryAfterMs });
    throw refusal(
      'circuit_breaker',
      `${policy ?? 'The dependency'} is unavailable, its circuit breaker is ${state.name.replace('_', '-')}`,
      retryAfterMs,
    );
  }

  #retryAfterMs(now: number): number {
    const state = this.#state;
    if (state.name === 'open') return Math.ceil(state.until - now);
    if (state.name !== 'half_open') return this.settings.resetAfterMs;
    return Math.ceil(Math.min(PROBING_RETRY_MS, state.probes.nextPermitMs(now)));
  }

  // The state as it is by now: an open breaker whose time is over has been half-open since then.
  #current(now: number): State {
    const state = this.#state;
    if (state.name !== 'open' || now < state.until) return state;
    const { probes, probeTimeoutMs } = this.settings;
    const next: State = { name: 'half_open', since: state.until, probes: new HalfOpen(probes, probeTimeoutMs) };
    this.#untold = this.#change(next, 'reset_elapsed', this.#opened);
    return next;
  }

  // -- judging

  #succeeded(era: number, lease: Lease | undefined, now: number, startedAt: number): void {
    if (era !== this.#era) return;
    if (lease !== undefined) {
      const state = this.#state;
      if (state.name !== 'half_open' || !state.probes.giveBack(lease) || !state.probes.succeeded()) return;
      this.#openings = 0;
      this.#become({ name: 'closed', since: this.#clock.now() }, 'probe_ok', this.#opened);
      return;
    }
    const slow = now - startedAt >= this.#slowMs;
    let reason: TransitionReason | undefined;
    for (const strategy of this.#strategies) reason = strategy.succeeded(now, slow) ?? reason;
    if (reason !== undefined) this.#open(reason, now, this.#counts(now));
  }

  #failed(call: Call, ended: Ended, era: number, lease: Lease | undefined, startedAt: number): void {
    if (era !== this.#era) return;
    const state = this.#state;
    const mayJudge = lease === undefined || (state.name === 'half_open' && state.probes.giveBack(lease));
    if (!mayJudge || isVoid(call, ended, this.#when)) return;
    const now = this.#clock.now();
    this.#lastErrorCode = ended.failure.code;
    if (lease !== undefined) {
      this.#open('probe_failed', now, this.#opened);
      return;
    }
    const slow = now - startedAt >= this.#slowMs;
    let reason: TransitionReason | undefined;
    for (const strategy of this.#strategies) {
      const why = strategy.failed(now, slow);
      reason ??= why;
    }
    if (reason !== undefined) this.#open(reason, now, this.#counts(now));
  }

  #counts(now: number): Counts {
    // the window knows more than the failures in a row, where there is one
    return this.#strategies.map((strategy) => strategy.counts(now)).reduce(more, NOTHING);
  }

  // -- changing

  #open(reason: TransitionReason, now: number, counts: Counts): void {
    const resetAfterMs = this.#nextResetMs();
    this.#openings++;
    this.#opened = counts;
    this.#become({ name: 'open', since: now, until: now + resetAfterMs }, reason, counts, resetAfterMs);
  }

  #nextResetMs(): number {
    const { resetAfterMs, resetMultiplier, maxResetAfterMs, resetJitter } = this.settings;
    const grown = Math.min(maxResetAfterMs, resetAfterMs * resetMultiplier ** this.#openings);
    return clamp(grown * (1 + resetJitter * (2 * this.#random() - 1)), maxResetAfterMs);
  }

  #become(next: State, reason: TransitionReason, counts: Counts, resetAfterMs?: number): void {
    this.#tellWhatIsUntold();
    this.#monitor.tell(this.#change(next, reason, counts, resetAfterMs));
  }

  #tellWhatIsUntold(): void {
    if (this.#untold === undefined) return;
    this.#monitor.tell(this.#untold);
    this.#untold = undefined;
  }

  #change(next: State, reason: TransitionReason, { failures, calls }: Counts, resetAfterMs?: number): PolicyEvent {
    const { name: from, since } = this.#state;
    this.#state = next;
    this.#era++;
    for (const strategy of this.#strategies) strategy.clear();
    this.#history.add(from, next.name, next.since - since);
    return {
      type: 'circuit_breaker.transition',
      policy: this.#monitor.name,
      from,
      to: next.name,
      reason,
      failures,
      calls,
      lastErrorCode: this.#lastErrorCode,
      resetAfterMs,
    };
  }
}

function more(a: Counts, b: Counts): Counts {
  return b.failures > a.failures || b.calls > a.calls ? b : a;
}
