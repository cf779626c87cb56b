// Whether the doors of this process are switched off, as it was when first asked: a host may make a server for each request,
// and the environment is slow to read.
import { telemetryDisabled } from '../settings.ts';
import { shared } from '../state/shared.ts';

const first = shared('first-reading', () => ({ disabled: undefined as boolean | undefined }));

/** `TOOLSPAN_DISABLED=true` when it was first asked for. */
export function doorsDisabled(): boolean {
  return (first.disabled ??= telemetryDisabled());
}
