// The levels of the logger. Their numbers are the severities of OpenTelemetry, so that levels of other systems fit in between.

/** How much a record matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** From which level on records are kept; `off` keeps none. */
export type LogThreshold = LogLevel | 'off';

/** https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
export const SEVERITY: Readonly<Record<LogThreshold, number>> = {
  debug: 5,
  info: 9,
  warn: 13,
  error: 17,
  off: Number.POSITIVE_INFINITY,
};

// https://modelcontextprotocol.io/specification/2025-11-25/server/utilities/logging; what is above `error` we never log
const MCP_SEVERITY: Readonly<Record<string, number>> = {
  debug: 5,
  info: 9,
  notice: 10,
  warning: 13,
  error: 17,
  critical: 18,
  alert: 21,
  emergency: 24,
};

/** The severity of a level of the MCP protocol; undefined for a level that it does not have. */
export function mcpSeverity(level: unknown): number | undefined {
  return typeof level === 'string' && Object.hasOwn(MCP_SEVERITY, level) ? MCP_SEVERITY[level] : undefined;
}

/** The name that the MCP protocol has for a level of ours. */
export function mcpLevel(level: LogLevel): string {
  return level === 'warn' ? 'warning' : level;
}

/** Whether a value is one of the levels, or `off`. */
export function isThreshold(value: unknown): value is LogThreshold {
  return typeof value === 'string' && Object.hasOwn(SEVERITY, value);
}
