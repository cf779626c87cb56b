// How full the disks are, as metrics: no package of host metrics gives it. The readings are those of the health.
import type { MeterProvider } from '@opentelemetry/api';
import { monitor } from '../health/monitor.ts';
import {
  ATTR_SYSTEM_FILESYSTEM_MOUNTPOINT,
  ATTR_SYSTEM_FILESYSTEM_STATE,
  METRIC_SYSTEM_FILESYSTEM_USAGE,
  METRIC_SYSTEM_FILESYSTEM_UTILIZATION,
} from '../telemetry/semconv.ts';
import { SCOPE_NAME } from '../telemetry/names.ts';
import { VERSION } from '../version.ts';

/** Makes the disks that the health looks at a metric of this provider. */
export function exposeDisks(provider: MeterProvider): void {
  const meter = provider.getMeter(SCOPE_NAME, VERSION);
  meter
    .createObservableGauge(METRIC_SYSTEM_FILESYSTEM_UTILIZATION, {
      unit: '1',
      description: 'Share of the filesystem that is used, of what an ordinary user can use.',
    })
    .addCallback((result) => {
      for (const { path, utilization } of disks()) {
        result.observe(utilization, { [ATTR_SYSTEM_FILESYSTEM_MOUNTPOINT]: path });
      }
    });
  meter
    .createObservableUpDownCounter(METRIC_SYSTEM_FILESYSTEM_USAGE, {
      unit: 'By',
      description: 'Bytes of the filesystem that are used, free for an ordinary user, or reserved.',
    })
    .addCallback((result) => {
      for (const { path, usedBytes, freeBytes, reservedBytes } of disks()) {
        const states = { used: usedBytes, free: freeBytes, reserved: reservedBytes };
        for (const [state, bytes] of Object.entries(states)) {
          result.observe(bytes, {
            [ATTR_SYSTEM_FILESYSTEM_MOUNTPOINT]: path,
            [ATTR_SYSTEM_FILESYSTEM_STATE]: state,
          });
        }
      }
    });
}

function disks() {
  return monitor.readings?.disks ?? [];
}
