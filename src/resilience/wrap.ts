// Policies put into one another.
import { shown } from '../options.ts';
import { Monitor } from './events.ts';
import { LayeredPolicy, type Policy } from './layered-policy.ts';

/** What the fallbacks among these policies answer with. */
export type FallbackOf<P> = P extends Policy<infer F> ? F : never;

/**
 * Puts policies into one another, outermost first: `wrap(retry(...), breaker)` retries what passes the breaker.
 *
 * @throws {TypeError} without policies, or for something that is none.
 */
export function wrap<P extends readonly Policy<unknown>[]>(...policies: P): Policy<FallbackOf<P[number]>> {
  if (policies.length === 0) throw new TypeError('wrap: expected at least one policy, got none');
  const layers = policies.flatMap((policy) => {
    if (policy instanceof LayeredPolicy) return policy.layers;
    throw new TypeError(`wrap: expected policies of toolspan, got ${shown(policy)}`);
  });
  return new LayeredPolicy(new Monitor('wrap', undefined), layers);
}
