// Where the OTEL_* variables send each signal, and which variable says so. Pure; no SDK is needed to know it.
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/
import { givenIn } from './settings.ts';

/** One signal on its way out. */
export interface OtlpEndpoint {
  readonly signal: 'traces' | 'metrics' | 'logs';
  readonly url: string;
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The variable that names the address; undefined where it is the default. */
  readonly from: string | undefined;
}

const DEFAULT = 'http://localhost:4318';
const DEFAULT_GRPC = 'http://localhost:4317';

/** The addresses of the signals that are sent by OTLP. */
export function otlpEndpoints(environment: NodeJS.ProcessEnv): OtlpEndpoint[] {
  const given = (variable: string) => givenIn(environment, variable);
  return (['traces', 'metrics', 'logs'] as const).flatMap((signal) => {
    const upper = signal.toUpperCase();
    const exporters = (given(`OTEL_${upper}_EXPORTER`) ?? 'otlp').split(',').map((name) => name.trim());
    if (!exporters.includes('otlp')) return [];
    const own = `OTEL_EXPORTER_OTLP_${upper}_ENDPOINT`;
    const general = 'OTEL_EXPORTER_OTLP_ENDPOINT';
    const protocol =
      given(`OTEL_EXPORTER_OTLP_${upper}_PROTOCOL`) ?? given('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/protobuf';
    const base = given(general) ?? (protocol === 'grpc' ? DEFAULT_GRPC : DEFAULT);
    // gRPC has no paths
    const url = given(own) ?? (protocol === 'grpc' ? base : `${base.replace(/\/$/, '')}/v1/${signal}`);
    const from = given(own) !== undefined ? own : given(general) !== undefined ? general : undefined;
    const headers = {
      ...pairs(given('OTEL_EXPORTER_OTLP_HEADERS')),
      ...pairs(given(`OTEL_EXPORTER_OTLP_${upper}_HEADERS`)),
    };
    return [{ signal, url, protocol, headers, from }];
  });
}

function pairs(text: string | undefined): Record<string, string> {
  const entries = (text ?? '').split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at < 1 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())]];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
