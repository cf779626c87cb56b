// What a proxy observes with, and what it does beside.
import type { Door } from '../observer/door.ts';
import type { Mediation } from './mediation.ts';
import type { Unobserved } from './unobserved.ts';

/** What stands between a client and a server. */
export interface Observers {
  readonly door: Door;
  readonly unobserved: Unobserved;
  /** What is done beside watching. */
  readonly mediation?: Mediation | undefined;
}
