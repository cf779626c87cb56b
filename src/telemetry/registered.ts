// The tracer provider that is registered now, seen through the proxy of the API: applications register late, or anew.
import { trace, type Tracer, type TracerProvider } from '@opentelemetry/api';
import { shared } from '../state/shared.ts';
import { VERSION } from '../version.ts';
import { SCOPE_NAME } from './names.ts';

/** The registered provider itself; one that does nothing where none is registered. */
export function registeredTracerProvider(): TracerProvider {
  const provider = trace.getTracerProvider();
  // by its method, not its class: a process may hold the API twice, as CommonJS and as a module
  const { getDelegate } = provider as Partial<{ getDelegate(): TracerProvider }>;
  return typeof getDelegate === 'function' ? getDelegate.call(provider) : provider;
}

const tracers = shared('operation-tracers', () => new WeakMap<TracerProvider, Tracer>());

/** The tracer of our own operations at this provider: one that was made for them, else the provider's. */
export function operationTracerOf(provider: TracerProvider): Tracer {
  return tracers.get(provider) ?? provider.getTracer(SCOPE_NAME, VERSION);
}

/** Says which tracer makes the spans of our own operations at this provider. */
export function useOperationTracer(provider: TracerProvider, tracer: Tracer): void {
  tracers.set(provider, tracer);
}
