// Telemetry switched off by the environment, for one test: the doors read it once in a process.
import { onTestFinished, vi } from 'vitest';
import { shared } from '../../src/state/shared.ts';

/** Sets `TOOLSPAN_DISABLED=true` until the test is over. */
export function disableTelemetry(): void {
  const first = shared<{ disabled: boolean | undefined }>('first-reading', () => ({ disabled: undefined }));
  vi.stubEnv('TOOLSPAN_DISABLED', 'true');
  first.disabled = undefined;
  onTestFinished(() => {
    vi.unstubAllEnvs();
    first.disabled = undefined;
  });
}
