// Telemetry that starts late, so that no first answer waits for it: spans and measurements are taken from the first message on,
// the SDK is loaded when the first operation is over, and the end of the process is watched from the start.
import { context } from '@opentelemetry/api';
import { complainAboutFailure, complainOnce } from '../diagnostics.ts';
import { sdkDisabled } from '../settings.ts';
import { closeAllConnections } from '../state/connections.ts';
import { showPolicyEvents } from '../telemetry/resilience.ts';
import { CallContextManager, contextManagerIsRegistered } from './context-manager.ts';
import { earlySampler } from './early-sampler.ts';
import { LateMeterProvider } from './late-meter.ts';
import { LateTracerProvider } from './late-tracer.ts';
import { watchProcess, type Endable } from './lifecycle.ts';
import type { StartedTelemetry, TelemetryOptions } from './start-telemetry.ts';

// A first answer over HTTP is still being written when its operation has ended.
const AFTER_FIRST_END_MS = 50;
// Where nothing is asked of the server, its process is measured all the same.
const AT_LATEST_MS = 2_000;

/** The telemetry of a process whose SDK is loaded later. */
export class LateTelemetry implements Endable {
  readonly tracerProvider: LateTracerProvider = new LateTracerProvider(earlySampler());
  readonly meterProvider: LateMeterProvider = new LateMeterProvider();
  readonly #options: TelemetryOptions;
  #watching = false;
  #stopped = false;
  #started: Promise<StartedTelemetry | undefined> | undefined;

  constructor(options: TelemetryOptions = {}) {
    this.#options = options;
    showPolicyEvents();
    // what is set in a context before there is a manager is lost, so it is there from the first
    if (contextManagerIsRegistered()) return;
    context.setGlobalContextManager(new CallContextManager().enable());
  }

  /**
   * Says that there is something to observe: from now on the end of the process is watched, and the SDK will be loaded.
   *
   * @param handleSignals whether SIGTERM and SIGINT flush before they end the process as they would have.
   */
  watch(handleSignals: boolean): void {
    if (this.#watching) return;
    this.#watching = true;
    watchProcess(this, handleSignals);
    this.tracerProvider.onFirstEnd(() => void setTimeout(() => void this.#start(), AFTER_FIRST_END_MS).unref());
    setTimeout(() => void this.#start(), AT_LATEST_MS).unref();
  }

  async flushForEnd(): Promise<void> {
    await (await this.#start())?.flushForEnd();
  }

  async shutdown(): Promise<void> {
    // what is in flight is ended before the SDK is asked for, as it may never have been needed until now
    if (!this.#stopped) closeAllConnections();
    this.#stopped = true;
    await (await this.#start())?.shutdown();
  }

  #start(): Promise<StartedTelemetry | undefined> {
    this.#started ??= this.#load();
    return this.#started;
  }

  async #load(): Promise<StartedTelemetry | undefined> {
    try {
      // an application with an SDK of its own keeps it
      if (sdkDisabled() || this.tracerProvider.current() !== undefined) return undefined;
      const { startLean } = await import('./start-lean.ts');
      return await startLean(this.#options);
    } catch (error) {
      if (error instanceof SyntaxError) {
        complainOnce(
          'old-api',
          'this application has an @opentelemetry/api older than 1.10, which the SDK of toolspan needs, so nothing is sent. Update it with "npm install @opentelemetry/api@^1.10", or start an OpenTelemetry SDK of your own.',
        );
      } else {
        complainAboutFailure('starting telemetry', error);
      }
      return undefined;
    } finally {
      this.tracerProvider.attach();
      this.meterProvider.attach();
    }
  }
}
