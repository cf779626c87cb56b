// Checks of the application: run in the background, each by itself, with a time limit, and never twice at once. What is asked
// for is the last result, which does not outlive three periods.
import { AsyncResource } from 'node:async_hooks';
import { classify } from '../errors/classify.ts';
import { boolean, checkOptions, durationMs, shown } from '../options.ts';
import { STATUSES, type HealthStatus } from './status.ts';

/** What a check may answer; nothing at all or `true` means healthy, `false` or an exception unhealthy. */
export type CheckAnswer = void | boolean | { readonly status: HealthStatus };

/** A check: it should give up when the signal aborts. */
export type HealthCheck = (call: { readonly signal: AbortSignal }) => CheckAnswer | Promise<CheckAnswer>;

/** Options of `registerHealthCheck`. All have a default. */
export interface HealthCheckOptions {
  /** Whether the server is of no use while it fails: unhealthy and not ready, instead of degraded. @default false */
  readonly critical?: boolean | undefined;
  /** Longest time that it may take, in ms. @default 2_000 */
  readonly timeoutMs?: number | undefined;
  /** Time from one run to the next, in ms. @default 10_000 */
  readonly everyMs?: number | undefined;
}

/** What is known of a check. */
export interface CheckResult {
  readonly name: string;
  /** `unknown` before the first result, and when the last one is too old. */
  readonly status: HealthStatus | 'unknown';
  /** Why it is not healthy: an error code, or `PENDING`, `STALE`, `FALSE`, `INVALID_ANSWER`. */
  readonly code: string | undefined;
  readonly critical: boolean;
  /** Age of the result, in ms. */
  readonly ageMs: number | undefined;
  readonly durationMs: number | undefined;
}

interface Check {
  readonly name: string;
  readonly run: HealthCheck;
  readonly critical: boolean;
  readonly timeoutMs: number;
  readonly everyMs: number;
  startedAt: number | undefined;
  running: boolean;
  result:
    | { readonly status: HealthStatus; readonly code: string | undefined; at: number; durationMs: number }
    | undefined;
}

const STALE_AFTER_PERIODS = 3;
const MAX_CHECKS = 100;

// A check belongs to no call: whatever was active where it was registered is none of its business.
const outside = new AsyncResource('toolspan.health-check');

/** The checks of a process. */
export class HealthChecks {
  readonly #checks = new Map<string, Check>();
  readonly #now: () => number;

  /** @param now a monotonic clock, in ms. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Adds a check; returns what removes it.
   *
   * @throws {TypeError | RangeError} for a bad name, function or option, a name that is taken, or more than 100 checks.
   */
  register(name: string, run: HealthCheck, options: HealthCheckOptions = {}): () => void {
    if (typeof name !== 'string' || !/^[\w.:-]{1,64}$/.test(name)) {
      throw new TypeError(`registerHealthCheck: name must be 1 to 64 letters, digits or ". _ : -", got ${shown(name)}`);
    }
    if (typeof run !== 'function') {
      throw new TypeError(`registerHealthCheck: check "${name}" must be a function, got ${shown(run)}`);
    }
    checkOptions<HealthCheckOptions>('registerHealthCheck', options, {
      critical: boolean,
      timeoutMs: durationMs(1),
      everyMs: durationMs(100),
    });
    if (this.#checks.has(name)) throw new TypeError(`registerHealthCheck: there is a check "${name}" already`);
    if (this.#checks.size >= MAX_CHECKS) throw new RangeError(`registerHealthCheck: more than ${MAX_CHECKS} checks`);
    const { critical = false, timeoutMs = 2_000, everyMs = 10_000 } = options;
    const check: Check = {
      name,
      run,
      critical,
      timeoutMs,
      everyMs,
      startedAt: undefined,
      running: false,
      result: undefined,
    };
    this.#checks.set(name, check);
    this.#start(check);
    return () => {
      if (this.#checks.get(name) === check) this.#checks.delete(name);
    };
  }

  /** Starts every check whose time has come and that is not running still. */
  runDue(): void {
    const now = this.#now();
    for (const check of this.#checks.values()) {
      if (!check.running && now - (check.startedAt ?? Number.NEGATIVE_INFINITY) >= check.everyMs) this.#start(check);
    }
  }

  /** The last results, in the order of registration. */
  results(): CheckResult[] {
    const now = this.#now();
    return Array.from(this.#checks.values(), ({ name, critical, everyMs, result }) => {
      if (result === undefined) {
        return { name, status: 'unknown', code: 'PENDING', critical, ageMs: undefined, durationMs: undefined };
      }
      const ageMs = now - result.at;
      const { status, code, durationMs: took } = result;
      const stale = ageMs > STALE_AFTER_PERIODS * everyMs;
      return stale
        ? { name, status: 'unknown', code: 'STALE', critical, ageMs, durationMs: took }
        : { name, status, code, critical, ageMs, durationMs: took };
    });
  }

  #start(check: Check): void {
    check.running = true;
    check.startedAt = this.#now();
    void outside.runInAsyncScope(() => this.#run(check, check.startedAt as number));
  }

  async #run(check: Check, startedAt: number): Promise<void> {
    const controller = new AbortController();
    const end = (status: HealthStatus, code: string | undefined) => {
      const at = this.#now();
      check.result = { status, code, at, durationMs: at - startedAt };
    };
    let inTime = true;
    const timer = setTimeout(() => {
      inTime = false;
      end('unhealthy', 'TIMEOUT');
      controller.abort(new DOMException(`health check "${check.name}" took too long`, 'TimeoutError'));
    }, check.timeoutMs);
    timer.unref();
    try {
      const answer = await check.run({ signal: controller.signal });
      if (inTime) end(...verdictOf(answer));
    } catch (error) {
      if (inTime) end('unhealthy', classify(error).code);
    } finally {
      clearTimeout(timer);
      // one that ignores the signal is not started again before it has come back
      check.running = false;
    }
  }
}

function verdictOf(answer: unknown): [status: HealthStatus, code: string | undefined] {
  if (answer === undefined || answer === true) return ['healthy', undefined];
  if (answer === false) return ['unhealthy', 'FALSE'];
  const status = typeof answer === 'object' && answer !== null ? (answer as { status?: unknown }).status : undefined;
  const known = STATUSES.find((each) => each === status);
  if (known === undefined) return ['unhealthy', 'INVALID_ANSWER'];
  return [known, known === 'healthy' ? undefined : 'REPORTED'];
}
