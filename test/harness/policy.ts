// A policy of all parts under a manual clock, with what it tells.
import { ToolError } from '../../src/errors/tool-error.ts';
import { policy, type PolicyEvent, type PolicyOptions } from '../../src/resilience/index.ts';
import { ManualClock } from './manual-clock.ts';

let made = 0;

export const down = () => new ToolError('UNAVAILABLE', 'down');

/** A name that no other policy of this process has. */
export const freshName = (kind = 'policy') => `${kind} ${++made}`;

/** Makes a policy with these options, with chance at its worst. */
export function policyUnder<F = never>(options: PolicyOptions<F>) {
  const clock = new ManualClock();
  const observed = policy<F>(freshName(), { clock, random: () => 1, ...options });
  const events: PolicyEvent[] = [];
  observed.on((event) => events.push(event));
  return { clock, policy: observed, events, calls: () => observed.snapshot().calls };
}
