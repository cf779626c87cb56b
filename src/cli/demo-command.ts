// `toolspan demo`.
import { parseArgs } from 'node:util';
import { runDemo } from '../demo/run.ts';
import { jsonScreen, terminalScreen } from '../demo/screen.ts';
import { isAddressInUse } from '../loopback/listen.ts';
import { sdkDisabled, telemetryDisabled } from '../settings.ts';
import { demoParts } from './demo-parts.ts';
import { numberOption } from './number-option.ts';
import { UsageError } from './usage-error.ts';

const USAGE = `Usage: toolspan demo [options]

Runs an MCP server on Streamable HTTP with simulated agents that call it over the wire, draws each trace as it ends, and
opens a page that shows them. Where OTEL_EXPORTER_OTLP_ENDPOINT is set the telemetry goes there, and no page is opened.

The server alone is "toolspan demo serve", the agents alone are "toolspan demo call"; each has a --help.

Options:
  --duration <seconds>  stop by itself after this time
  --json                print one JSON object a line: each trace, then the totals
  --port <number>       port of the MCP server on 127.0.0.1 (default: any that is free)
  --help                show this text
`;

/** Runs the demo until its duration is over, or SIGINT or SIGTERM. */
export async function demo(args: string[]): Promise<void> {
  const [name = ''] = args;
  if (Object.hasOwn(demoParts, name)) return demoParts[name]?.(args.slice(1));
  const { values } = parseArgs({
    args,
    options: {
      duration: { type: 'string' },
      json: { type: 'boolean' },
      port: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  if (telemetryDisabled() || sdkDisabled()) {
    throw new UsageError(
      'TOOLSPAN_DISABLED or OTEL_SDK_DISABLED switches telemetry off, which is all that the demo shows; unset it',
    );
  }
  const seconds = numberOption('--duration', values.duration, { above: 0, atMost: 86_400 });
  const port = numberOption('--port', values.port, { above: 0, atMost: 65_535, whole: true }) ?? 0;
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const timer = seconds === undefined ? undefined : setTimeout(stop, seconds * 1_000);
  try {
    const screen = values.json === true ? jsonScreen(process.stdout) : terminalScreen(process.stdout);
    await runDemo({ screen, signal: stopping.signal, port });
  } catch (error) {
    if (!isAddressInUse(error)) throw error;
    throw new UsageError(`--port ${port} is taken by another program; choose another, or leave it out`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    process.removeListener('SIGINT', stop);
    process.removeListener('SIGTERM', stop);
  }
}
