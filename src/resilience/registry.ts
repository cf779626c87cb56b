// The policies of this process, by name, and who listens to them: kept under a global symbol, so that two copies of this
// package, and whoever shows or watches policies, see the same ones. Pure.
import type { PolicyStep } from './call.ts';
import type { PolicyListener } from './events.ts';
import type { BreakerSnapshot, PolicySnapshot } from './snapshot.ts';

/** A named policy, as whoever watches policies sees it. */
export interface AnnouncedPolicy {
  readonly name: string;
  /** What made it: `policy`, `retry`, `circuitBreaker` and so on. */
  readonly kind: string;
  describe(): readonly PolicyStep[];
  snapshot(): PolicySnapshot;
  on(listener: PolicyListener): () => void;
}

/** Is told of each named policy. */
export type PolicyWatcher = (policy: AnnouncedPolicy) => void;

interface Registry {
  readonly policies: Map<string, AnnouncedPolicy>;
  /** Names whose policies are told of: labels in telemetry, so their number is bounded. */
  readonly announced: Set<string>;
  readonly watchers: Set<PolicyWatcher>;
}

const MAX_ANNOUNCED = 1_000;
const KEY = Symbol.for('toolspan.resilience.v1');
const holder = globalThis as { [KEY]?: Registry };
const registry: Registry = (holder[KEY] ??= { policies: new Map(), announced: new Set(), watchers: new Set() });

/**
 * Enters a policy under its name, or finds the one that has it. One without a name is left as it is.
 *
 * @throws {TypeError} where another policy with other options has the name.
 */
export function enter<P extends Omit<AnnouncedPolicy, 'name'> & { readonly name: string | undefined }>(made: P): P {
  const { name, kind } = made;
  if (name === undefined) return made;
  const there = registry.policies.get(name);
  if (there !== undefined) {
    const steps = JSON.stringify(there.describe());
    if (there.kind === kind && steps === JSON.stringify(made.describe())) return there as unknown as P;
    throw new TypeError(
      `${kind}: a policy named "${name}" exists, made by ${there.kind} with ${steps}; choose another name, or the same options`,
    );
  }
  registry.policies.set(name, made as P & AnnouncedPolicy);
  announce(made as P & AnnouncedPolicy);
  return made;
}

/** The policy that has a name; undefined where none has. */
export function policyNamed(name: string): AnnouncedPolicy | undefined {
  return registry.policies.get(name);
}

function announce(policy: AnnouncedPolicy): void {
  if (registry.announced.size >= MAX_ANNOUNCED) {
    if (registry.announced.size === MAX_ANNOUNCED && registry.policies.size === MAX_ANNOUNCED + 1) {
      process.emitWarning(
        `more than ${MAX_ANNOUNCED} policies have a name; those from "${policy.name}" on work, but are in no telemetry. Give one name to all policies of one kind.`,
        'ToolspanWarning',
      );
    }
    return;
  }
  registry.announced.add(policy.name);
  for (const watcher of registry.watchers) tell(watcher, policy);
}

/** Calls back with each named policy: at once with those that exist, then as they are made; returns what ends it. */
export function onPolicy(watcher: PolicyWatcher): () => void {
  for (const policy of announcedPolicies()) tell(watcher, policy);
  registry.watchers.add(watcher);
  return () => registry.watchers.delete(watcher);
}

/** The named policies of this process, oldest first; the first 1,000 of them. */
export function announcedPolicies(): readonly AnnouncedPolicy[] {
  return [...registry.announced].flatMap((name) => registry.policies.get(name) ?? []);
}

/** How each named circuit breaker of this process stands at this moment. */
export function breakerSnapshots(): readonly (BreakerSnapshot & { readonly name: string })[] {
  return announcedPolicies().flatMap((policy) => {
    const { name, breaker } = policy.snapshot();
    return breaker === undefined ? [] : [{ name, ...breaker }];
  });
}

// A watcher has no say in whether a policy comes to be.
function tell(watcher: PolicyWatcher, policy: AnnouncedPolicy): void {
  try {
    watcher(policy);
  } catch (error) {
    process.emitWarning(`a watcher of policies failed at "${policy.name}": ${String(error)}`, 'ToolspanWarning');
  }
}
