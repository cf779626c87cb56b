// The health of this process as a metric: one series for each status, 1 or 0, for the whole and for each check.
import { metrics, type MeterProvider } from '@opentelemetry/api';
import { VERSION } from '../version.ts';
import {
  ATTR_TOOLSPAN_HEALTH_CHECK,
  ATTR_TOOLSPAN_HEALTH_STATE,
  METRIC_TOOLSPAN_HEALTH_STATUS,
  SCOPE_NAME,
} from './names.ts';

/** What the gauge shows. */
export interface HealthStates {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly status: string }[];
}

const STATES = ['healthy', 'degraded', 'unhealthy'];
const CHECK_STATES = [...STATES, 'unknown'];
const exposed = new WeakSet<MeterProvider>();

/** Makes the health a metric of the global meter provider, once for each. */
export function exposeHealth(read: () => HealthStates): void {
  const provider = metrics.getMeterProvider();
  if (exposed.has(provider)) return;
  exposed.add(provider);
  provider
    .getMeter(SCOPE_NAME, VERSION)
    .createObservableGauge(METRIC_TOOLSPAN_HEALTH_STATUS, {
      unit: '{state}',
      description: 'Whether the process, or one of its checks, is in this state: 1 or 0.',
    })
    .addCallback((result) => {
      const { status, checks } = read();
      for (const state of STATES) {
        result.observe(status === state ? 1 : 0, { [ATTR_TOOLSPAN_HEALTH_STATE]: state });
      }
      for (const check of checks) {
        for (const state of CHECK_STATES) {
          result.observe(check.status === state ? 1 : 0, {
            [ATTR_TOOLSPAN_HEALTH_CHECK]: check.name,
            [ATTR_TOOLSPAN_HEALTH_STATE]: state,
          });
        }
      }
    });
}
