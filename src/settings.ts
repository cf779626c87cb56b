// The environment variables of toolspan that the library itself reads.

/** `TOOLSPAN_DISABLED=true` stops all telemetry of ours. */
export function telemetryDisabled(): boolean {
  return process.env['TOOLSPAN_DISABLED']?.trim().toLowerCase() === 'true';
}
