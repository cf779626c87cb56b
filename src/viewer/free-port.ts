// The port to which every SDK sends, else the next that is free.
import { isAddressInUse } from '../loopback/listen.ts';
import { portHolder } from '../loopback/port-holder.ts';
import { startViewer, type Viewer, type ViewerOptions } from './viewer.ts';

/** Where exporters send that are told nothing. https://opentelemetry.io/docs/specs/otlp/#otlphttp-default-port */
const OTLP_PORT = 4_318;
const TRIES = 20;

/** Starts a viewer on 4318, or on one of the next ports; then `taken` names whoever has 4318. */
export async function startOnFreePort(
  options: Omit<ViewerOptions, 'port'>,
): Promise<{ viewer: Viewer; taken: string | undefined }> {
  for (let port = OTLP_PORT; ; port++) {
    try {
      const viewer = await startViewer({ ...options, port: port < OTLP_PORT + TRIES ? port : 0 });
      if (port === OTLP_PORT) return { viewer, taken: undefined };
      return { viewer, taken: (await portHolder(OTLP_PORT)) ?? 'another program' };
    } catch (error) {
      if (!isAddressInUse(error) || port > OTLP_PORT + TRIES) throw error;
    }
  }
}
