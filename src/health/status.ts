// How a server is, why, and how a reading has to behave before that changes. Pure.

/** `degraded`: it works, but not as it should. `unhealthy`: better not to rely on it. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** From best to worst. */
export const STATUSES: readonly HealthStatus[] = ['healthy', 'degraded', 'unhealthy'];

/** One cause of a status that is not `healthy`. */
export interface Reason {
  /** What was looked at: `error_rate`, `cpu`, `memory`, `disk`, `heap`, `event_loop_utilization`, `event_loop_delay_ms`,
   * `check`, `circuit_breaker` or `telemetry_export`. */
  readonly metric: string;
  /** What it causes by itself. */
  readonly status: Exclude<HealthStatus, 'healthy'>;
  /** The latest reading: a share (0..1), a number of ms, or a state. */
  readonly value: number | string;
  /** What it must not exceed, or the state it should have. */
  readonly threshold: number | string;
  /** The time that the value is of; undefined for a state. */
  readonly window: string | undefined;
  /** Which check, breaker or signal. */
  readonly name?: string | undefined;
  /** Why, where a code says so. */
  readonly code?: string | undefined;
}

/** The worst of these; `healthy` where there are none. */
export function worst(statuses: Iterable<HealthStatus>): HealthStatus {
  let found = 0;
  for (const status of statuses) found = Math.max(found, STATUSES.indexOf(status));
  return STATUSES[found] as HealthStatus;
}

/** The values above which a reading is bad. */
export interface Threshold {
  readonly degraded: number;
  readonly unhealthy: number;
}

/** What one sample says; no sample is no verdict, and nothing to worry about. */
export function judge(value: number | undefined, { degraded, unhealthy }: Threshold): HealthStatus {
  if (value === undefined) return 'healthy';
  return value > unhealthy ? 'unhealthy' : value > degraded ? 'degraded' : 'healthy';
}

/** Keeps a status from flapping: it worsens after so many bad samples in a row and recovers after so many better ones. */
export class Hysteresis {
  #status: HealthStatus = 'healthy';
  readonly #recent: number[] = [];

  /** The status by now. */
  get status(): HealthStatus {
    return this.#status;
  }

  /** Takes one sample into account. */
  add(sample: HealthStatus, worsenAfter: number, recoverAfter: number): HealthStatus {
    const recent = this.#recent;
    recent.push(STATUSES.indexOf(sample));
    if (recent.length > Math.max(worsenAfter, recoverAfter)) recent.shift();
    const now = STATUSES.indexOf(this.#status);
    const worse = recent.length >= worsenAfter ? Math.min(...recent.slice(-worsenAfter)) : 0;
    const better = recent.length >= recoverAfter ? Math.max(...recent.slice(-recoverAfter)) : now;
    if (worse > now) this.#status = STATUSES[worse] as HealthStatus;
    else if (better < now) this.#status = STATUSES[better] as HealthStatus;
    return this.#status;
  }
}
