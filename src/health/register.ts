// What an application tells the health of its process: thresholds and checks of its own.
import type { HealthCheck, HealthCheckOptions } from './checks.ts';
import { monitor, type Health } from './monitor.ts';
import type { HealthOptions } from './settings.ts';

/**
 * Changes what makes this process degraded or unhealthy.
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export function configureHealth(options: HealthOptions): void {
  monitor.configure(options);
}

/**
 * Adds a check of something that the server depends on. It runs in the background; its last result is part of the health.
 * One that fails makes the server degraded, a critical one unhealthy and not ready.
 *
 * @param name 1 to 64 letters, digits or `. _ : -`; it is shown to whoever asks for the health.
 * @returns what removes the check.
 * @throws {TypeError | RangeError} for a bad name or option, or a name that is taken.
 */
export function registerHealthCheck(name: string, check: HealthCheck, options?: HealthCheckOptions): () => void {
  const unregister = monitor.checks.register(name, check, options);
  monitor.need('checks');
  return unregister;
}

/** How this process is by the last samples, taken each second in the background; the first call begins to take them. */
export function processHealth(): Health {
  monitor.need('application');
  return monitor.health();
}
