// The environment variables of toolspan that the library itself reads.

/** `TOOLSPAN_DISABLED=true` stops all telemetry of ours. */
export function telemetryDisabled(): boolean {
  return isTrue('TOOLSPAN_DISABLED');
}

/** `OTEL_SDK_DISABLED=true` stops the OpenTelemetry SDK that we would start, and nothing else. */
export function sdkDisabled(): boolean {
  return isTrue('OTEL_SDK_DISABLED');
}

function isTrue(variable: string): boolean {
  return process.env[variable]?.trim().toLowerCase() === 'true';
}

/** `TOOLSPAN_TRACE_URL`: where people look at traces, for links; undefined where it is unset or no URL. */
export function traceUrl(): string | undefined {
  const url = process.env['TOOLSPAN_TRACE_URL']?.trim();
  return url !== undefined && URL.canParse(url) ? url : undefined;
}
