// `toolspan view`.
import { parseArgs } from 'node:util';
import { isLoopback } from '../loopback/guard.ts';
import { isAddressInUse } from '../loopback/listen.ts';
import { portHolder } from '../loopback/port-holder.ts';
import { startOnFreePort } from '../viewer/free-port.ts';
import { ArchiveError } from '../viewer/store/archive-error.ts';
import { startViewer, type Viewer, type ViewerOptions } from '../viewer/viewer.ts';
import { numberOption } from './number-option.ts';
import { UsageError } from './usage-error.ts';

const USAGE = `Usage: toolspan view [options]

Receives OpenTelemetry over HTTP and shows it in a page: traces, tools, logs, metrics, circuit breakers, health.
For looking at your own server while you develop it; for production there is the stack (toolspan stack).

Options:
  --port <number>       port to listen on (default: 4318, where every SDK sends; the next free one where that is taken)
  --db <file>           keep what is received in this SQLite file, over a restart
  --memory <megabytes>  most memory for what is held; the oldest traces go first (default: 256)
  --keep <hours>        how long a trace is held (default: 24)
  --no-token            let every program on this machine read, without the token of the printed address
  --cors <origin>       let pages of this origin send telemetry from a browser; may be given several times
  --host <address>      listen on this address instead of loopback; the token is then always asked for
  --allow-host <name>   a name that requests may use for this machine with --host; may be given several times
  --help                show this text
`;

const MAX_PORT = 65_535;
const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** Runs the viewer until SIGINT or SIGTERM. */
export async function view(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string' },
      db: { type: 'string' },
      memory: { type: 'string' },
      keep: { type: 'string' },
      'no-token': { type: 'boolean' },
      cors: { type: 'string', multiple: true },
      host: { type: 'string' },
      'allow-host': { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const port = numberOption('--port', values.port, { above: 0, atMost: MAX_PORT, whole: true });
  const megabytes = numberOption('--memory', values.memory, { above: 0, atMost: 65_536, whole: true });
  const hours = numberOption('--keep', values.keep, { above: 0, atMost: 8_760 });
  if (values['no-token'] === true && values.host !== undefined && !isLoopback(values.host)) {
    throw new UsageError('--no-token is for loopback only; leave it out, or leave out --host');
  }
  for (const origin of values.cors ?? []) {
    if (URL.parse(origin)?.origin === origin) continue;
    throw new UsageError(`--cors must be an origin, such as http://localhost:5173 (no path), got "${origin}"`);
  }
  const options: Omit<ViewerOptions, 'port'> = {
    host: values.host,
    allowedHosts: values['allow-host'],
    askForToken: values['no-token'] !== true,
    corsOrigins: values.cors,
    ...(megabytes !== undefined && { maxBytes: megabytes * MIB }),
    ...(hours !== undefined && { maxAgeMs: hours * HOUR_MS }),
    databaseFile: values.db,
  };
  const { viewer, taken } = await start(options, port);
  process.stdout.write(intro(viewer, options, taken));
  await ended();
  await viewer.close();
}

async function start(options: Omit<ViewerOptions, 'port'>, port: number | undefined) {
  try {
    if (port === undefined) return await startOnFreePort(options);
    return { viewer: await startViewer({ ...options, port }), taken: undefined };
  } catch (error) {
    if (error instanceof ArchiveError) throw new UsageError(`--db ${error.message}`, { cause: error });
    if (!isAddressInUse(error) || port === undefined) throw error;
    const holder = (await portHolder(port)) ?? 'another program';
    throw new UsageError(`--port ${port} is taken by ${holder}; choose another, or leave it out`, { cause: error });
  }
}

function intro(viewer: Viewer, { host, databaseFile }: Omit<ViewerOptions, 'port'>, taken: string | undefined): string {
  const { url, endpoint, exporterHeaders, restored, unreadable } = viewer;
  const lost =
    unreadable === 0 ? '' : `; ${unreadable} could not be read and ${unreadable === 1 ? 'was' : 'were'} dropped`;
  const lines = [
    'Shows what OpenTelemetry sends here. For developing, not for production.',
    '',
    `  Page       ${url}`,
    `  Receives   ${endpoint}   (OTLP over HTTP: traces, metrics, logs)`,
  ];
  if (taken !== undefined || host !== undefined) {
    lines.push(`  Send with  OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`);
  }
  if (exporterHeaders !== undefined) lines.push(`             OTEL_EXPORTER_OTLP_HEADERS="${exporterHeaders}"`);
  if (databaseFile !== undefined) lines.push(`  Kept in    ${databaseFile}   (${restored} earlier requests${lost})`);
  lines.push('  Stop       Ctrl-C', '');
  if (taken !== undefined) lines.push(`Port 4318 is taken by ${taken}: exporters without a setting send there.`, '');
  return `${lines.join('\n')}\n`;
}

function ended(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
