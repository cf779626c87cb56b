// The breaker against a model: everything that happened is kept as a list, and each answer is worked out from the list.
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { circuitBreaker, type BreakerState } from '../../src/resilience/index.ts';
import { Deferred, ManualClock, same, settled } from '../harness/manual-clock.ts';
import { verifies } from '../harness/verifies.ts';

interface Settings {
  readonly failures: number | false;
  readonly window: { durationMs: number; minimumCalls: number } | { calls: number; minimumCalls: number } | false;
  readonly probes: number;
}

type Step =
  | { readonly do: 'start' }
  | { readonly do: 'settle'; readonly which: number; readonly how: 'ok' | 'failure' | 'mistake' | 'abort' }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'isolate' }
  | { readonly do: 'reset' };

const RESET_MS = 1_000;
const MAX_RESET_MS = 5_000;
const LEASE_MS = 400;

interface Admitted {
  readonly era: number;
  readonly at: number;
  readonly probe: boolean;
  /** Once its verdict is in, or it has none. */
  over: boolean;
}

/** What a breaker should do. */
class Model {
  now = 0;
  #state: BreakerState = 'closed';
  #since = 0;
  #until = 0;
  #era = 0;
  #openings = 0;
  #opened = 0;
  /** Of this era: verdicts of closed calls in order, and admitted probes. */
  #verdicts: { readonly failed: boolean; readonly slice: number }[] = [];
  #probes: Admitted[] = [];
  #good = 0;
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get state(): BreakerState {
    if (this.#state === 'open' && this.now >= this.#until) this.#enter('half_open', this.#until);
    return this.#state;
  }

  get sinceMs(): number {
    return this.now - this.#since;
  }

  get failures(): number {
    return this.state === 'closed' ? Math.max(this.#inARow(), this.#windowed().failures) : this.#opened;
  }

  get retryAfterMs(): number | undefined {
    switch (this.state) {
      case 'closed':
        return undefined;
      case 'open':
        return this.#until - this.now;
      case 'isolated':
        return RESET_MS;
      default:
        return this.#freeProbes() > 0 ? 0 : Math.min(...this.#running().map(({ at }) => at + LEASE_MS - this.now));
    }
  }

  start(): Admitted | undefined {
    const { state } = this;
    const probe = state === 'half_open';
    if (state !== 'closed' && !(probe && this.#freeProbes() > 0)) return undefined;
    const admitted = { era: this.#era, at: this.now, probe, over: false };
    if (probe) this.#probes.push(admitted);
    return admitted;
  }

  settle(call: Admitted, how: 'ok' | 'failure' | 'mistake' | 'abort'): void {
    // nobody has looked since, so an open breaker whose time is over is still open here: its era is over either way
    if (call.era !== this.#era || call.over) return;
    const expired = call.probe && this.#forgotten.has(call);
    call.over = true;
    if (expired || how === 'mistake' || how === 'abort') return;
    if (call.probe) {
      if (how === 'failure') this.#open();
      else if (++this.#good >= this.#settings.probes) {
        this.#openings = 0;
        this.#enter('closed', this.now);
      }
      return;
    }
    // a success belongs to when it began, unless something newer has been counted
    const at = how === 'ok' ? call.at : this.now;
    this.#verdicts.push({ failed: how === 'failure', slice: Math.max(this.#newest(), this.#slice(at)) });
    if (how === 'failure' && this.#shouldOpen()) this.#open();
  }

  isolate(): void {
    if (this.state === 'isolated') return;
    this.#opened = this.state === 'closed' ? this.failures : 0;
    this.#enter('isolated', this.now);
  }

  reset(): void {
    if (this.state === 'closed') return;
    this.#openings = 0;
    this.#enter('closed', this.now);
  }

  /** Probes whose lease was over when somebody asked for a permit or how the breaker stands. */
  readonly #forgotten = new Set<Admitted>();

  #running(): Admitted[] {
    for (const probe of this.#probes) if (!probe.over && this.now >= probe.at + LEASE_MS) this.#forgotten.add(probe);
    return this.#probes.filter((probe) => !probe.over && !this.#forgotten.has(probe));
  }

  #freeProbes(): number {
    return this.#settings.probes - this.#good - this.#running().length;
  }

  #inARow(): number {
    if (this.#settings.failures === false) return 0;
    return this.#verdicts.length - 1 - this.#verdicts.findLastIndex(({ failed }) => !failed);
  }

  #windowed(): { calls: number; failures: number } {
    const { window } = this.#settings;
    if (window === false) return { calls: 0, failures: 0 };
    const newest = Math.max(this.#newest(), this.#slice(this.now));
    const seen =
      'calls' in window
        ? this.#verdicts.slice(-window.calls)
        : this.#verdicts.filter(({ slice }) => slice > newest - 10);
    return { calls: seen.length, failures: seen.filter(({ failed }) => failed).length };
  }

  #slice(at: number): number {
    const { window } = this.#settings;
    return window !== false && 'durationMs' in window ? Math.floor(at / (window.durationMs / 10)) : 0;
  }

  #newest(): number {
    return Math.max(0, ...this.#verdicts.map(({ slice }) => slice));
  }

  #shouldOpen(): boolean {
    const { failures, window } = this.#settings;
    if (failures !== false && this.#inARow() >= failures) return true;
    const { calls, failures: failed } = this.#windowed();
    return window !== false && calls >= window.minimumCalls && failed >= calls / 2;
  }

  #open(): void {
    const stays = Math.min(MAX_RESET_MS, RESET_MS * 2 ** this.#openings);
    if (this.#state === 'closed') this.#opened = Math.max(this.#inARow(), this.#windowed().failures);
    this.#openings++;
    this.#enter('open', this.now);
    this.#until = this.now + stays;
  }

  #enter(state: BreakerState, since: number): void {
    this.#state = state;
    this.#since = since;
    this.#era++;
    this.#verdicts = [];
    this.#probes = [];
    this.#good = 0;
  }
}

const settings: fc.Arbitrary<Settings> = fc
  .record({
    failures: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(false as const)),
    window: fc.oneof(
      fc.constant(false as const),
      fc.constant({ durationMs: 2_000, minimumCalls: 3 }),
      fc.constant({ calls: 6, minimumCalls: 3 }),
    ),
    probes: fc.integer({ min: 1, max: 3 }),
  })
  .filter(({ failures, window }) => failures !== false || window !== false);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: fc.constant({ do: 'start' } as const) },
  {
    weight: 40,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(9),
      how: fc.constantFrom('ok', 'failure', 'failure', 'mistake', 'abort'),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 50, 399, 400, 1_000) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'isolate' } as const) },
  { weight: 2, arbitrary: fc.constant({ do: 'reset' } as const) },
);

interface Running {
  readonly expected: Admitted;
  readonly work: Deferred;
  readonly caller: AbortController;
}

describe('a breaker', () => {
  let steps = 0;
  const seen = new Set<string>();

  verifies('breaker.model', async () => {
    const run = fc.asyncProperty(settings, fc.array(step, { maxLength: 1_000, size: 'max' }), async (chosen, list) => {
      const clock = new ManualClock();
      const breaker = circuitBreaker({
        ...chosen,
        clock,
        random: () => 0.5,
        resetAfterMs: RESET_MS,
        maxResetAfterMs: MAX_RESET_MS,
        probeTimeoutMs: LEASE_MS,
      });
      const model = new Model(chosen);
      const running: Running[] = [];
      for (const [index, next] of list.entries()) {
        steps++;
        switch (next.do) {
          case 'start': {
            const work = new Deferred();
            const caller = new AbortController();
            let admitted = false;
            breaker
              .run(
                () => {
                  admitted = true;
                  return work.promise;
                },
                { signal: caller.signal },
              )
              .catch(() => {});
            const expected = model.start();
            same('admitted', admitted, expected !== undefined);
            if (expected !== undefined) running.push({ expected, work, caller });
            break;
          }
          case 'settle': {
            const [call] = running.splice(next.which % Math.max(1, running.length), 1);
            if (call === undefined) break;
            if (next.how === 'ok') call.work.resolve('ok');
            else if (next.how === 'failure') call.work.reject(new ToolError('UNAVAILABLE', 'down'));
            else if (next.how === 'mistake') call.work.reject(new ToolError('VALIDATION_ERROR', 'no'));
            else call.caller.abort();
            await settled(6);
            model.settle(call.expected, next.how);
            break;
          }
          case 'pass':
            clock.skip(next.ms);
            model.now += next.ms;
            break;
          case 'isolate':
            breaker.isolate();
            model.isolate();
            break;
          case 'reset':
            breaker.reset();
            model.reset();
        }
        // not after each step: what nobody has looked at must come out the same
        if (index % 3 !== 0) continue;
        const { state, failures, sinceMs, retryAfterMs, timeInStateMs } = breaker.status();
        same('state', state, model.state);
        same('failures', failures, model.failures);
        same('sinceMs', sinceMs, model.sinceMs);
        same('retryAfterMs', retryAfterMs, model.retryAfterMs);
        const total = timeInStateMs.closed + timeInStateMs.open + timeInStateMs.half_open + timeInStateMs.isolated;
        same('time in all states', total, model.now);
        seen.add(state);
      }
    });
    const enough = () => steps > 51_000;
    while (!enough()) await fc.assert(run, { numRuns: 10 });
    // the weight of the steps is right only if everything has happened
    expect([...seen].toSorted()).toEqual(['closed', 'half_open', 'isolated', 'open']);
  });
});
