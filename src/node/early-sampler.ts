// Which traces are recorded while the SDK is not up yet: as its sampler will decide, by the same variables.
import { TraceFlags } from '@opentelemetry/api';
import type { EarlySampler } from './late-tracer.ts';

/** The sampler that `OTEL_TRACES_SAMPLER` asks for. What it does not know, the SDK decides when it is told. */
export function earlySampler(environment: NodeJS.ProcessEnv = process.env): EarlySampler {
  const name = environment['OTEL_TRACES_SAMPLER']?.trim() || 'parentbased_always_on';
  const root = rootSampler(name.replace(/^parentbased_/, ''), environment['OTEL_TRACES_SAMPLER_ARG']);
  if (!name.startsWith('parentbased_')) return root;
  return (traceId, parent) => (parent === undefined ? root(traceId) : (parent.traceFlags & TraceFlags.SAMPLED) !== 0);
}

function rootSampler(name: string, argument: string | undefined): (traceId: string) => boolean {
  if (name === 'always_off') return () => false;
  const ratio = Number(argument?.trim() || Number.NaN);
  if (name !== 'traceidratio' || !(ratio >= 0 && ratio < 1)) return () => true;
  const bound = Math.floor(ratio * 0xffff_ffff);
  return (traceId) => folded(traceId) < bound;
}

// The SDK folds the id to 32 bits and compares: an id that it would take must be taken here.
function folded(traceId: string): number {
  let result = 0;
  for (let at = 0; at < 32; at += 8) result ^= Number.parseInt(traceId.slice(at, at + 8), 16);
  return result >>> 0;
}
