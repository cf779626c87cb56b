// Where the signals of doors go that name no providers: register serves them from the start, before there is an SDK.
import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { shared } from '../state/shared.ts';

interface Defaults {
  tracerProvider: TracerProvider | undefined;
  meterProvider: MeterProvider | undefined;
}

/** The providers that stand in for the global ones; undefined where nothing does. */
export const defaultProviders: Defaults = shared<Defaults>('default-providers', () => ({
  tracerProvider: undefined,
  meterProvider: undefined,
}));
