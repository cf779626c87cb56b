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

// The package signal-exit counts its own listeners and ends the process by the signal when there are no others, as we do: each
// would wait for the other. https://github.com/tapjs/signal-exit
function signalExitListeners(): number {
  const { [Symbol.for('signal-exit emitter')]: current } = globalThis as Record<symbol, unknown>;
  const { __signal_exit_emitter__: older } = process as unknown as Record<string, unknown>;
  return [current, older].reduce<number>((sum, emitter) => {
    const count = typeof emitter === 'object' && emitter !== null && 'count' in emitter ? emitter.count : 0;
    return typeof count === 'number' ? sum + count : sum;
  }, 0);
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
    const alone = process.listenerCount(signal) === 1 + signalExitListeners();
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
