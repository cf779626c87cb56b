// Watches the health of this process: once a second it takes a sample and judges it. What is asked for is the last judgement,
// so an answer never waits. The timer runs only once somebody needs it, and never keeps the process alive.
import { AsyncResource } from 'node:async_hooks';
import { complainAboutFailure } from '../diagnostics.ts';
import type { HostReadings } from '../host/sampler.ts';
import { breakers, exportedReadings, exporters, sampleExported } from '../state/sources.ts';
import { allStats } from '../state/stats.ts';
import { shared } from '../state/shared.ts';
import { HealthChecks, type CheckResult } from './checks.ts';
import { healthSettings, type HealthOptions, type HealthSettings, type Reading } from './settings.ts';
import { Hysteresis, judge, worst, type HealthStatus, type Reason } from './status.ts';

const INTERVAL_MS = 1_000;

/** What takes samples of the host. */
interface Sampler {
  sample(): Promise<HostReadings>;
  stop(): void;
}

/** What a monitor is made of; tests bring their own. */
export interface MonitorParts {
  /** Makes what takes samples, anew for other options. */
  readonly sampler?: ((settings: HealthSettings) => Sampler) | undefined;
  /** A monotonic clock, in ms. */
  readonly now?: (() => number) | undefined;
}

type HostReading = Exclude<Reading, 'errorRate'>;

/** The name of a reading in a reason. */
const REASON_NAMES: Readonly<Record<Reading, string>> = {
  errorRate: 'error_rate',
  cpu: 'cpu',
  memory: 'memory',
  disk: 'disk',
  heap: 'heap',
  eventLoopUtilization: 'event_loop_utilization',
  eventLoopDelayMs: 'event_loop_delay_ms',
};

const READ: Readonly<Record<HostReading, (readings: HostReadings) => number | undefined>> = {
  cpu: ({ cpu }) => cpu,
  memory: ({ memory }) => memory,
  disk: fullestDisk,
  heap: ({ heap }) => heap,
  eventLoopUtilization: ({ eventLoopUtilization }) => eventLoopUtilization,
  eventLoopDelayMs: ({ eventLoopDelayMs }) => eventLoopDelayMs,
};

/** How a server, or the whole process, is. */
export interface Health {
  readonly status: HealthStatus;
  readonly reasons: readonly Reason[];
}

interface Judged {
  readonly hysteresis: Hysteresis;
  value: number | undefined;
}

/** Watches one process. */
export class HealthMonitor {
  readonly checks: HealthChecks;
  readonly #makeSampler: (settings: HealthSettings) => Sampler;
  readonly #now: () => number;
  #settings = healthSettings();
  #sampler: Sampler;
  #readings: HostReadings | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;
  readonly #neededBy = new Set<string>();
  #host = new Map<HostReading, Judged>();
  #errorRates = new Map<string, Judged>();

  constructor({ sampler = hostSampler, now = () => performance.now() }: MonitorParts = {}) {
    this.#makeSampler = sampler;
    this.#now = now;
    this.#sampler = sampler(this.#settings);
    this.checks = new HealthChecks(now);
  }

  get settings(): HealthSettings {
    return this.#settings;
  }

  /** The last sample of the host; undefined before the first. */
  get readings(): HostReadings | undefined {
    return this.#readings;
  }

  /** Age of the last sample, in ms. */
  get sampleAgeMs(): number | undefined {
    return this.#readings === undefined ? undefined : Math.max(0, this.#now() - this.#readings.at);
  }

  /** Changes what makes a server degraded or unhealthy; judgements begin anew. */
  configure(options: HealthOptions): void {
    this.#settings = healthSettings(options);
    this.#sampler.stop();
    this.#sampler = this.#makeSampler(this.#settings);
    this.#host = new Map();
    this.#errorRates = new Map();
  }

  /** Says that somebody will ask: sampling begins, at once, and goes on until nobody needs it any more. */
  need(who: string): void {
    this.#neededBy.add(who);
    if (this.#timer !== undefined) return;
    outside.runInAsyncScope(() => {
      this.#timer = setInterval(() => void this.tick(), INTERVAL_MS);
      this.#timer.unref();
      void this.tick();
    });
  }

  /** Says that one who needed it asks no more. */
  release(who: string): void {
    this.#neededBy.delete(who);
    if (this.#neededBy.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#sampler.stop();
  }

  /** Takes a sample and judges it; where one is being taken still, waits for that. Never rejects. */
  tick(): Promise<void> {
    this.#ticking ??= this.#tick().finally(() => {
      this.#ticking = undefined;
    });
    return this.#ticking;
  }

  /** Waits for the first sample where there is none yet. */
  async sampled(): Promise<void> {
    if (this.#readings === undefined) await this.tick();
  }

  /** How a server is by the last samples; the whole process where none is named. */
  health(server?: string): Health {
    const reasons = [
      ...this.#errorRateReasons(server),
      ...this.#hostReasons(),
      ...this.checks.results().flatMap(checkReason),
      ...breakerReasons(),
      ...exporterReasons(),
    ];
    return { status: worst(reasons.map(({ status }) => status)), reasons };
  }

  async #tick(): Promise<void> {
    try {
      this.checks.runDue();
      const [readings] = await Promise.all([this.#sampler.sample(), sampleExported()]);
      this.#readings = withExported(readings);
      this.#judgeHost(this.#readings);
      this.#judgeErrorRates();
    } catch (error) {
      complainAboutFailure('sampling the health of this process', error);
    }
  }

  #judgeHost(readings: HostReadings): void {
    for (const name of Object.keys(READ) as HostReading[]) {
      this.#judge(this.#host, name, name, READ[name](readings));
    }
  }

  #judgeErrorRates(): void {
    const { window, minCalls } = this.#settings;
    for (const [server, stats] of allStats()) {
      const { count, failures } = stats.calls.counts(window, this.#now());
      this.#judge(this.#errorRates, server, 'errorRate', count < minCalls ? undefined : failures / count);
    }
  }

  #judge<K>(judged: Map<K, Judged>, key: K, reading: Reading, value: number | undefined): void {
    const { thresholds, worsenAfter, recoverAfter } = this.#settings;
    const threshold = thresholds[reading];
    if (threshold === undefined) return;
    let entry = judged.get(key);
    if (entry === undefined) {
      entry = { hysteresis: new Hysteresis(), value };
      judged.set(key, entry);
    }
    entry.value = value;
    entry.hysteresis.add(judge(value, threshold), worsenAfter, recoverAfter);
  }

  #hostReasons(): Reason[] {
    return Array.from(this.#host, ([name, judged]) => this.#reason(name, judged, '1s')).flat();
  }

  #errorRateReasons(server: string | undefined): Reason[] {
    const { window } = this.#settings;
    return Array.from(this.#errorRates, ([name, judged]) => {
      if (server !== undefined && name !== server) return [];
      return this.#reason('errorRate', judged, window, server === undefined ? name : undefined);
    }).flat();
  }

  #reason(reading: Reading, { hysteresis, value }: Judged, window: string, name?: string): Reason[] {
    const { status } = hysteresis;
    const threshold = this.#settings.thresholds[reading];
    if (status === 'healthy' || threshold === undefined) return [];
    return [
      {
        metric: REASON_NAMES[reading],
        status,
        value: value ?? 'no reading',
        threshold: threshold[status],
        window,
        ...(name === undefined ? undefined : { name }),
      },
    ];
  }
}

// What samples the host takes a while to load, and an application that asks for no health does without.
function hostSampler({ diskPaths }: HealthSettings): Sampler {
  let loaded: Promise<Sampler> | undefined;
  const load = async (): Promise<Sampler> => {
    const { HostSampler } = await import('../host/sampler.ts');
    return new HostSampler({ diskPaths });
  };
  return {
    async sample() {
      loaded ??= load();
      return (await loaded).sample();
    },
    stop() {
      void loaded?.then((sampler) => sampler.stop());
    },
  };
}

// The timer outlives the call that first needed it, and belongs to none.
const outside = new AsyncResource('toolspan.health-monitor');

/** The monitor of this process. */
export const monitor: HealthMonitor = shared('health-monitor', () => new HealthMonitor());

/** The status of this process and of its checks, for a gauge. */
export function healthStates(): { status: HealthStatus; checks: CheckResult[] } {
  return { status: monitor.health().status, checks: monitor.checks.results() };
}

/** How full the fullest disk is. */
export function fullestDisk({ disks }: HostReadings): number | undefined {
  return disks.length === 0 ? undefined : Math.max(...disks.map(({ utilization }) => utilization));
}

// What is shown is what is exported; but what is exported knows nothing of a container's limits.
function withExported(readings: HostReadings): HostReadings {
  const exported = exportedReadings();
  if (exported === undefined) return readings;
  const { limitedBy } = readings;
  return {
    ...readings,
    cpu: limitedBy.cpu === 'host' ? (exported.cpu ?? readings.cpu) : readings.cpu,
    memory: limitedBy.memory === 'host' ? (exported.memory ?? readings.memory) : readings.memory,
  };
}

function checkReason({ name, status, code, critical }: CheckResult): Reason[] {
  if (status === 'healthy') return [];
  const causes = critical && status === 'unhealthy' ? 'unhealthy' : 'degraded';
  return [{ metric: 'check', status: causes, value: status, threshold: 'healthy', window: undefined, name, code }];
}

function breakerReasons(): Reason[] {
  return breakers().flatMap(({ name, state, critical }) => {
    if (state === 'closed') return [];
    const status = critical && state === 'open' ? 'unhealthy' : 'degraded';
    return [{ metric: 'circuit_breaker', status, value: state, threshold: 'closed', window: undefined, name } as const];
  });
}

function exporterReasons(): Reason[] {
  return exporters().flatMap(({ signal, failing, overflowing, lastError }) => {
    if (!failing && !overflowing) return [];
    const value = failing ? 'failing' : 'queue_full';
    const reason = { metric: 'telemetry_export', status: 'degraded', value, threshold: 'delivering' } as const;
    return [{ ...reason, window: undefined, name: signal, code: failing ? lastError : 'QUEUE_FULL' }];
  });
}
