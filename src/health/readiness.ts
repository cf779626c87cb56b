// Whether this process should be sent work: it is not stopping, and what it cannot do without is there.
import { breakers } from '../state/sources.ts';
import { shared } from '../state/shared.ts';
import { monitor } from './monitor.ts';

interface Readiness {
  draining: boolean;
  /** Monotonic reading of the last question, in ms; undefined where nobody has asked. */
  askedAt: number | undefined;
}

const readiness = shared<Readiness>('readiness', () => ({ draining: false, askedAt: undefined }));

/** Why the process is not ready; empty where it is. */
export function notReadyBecause(): string[] {
  const causes: string[] = [];
  if (readiness.draining) causes.push('draining');
  for (const { name, critical, status } of monitor.checks.results()) {
    if (critical && (status === 'unhealthy' || status === 'unknown')) causes.push(`check:${name}`);
  }
  for (const { name, critical, state } of breakers()) {
    if (critical && state === 'open') causes.push(`circuit_breaker:${name}`);
  }
  return causes;
}

/** Says that a probe has asked: somebody watches. */
export function noteProbe(): void {
  readiness.askedAt = performance.now();
}

/** Whether a probe has asked within this time, in ms. */
export function probedWithin(ms: number): boolean {
  return readiness.askedAt !== undefined && performance.now() - readiness.askedAt <= ms;
}

/** Makes the process unready, from now on or, `false`, no more. */
export function setDraining(draining: boolean): void {
  readiness.draining = draining;
}

/** Whether the process is stopping. */
export function isDraining(): boolean {
  return readiness.draining;
}
