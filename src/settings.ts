// The environment variables of toolspan that the library itself reads.

/** `TOOLSPAN_DISABLED=true` stops all telemetry of ours. */
export function telemetryDisabled(): boolean {
  return process.env['TOOLSPAN_DISABLED']?.trim().toLowerCase() === 'true';
}

/** `TOOLSPAN_TRACE_URL`: where people look at traces, for links; undefined where it is unset or no URL. */
export function traceUrl(): string | undefined {
  const url = process.env['TOOLSPAN_TRACE_URL']?.trim();
  return url !== undefined && URL.canParse(url) ? url : undefined;
}
