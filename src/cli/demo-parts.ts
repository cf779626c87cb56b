// `toolspan demo serve` and `toolspan demo call`: the server and the agents of the demo as two processes, for containers.
import { parseArgs } from 'node:util';
import { callDemo } from '../demo/call.ts';
import { serveDemo } from '../demo/serve.ts';
import { isAddressInUse } from '../loopback/listen.ts';
import { numberOption } from './number-option.ts';
import { UsageError } from './usage-error.ts';

const PORT = { above: 0, atMost: 65_535, whole: true };

const USAGE = `Usage: toolspan demo serve [--host <address>] [--port <number>] [--allow-host <name>] [--service-port <number>]
       toolspan demo call <url> --service <url> [--agents <number>] [--health-port <number>]

The server of the demo, and the agents that call one, as two processes: for containers and load.
Telemetry goes where the OTEL_* variables say.

Options:
  --host <address>        address to listen on (default: 127.0.0.1)
  --port <number>         port of the MCP server (default: any that is free)
  --allow-host <name>     a name that requests may use for this machine with --host; may be given several times
  --service-port <number> port on loopback of the unreliable service behind it (default: any that is free)
  --service <url>         that service, as the server reaches it
  --agents <number>       how many agents call at the same time (default: 3)
  --health-port <number>  a port on loopback that answers 200 as long as calls are answered
  --help                  show this text
`;

/** Runs the server until SIGINT or SIGTERM. */
async function serve(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      host: { type: 'string' },
      port: { type: 'string' },
      'allow-host': { type: 'string', multiple: true },
      'service-port': { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  try {
    await serveDemo({
      port: numberOption('--port', values.port, PORT) ?? 0,
      host: values.host,
      alsoHosts: values['allow-host'],
      servicePort: numberOption('--service-port', values['service-port'], PORT),
      signal: endOfProcess(),
      onListening: ({ url, serviceUrl }) =>
        void process.stdout.write(`MCP server: ${url}\nService:    ${serviceUrl}\n`),
    });
  } catch (error) {
    if (!isAddressInUse(error)) throw error;
    throw new UsageError(`a port is taken by another program (${String(error)}); choose another`, { cause: error });
  }
}

/** Runs the agents until SIGINT or SIGTERM. */
async function call(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      service: { type: 'string' },
      agents: { type: 'string' },
      'health-port': { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const [url] = positionals;
  if (url === undefined || positionals.length > 1 || !URL.canParse(url)) {
    throw new UsageError(`demo call needs the address of one MCP server, such as http://127.0.0.1:3001/mcp`);
  }
  const { service = '' } = values;
  if (!URL.canParse(service)) {
    throw new UsageError('demo call needs --service, the address of the service that "demo serve" has said');
  }
  const signal = endOfProcess();
  try {
    await callDemo({
      url,
      serviceUrl: service,
      agents: numberOption('--agents', values.agents, { above: 0, atMost: 1_000, whole: true }) ?? 3,
      healthPort: numberOption('--health-port', values['health-port'], PORT),
      signal,
    });
  } catch (error) {
    if (signal.aborted || error instanceof UsageError) throw error;
    process.stderr.write(`toolspan: the MCP server at ${url} cannot be called: ${String(error)}\n`);
    process.exitCode = 1;
  }
}

/** The parts of the demo, by name. */
export const demoParts: Readonly<Record<string, (args: string[]) => Promise<void>>> = { serve, call };

function endOfProcess(): AbortSignal {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ending.abort());
  return ending.signal;
}
