// `toolspan wrap`.
import { parseArgs } from 'node:util';
import { isLoopback } from '../loopback/guard.ts';
import { ConfigError, endAs, runHttp, runStdio, StartError } from '../proxy/wrap.ts';
import { SETTING_FLAGS, takeSettings } from './settings-flags.ts';
import { UsageError } from './usage-error.ts';

const USAGE = `Usage: toolspan wrap [options] -- <command> [args]
       toolspan wrap [options] --url <url> --listen [host:]<port>

Observes an MCP server in any language from outside: every message passes unchanged, and every call becomes a span.

Options:
  --url <url>                the server, on Streamable HTTP
  --listen [host:]<port>     where clients reach it instead (host: 127.0.0.1)
  --allow-host <name>        a further host name that clients may use; needed to listen on more than loopback
${SETTING_FLAGS}
  --help                     show this text
`;

/** Wraps a server until it, or its client, is done. */
export async function wrap(args: string[]): Promise<void> {
  const environment = { ...process.env };
  const { variables, rest } = takeSettings(args);
  Object.assign(process.env, variables);
  const separator = rest.indexOf('--');
  const command = separator < 0 ? [] : rest.slice(separator + 1);
  const { values } = parseArgs({
    args: separator < 0 ? rest : rest.slice(0, separator),
    options: {
      url: { type: 'string' },
      listen: { type: 'string' },
      'allow-host': { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
  } else if (values.url !== undefined) {
    if (command.length > 0) throw new UsageError('wrap takes a command or --url, not both');
    await wrapUrl(values.url, values.listen, values['allow-host'] ?? []);
  } else {
    const [program, ...programArgs] = command;
    if (program === undefined) throw new UsageError('wrap needs a command behind --, or --url');
    await wrapCommand(program, programArgs, environment);
  }
}

async function wrapCommand(program: string, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  try {
    endAs(await runStdio(program, args, environment));
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message, { cause: error });
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`toolspan: ${error.message}.\n`);
    process.exit(error.exitCode);
  }
}

async function wrapUrl(address: string, listen: string | undefined, hosts: readonly string[]): Promise<void> {
  const url = httpUrl(address);
  const { host, port } = placeOf(listen);
  if (!isLoopback(host) && hosts.length === 0) {
    throw new UsageError(
      `--listen ${host}:${port} can be reached from other machines; name the host that they use with --allow-host`,
    );
  }
  const proxy = await runHttp({ url, host, port, hosts }).catch((error: NodeJS.ErrnoException) => {
    if (error instanceof ConfigError) throw new UsageError(error.message, { cause: error });
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES' && error.code !== 'EADDRNOTAVAIL') throw error;
    throw new UsageError(`--listen ${host}:${port} cannot be opened: ${error.code}`, { cause: error });
  });
  const shown = host.includes(':') ? `[${host}]` : host;
  const place = `http://${shown}:${proxy.port}${url.pathname}`;
  // a query may hold a key
  const query = url.search === '' ? '' : ' (the query of --url is for clients to send)';
  process.stderr.write(`toolspan: ${place} stands for ${url.origin}${url.pathname}${query}\n`);
  const end = (signal: NodeJS.Signals): void => {
    void proxy.close().finally(() => endAs({ code: null, signal }));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
}

function httpUrl(address: string): URL {
  if (URL.canParse(address)) {
    const url = new URL(address);
    if (url.username !== '' || url.password !== '') {
      throw new UsageError(
        '--url must not hold a user name or password, which are not sent on: let the client send an Authorization header',
      );
    }
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  }
  throw new UsageError(`--url must be an address that begins with http:// or https://, got "${address}"`);
}

function placeOf(listen: string | undefined): { host: string; port: number } {
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(listen ?? '');
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new UsageError(
      `--listen must be a port or host:port, got ${listen === undefined ? 'nothing' : `"${listen}"`}`,
    );
  }
  return { host: (match[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}
