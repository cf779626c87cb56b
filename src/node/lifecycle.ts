// When to flush: the end of a stdio server's input, SIGTERM, SIGINT, a drained event loop. The process's life stays its own.
import { onInputEnd } from '../state/connections.ts';

/** What the end of a process asks of its telemetry. All settle within the deadline and never reject. */
export interface Endable {
  /** Sends what is pending: the process may be over soon. */
  flushForEnd(): Promise<void>;
  /** Sends what is pending and stops. */
  shutdown(): Promise<void>;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Watches the process for its end; returns what stops watching. */
export function watchProcess(telemetry: Endable, handleSignals: boolean): () => void {
  const stopWatchingInput = onInputEnd(() => void telemetry.flushForEnd());
  const drained = () => void telemetry.shutdown();
  process.once('beforeExit', drained);
  const stops = handleSignals ? SIGNALS.map((signal) => onSignal(signal, telemetry)) : [];
  return () => {
    stopWatchingInput();
    process.removeListener('beforeExit', drained);
    for (const stop of stops) stop();
  };
}

// Listening for a signal takes Node's own reaction away, so it is given back: flush, then let the signal do its work. Where
// the application listens too, the rest is the application's; a second signal waits for nothing.
function onSignal(signal: NodeJS.Signals, telemetry: Endable): () => void {
  let flushing = false;
  const stop = () => process.removeListener(signal, received);
  const resume = () => {
    stop();
    process.kill(process.pid, signal);
  };
  const received = () => {
    const alone = process.listenerCount(signal) === 1;
    if (!alone) {
      void telemetry.flushForEnd();
    } else if (flushing) {
      resume();
    } else {
      flushing = true;
      void telemetry.shutdown().finally(resume);
    }
  };
  process.on(signal, received);
  return stop;
}
