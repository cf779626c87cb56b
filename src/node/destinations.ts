// Which exporters the OTEL_* variables ask for. https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
import { getStringFromEnv, getStringListFromEnv } from '@opentelemetry/core';
import { complainOnce } from '../diagnostics.ts';
import type { Destination } from './exporters.ts';
import type { Signal } from './losses.ts';

/** `ours`: the exporters that we make. `sdk`: NodeSDK reads the variables itself and makes its own. */
export type Destinations = { readonly by: 'ours'; readonly list: readonly Destination[] } | { readonly by: 'sdk' };

const OTHER_EXPORTERS: Readonly<Record<Signal, readonly string[]>> = {
  traces: ['zipkin'],
  metrics: ['prometheus'],
  logs: [],
};

/** Reads `OTEL_<SIGNAL>_EXPORTER` and the protocol variables; an unsupported value gets a diagnostic. */
export function destinationsFor(signal: Signal): Destinations {
  const variable = `OTEL_${signal.toUpperCase()}_EXPORTER`;
  const names = new Set(getStringListFromEnv(variable) ?? []);
  if (names.size === 0) names.add('otlp');
  if (names.has('none')) return { by: 'ours', list: [] };
  const list: Destination[] = [];
  let foreign: string | undefined;
  for (const name of names) {
    const protocol = name === 'otlp' ? protocolFor(signal) : undefined;
    if (name === 'console') list.push('console');
    else if (protocol === 'http/json' || protocol === 'http/protobuf') list.push(protocol);
    else if (protocol === 'grpc' || OTHER_EXPORTERS[signal].includes(name)) foreign = protocol ?? name;
    else complainAbout(variable, name, signal);
  }
  if (foreign === undefined) return { by: 'ours', list };
  if (list.length === 0) return { by: 'sdk' };
  complainOnce(
    `combine:${signal}`,
    `${variable}: ${foreign} cannot be combined with ${list.join(', ')}, which is used alone. Name ${foreign} alone to use it.`,
  );
  return { by: 'ours', list };
}

function protocolFor(signal: Signal): Destination | 'grpc' {
  const variable = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_PROTOCOL`;
  const given = getStringFromEnv(variable) ?? getStringFromEnv('OTEL_EXPORTER_OTLP_PROTOCOL');
  // https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specify-protocol: http/protobuf is the default
  if (given === undefined) return 'http/protobuf';
  if (given === 'http/protobuf' || given === 'http/json' || given === 'grpc') return given;
  complainOnce(
    `protocol:${given}`,
    `OTLP protocol "${given}" is not supported; expected http/protobuf, http/json or grpc. http/protobuf is used.`,
  );
  return 'http/protobuf';
}

function complainAbout(variable: string, name: string, signal: Signal): void {
  const known = ['otlp', 'console', ...OTHER_EXPORTERS[signal], 'none'].join(', ');
  complainOnce(
    `${variable}:${name}`,
    `${variable}: exporter "${name}" is not supported and is left out; expected ${known}.`,
  );
}
