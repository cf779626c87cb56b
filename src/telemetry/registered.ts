// The tracer provider that is registered now, seen through the proxy of the API: applications register late, or anew.
import { trace, type TracerProvider } from '@opentelemetry/api';

/** The registered provider itself; one that does nothing where none is registered. */
export function registeredTracerProvider(): TracerProvider {
  const provider = trace.getTracerProvider();
  // by its method, not its class: a process may hold the API twice, as CommonJS and as a module
  const { getDelegate } = provider as Partial<{ getDelegate(): TracerProvider }>;
  return typeof getDelegate === 'function' ? getDelegate.call(provider) : provider;
}
