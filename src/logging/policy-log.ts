// What policies do that an operator should hear of: a breaker that opens or closes, a call that is given up, a retry.
import type { PolicyEvent } from '../resilience/events.ts';
import { onPolicy } from '../resilience/registry.ts';
import { shared } from '../state/shared.ts';
import { policyEventAttributes, type SpanEvent } from '../telemetry/resilience.ts';
import type { LogLevel } from './levels.ts';
import { isRead, write } from './write.ts';

const logging = shared('policy-log', () => ({ listening: false }));

/** Logs what the named policies of this process do from now on; calling it again is harmless. */
export function logPolicies(): void {
  if (logging.listening) return;
  logging.listening = true;
  onPolicy((policy) => policy.on(log));
}

function log(event: PolicyEvent): void {
  if (event.type === 'bulkhead.waited') return;
  const line = lineOf(event);
  if (line === undefined || !isRead(line.level)) return;
  const attributes = { ...policyEventAttributes(event), event_type: event.type.replaceAll('.', '_') };
  write(line.level, line.message, attributes, undefined);
}

// Rejections and successes are counted, not logged: an open breaker would say the same for every call.
function lineOf(event: SpanEvent): { level: LogLevel; message: string } | undefined {
  switch (event.type) {
    case 'retry':
      return { level: 'debug', message: `retrying under policy ${event.policy}` };
    case 'retry.gave_up':
      return { level: 'warn', message: `gave up under policy ${event.policy}: ${event.result}` };
    case 'circuit_breaker.transition': {
      const level = event.to === 'open' || event.to === 'isolated' ? 'warn' : 'info';
      return { level, message: `circuit breaker of policy ${event.policy} is ${event.to} (${event.reason})` };
    }
    default:
      return undefined;
  }
}
