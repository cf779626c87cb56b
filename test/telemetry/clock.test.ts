// Wall time from a monotonic clock.
import { describe, expect } from 'vitest';
import { later, WallTime } from '../../src/telemetry/clock.ts';
import { verifies } from '../harness/verifies.ts';

const HOUR = 3_600_000;

describe('wall time', () => {
  verifies('clock.wall', () => {
    let monotonic = 5_000;
    let wall = 1_700_000_000_000;
    const pass = (ms: number, wallMs = ms) => {
      monotonic += ms;
      wall += wallMs;
    };
    const time = new WallTime({ now: () => monotonic }, () => wall);
    expect(time.at(monotonic)).toEqual([1_700_000_000, 0]);
    pass(1.5);
    expect(time.at(monotonic)).toEqual([1_700_000_000, 1_500_000]);
    // a laptop that slept for an hour: the monotonic clock stood still
    pass(2_000, 2_000 + HOUR);
    expect(time.at(monotonic)).toEqual([1_700_003_602, 1_500_000]);
    // an operator sets the clock back
    pass(2_000, 2_000 - 2 * HOUR);
    expect(time.at(monotonic)[0]).toBe(1_699_996_404);
    // small corrections by the time service do not make timestamps jitter
    pass(2_000, 2_010);
    expect(time.at(monotonic)).toEqual([1_699_996_406, 1_500_000]);
  });

  verifies(
    'clock.wall',
    () => {
      expect(later([1_700_000_000, 999_999_999], 0.000_002)).toEqual([1_700_000_001, 1]);
      expect(later([1_700_000_000, 5], 61_000)).toEqual([1_700_000_061, 5]);
    },
    'an end is its start and a duration, whatever the clock says by then',
  );

  verifies(
    'clock.wall',
    () => {
      const { at } = { at: (reading: number) => new WallTime().at(reading) };
      const [seconds, nanoseconds] = at(performance.now());
      expect(Math.abs(seconds * 1_000 + nanoseconds / 1e6 - Date.now())).toBeLessThan(60);
      expect(nanoseconds).toBeLessThan(1e9);
    },
    'of this process',
  );
});
