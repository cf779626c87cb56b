// The simulated outage, with few clients: what `npm run sim:outage` shows with many.
import { describe, expect } from 'vitest';
import { play, VARIANTS, type Course, type Scene, type Variant } from '../../scripts/outage-model.ts';
import { verifies } from '../harness/verifies.ts';

const SCENE: Scene = { clients: 12, outage: [60, 120], until: 200, seed: 1 };

describe('an outage of a minute', () => {
  verifies('policy.outage', async () => {
    const courses = new Map<Variant, Course>();
    for (const variant of VARIANTS) courses.set(variant, await play(variant, SCENE));
    const amplification = (variant: Variant) => courses.get(variant)?.amplification ?? Number.NaN;
    expect(amplification('no retry')).toBeCloseTo(1, 1);
    expect(amplification('naive retry')).toBeGreaterThan(3.5);
    expect(amplification('retry with budget')).toBeLessThanOrEqual(1.3);
    expect(amplification('retry and breaker')).toBeLessThan(0.2);
    const guarded = courses.get('retry and breaker');
    // open for 30 s, then, since the probe failed, for 60 s, give or take a tenth
    expect(guarded?.openInterval).toBeGreaterThan(54);
    expect(guarded?.openInterval).toBeLessThanOrEqual(66);
    expect(guarded?.recoveredAfter).toBeLessThanOrEqual(guarded?.openInterval ?? 0);
    expect(guarded?.late).toBe(0);
    for (const { calls, failed } of courses.values()) {
      expect(calls.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(12 * 199);
      // no one fails before, and all are well in the end
      expect([...failed.slice(0, 59), ...failed.slice(190)].every((count) => count === 0)).toBe(true);
    }
    expect(await play('retry and breaker', SCENE)).toEqual(guarded);
  });
});
