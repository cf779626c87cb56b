// What makes a server degraded or unhealthy: the options of `configureHealth`, checked, with their defaults.
import { checkOptions, type OptionRule } from '../options.ts';
import type { WindowName } from '../stats/series.ts';
import type { Threshold } from './status.ts';

/** A threshold as it is given: what is left out keeps its default; `false` looks at the reading no more. */
export type ThresholdOption = Partial<Threshold> | false;

/** Options of `configureHealth`. All have a default. A reading is bad where it exceeds its threshold. */
export interface HealthOptions {
  /** Share of calls that the server failed (0..1), over `window`. @default { degraded: 0.1, unhealthy: 0.2 } */
  readonly errorRate?: ThresholdOption | undefined;
  /** CPU as a share of the container's limit or the host (0..1). @default { degraded: 0.9, unhealthy: 0.95 } */
  readonly cpu?: ThresholdOption | undefined;
  /** Memory as a share of the container's limit or the host (0..1). @default { degraded: 0.9, unhealthy: 0.95 } */
  readonly memory?: ThresholdOption | undefined;
  /** The fullest disk (0..1). @default { degraded: 0.95, unhealthy: 0.98 } */
  readonly disk?: ThresholdOption | undefined;
  /** Heap as a share of its limit (0..1). @default { degraded: 0.85, unhealthy: 0.95 } */
  readonly heap?: ThresholdOption | undefined;
  /** Time that the event loop was busy (0..1). @default { degraded: 0.85, unhealthy: 0.97 } */
  readonly eventLoopUtilization?: ThresholdOption | undefined;
  /** 99th percentile of the event loop's delay, in ms. @default { degraded: 100, unhealthy: 1_000 } */
  readonly eventLoopDelayMs?: ThresholdOption | undefined;
  /** The window of the error rate. @default '5m' */
  readonly window?: Exclude<WindowName, 'start'> | undefined;
  /** With fewer calls in the window there is no verdict on the error rate. @default 20 */
  readonly minCalls?: number | undefined;
  /** Bad samples in a row, one a second, until the status worsens. @default 2 */
  readonly worsenAfter?: number | undefined;
  /** Better samples in a row, one a second, until it recovers. @default 3 */
  readonly recoverAfter?: number | undefined;
  /** Paths on the filesystems to watch. @default the root of the working directory */
  readonly diskPaths?: readonly string[] | undefined;
}

/** The readings that have thresholds. */
export type Reading = 'errorRate' | 'cpu' | 'memory' | 'disk' | 'heap' | 'eventLoopUtilization' | 'eventLoopDelayMs';

/** The options with everything in its place. */
export interface HealthSettings {
  /** Undefined for a reading that is not looked at. */
  readonly thresholds: Readonly<Record<Reading, Threshold | undefined>>;
  readonly window: Exclude<WindowName, 'start'>;
  readonly minCalls: number;
  readonly worsenAfter: number;
  readonly recoverAfter: number;
  readonly diskPaths: readonly string[] | undefined;
}

const DEFAULTS: Readonly<Record<Reading, Threshold>> = {
  errorRate: { degraded: 0.1, unhealthy: 0.2 },
  cpu: { degraded: 0.9, unhealthy: 0.95 },
  memory: { degraded: 0.9, unhealthy: 0.95 },
  disk: { degraded: 0.95, unhealthy: 0.98 },
  heap: { degraded: 0.85, unhealthy: 0.95 },
  eventLoopUtilization: { degraded: 0.85, unhealthy: 0.97 },
  eventLoopDelayMs: { degraded: 100, unhealthy: 1_000 },
};

/**
 * Checks options and fills in the defaults.
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export function healthSettings(options: HealthOptions = {}): HealthSettings {
  checkOptions<HealthOptions>('configureHealth', options, {
    errorRate: threshold('errorRate', 1),
    cpu: threshold('cpu', 1),
    memory: threshold('memory', 1),
    disk: threshold('disk', 1),
    heap: threshold('heap', 1),
    eventLoopUtilization: threshold('eventLoopUtilization', 1),
    eventLoopDelayMs: threshold('eventLoopDelayMs', 3_600_000),
    window: { allows: (value) => ['1m', '5m', '15m'].includes(value as string), expected: "'1m', '5m' or '15m'" },
    minCalls: wholeNumber(1, 1_000_000),
    worsenAfter: wholeNumber(1, 60),
    recoverAfter: wholeNumber(1, 600),
    diskPaths: {
      allows: (value) => Array.isArray(value) && value.every((path) => typeof path === 'string' && path !== ''),
      expected: 'a list of paths',
    },
  });
  const names = Object.keys(DEFAULTS) as Reading[];
  const thresholds = names.map((name) => {
    const option = options[name];
    return [name, option === false ? undefined : { ...DEFAULTS[name], ...option }];
  });
  const { window = '5m', minCalls = 20, worsenAfter = 2, recoverAfter = 3, diskPaths } = options;
  return {
    thresholds: Object.fromEntries(thresholds) as HealthSettings['thresholds'],
    window,
    minCalls,
    worsenAfter,
    recoverAfter,
    diskPaths,
  };
}

function threshold(name: Reading, most: number): OptionRule {
  const isNumber = (value: unknown) => typeof value === 'number' && value >= 0 && value <= most;
  return {
    allows(value) {
      if (value === false) return true;
      if (typeof value !== 'object' || value === null) return false;
      const given = Object.entries(value).filter(([, bound]) => bound !== undefined);
      const { degraded, unhealthy } = { ...DEFAULTS[name], ...Object.fromEntries(given) } as Threshold;
      const known = given.every(([key]) => key === 'degraded' || key === 'unhealthy');
      return known && isNumber(degraded) && isNumber(unhealthy) && degraded <= unhealthy;
    },
    expected: `false, or an object with degraded and unhealthy: numbers from 0 to ${most}, degraded not above unhealthy`,
    outOfRange: (value) => typeof value === 'object' && value !== null,
  };
}

function wholeNumber(least: number, most: number): OptionRule {
  return {
    allows: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
    expected: `a whole number from ${least} to ${most}`,
    outOfRange: (value) => typeof value === 'number',
  };
}
