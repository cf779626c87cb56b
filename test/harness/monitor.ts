// A health monitor whose clock and samples are the test's.
import { HealthMonitor } from '../../src/health/monitor.ts';
import type { HealthOptions } from '../../src/health/settings.ts';
import type { HostReadings } from '../../src/host/sampler.ts';

export const CALM: HostReadings = {
  at: 0,
  cpu: 0.1,
  memory: 0.2,
  limitedBy: { cpu: 'host', memory: 'host' },
  disks: [],
  eventLoopUtilization: 0.1,
  eventLoopDelayMs: 1,
  heap: 0.1,
  process: {
    cpuCores: 0.1,
    rssBytes: 1,
    heapUsedBytes: 1,
    heapLimitBytes: 10,
    fileDescriptors: 3,
    uptimeSeconds: 1,
  },
};

/** A disk that is this full. */
export const disk = (utilization: number) => [{ path: '/', usedBytes: 1, freeBytes: 1, reservedBytes: 0, utilization }];

export interface Watched {
  readonly monitor: HealthMonitor;
  /** What the next samples read. */
  readings: Partial<HostReadings>;
  now: number;
  /** How many samples were taken. */
  samples: number;
  /** Takes so many samples, a second apart. */
  tick(times?: number): Promise<void>;
}

export function watched(options: HealthOptions = {}): Watched {
  const sampler = {
    sample: () => {
      state.samples++;
      return Promise.resolve({ ...CALM, at: state.now, ...state.readings });
    },
    stop: () => {},
  };
  const monitor = new HealthMonitor({ sampler: () => sampler, now: () => state.now });
  monitor.configure(options);
  const state: Watched = {
    monitor,
    readings: {},
    now: 1_000,
    samples: 0,
    async tick(times = 1) {
      for (let count = 0; count < times; count++) {
        state.now += 1_000;
        await monitor.tick();
      }
    },
  };
  return state;
}
