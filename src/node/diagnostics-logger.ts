// Diagnostics of the OpenTelemetry SDK on stderr: its own logger writes to stdout, which belongs to the protocol.
import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api';
import { diagLogLevelFromString } from '@opentelemetry/core';
import { complainOnce, writeStderr } from '../diagnostics.ts';

/** Takes over the diagnostics: warnings and errors once each, or all of what `OTEL_LOG_LEVEL` asks for. */
export function takeOverDiagnostics(): void {
  const asked = process.env['OTEL_LOG_LEVEL'];
  const verbose = asked !== undefined && asked !== '';
  diag.setLogger(verbose ? everything : onceEach, {
    logLevel: (verbose ? diagLogLevelFromString(asked) : undefined) ?? DiagLogLevel.WARN,
    suppressOverrideMessage: true,
  });
}

/**
 * Runs what makes the SDK with `OTEL_LOG_LEVEL` out of its sight: with it, NodeSDK sets a logger that writes to stdout.
 */
export function withoutSdkLogger<T>(make: () => T): T {
  const level = process.env['OTEL_LOG_LEVEL'];
  delete process.env['OTEL_LOG_LEVEL'];
  try {
    return make();
  } finally {
    if (level !== undefined) process.env['OTEL_LOG_LEVEL'] = level;
  }
}

type Write = (message: string, ...rest: unknown[]) => void;

function logger(write: (text: string) => void): DiagLogger {
  const print: Write = (message, ...rest) => {
    try {
      write([message, ...rest].map(text).join(' '));
    } catch {
      // a diagnostic that cannot be printed is not worth an error
    }
  };
  return { error: print, warn: print, info: print, debug: print, verbose: print };
}

// a server that never says its version has none: nobody need hear of it
const EXPECTED = 'dropping invalid resource attribute value for key "service.version"';

const onceEach = logger((line) => {
  if (line !== EXPECTED) complainOnce(`otel:${line.slice(0, 80)}`, `OpenTelemetry: ${line.slice(0, 500)}`);
});
const everything = logger((line) => writeStderr(`OpenTelemetry: ${line}`));

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return JSON.stringify(value) ?? String(value);
}
