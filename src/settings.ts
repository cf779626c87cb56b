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

/** `TOOLSPAN_LOG_LEVEL`: `debug`, `info`, `warn`, `error` or `off`; undefined where it is not set. */
export function logLevelSetting(): string | undefined {
  return setting('TOOLSPAN_LOG_LEVEL');
}

/** `TOOLSPAN_LOG_FORMAT`: how stderr gets log lines, `json`, `readable` or `off`; undefined where it is not set. */
export function logFormatSetting(): string | undefined {
  return setting('TOOLSPAN_LOG_FORMAT');
}

/** `TOOLSPAN_IDENTITY_KEY`: makes hashed identities the same in every process that has it. */
export function identityKeySetting(): string | undefined {
  return process.env['TOOLSPAN_IDENTITY_KEY'];
}

/** `OTEL_SERVICE_NAME`, as the specification reads it: an empty value is none. */
export function serviceNameSetting(): string | undefined {
  const name = process.env['OTEL_SERVICE_NAME'];
  return name === '' ? undefined : name;
}

function setting(name: string): string | undefined {
  const value = process.env[name]?.trim().toLowerCase();
  return value === '' ? undefined : value;
}
