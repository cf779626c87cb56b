// `toolspan stack`: the observability stack by Docker Compose, from the files that this package ships.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs, parseEnv } from 'node:util';
import { UsageError } from './usage-error.ts';

const USAGE = `Usage: toolspan stack up [--logs] [--no-demo] [<service>...]
       toolspan stack status | urls
       toolspan stack down [--volumes]

Collector, Jaeger, Prometheus and Grafana with dashboards and alerts, in containers on 127.0.0.1. Needs Docker with Compose.
Without Docker there is "toolspan view".

  up      start it, or some services of it, and wait until every part is healthy
  status  what runs, and how it is
  urls    where to look
  down    stop it; what was recorded is kept

Options:
  --logs     keep logs too, in Loki
  --no-demo  leave out the demo server and its agents
  --volumes  delete what was recorded
  --help     show this text

Ports, versions and retention are environment variables: see the file .env beside docker-compose.yml, in
`;

const BACK_ENDS = ['otel-collector', 'jaeger', 'prometheus', 'grafana'];

// what was started with a profile is seen and stopped without one
const ALL_PROFILES = { COMPOSE_PROFILES: 'logs' };

// the files are beside src/ in a checkout, and beside dist/ in the package
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Flags {
  readonly logs?: boolean;
  readonly 'no-demo'?: boolean;
  readonly volumes?: boolean;
}

interface Action {
  readonly flags: readonly (keyof Flags)[];
  readonly run: (flags: Flags, services: readonly string[]) => Promise<void> | void;
}

const actions: Readonly<Record<string, Action>> = {
  up: {
    flags: ['logs', 'no-demo'],
    async run({ logs = false, 'no-demo': noDemo = false }, services) {
      const profiles = logs ? { COMPOSE_PROFILES: 'logs' } : {};
      const backEnds = noDemo ? [...BACK_ENDS, ...(logs ? ['loki'] : [])] : [];
      await compose(['up', '--detach', '--wait', ...backEnds, ...services], profiles);
      if (process.exitCode === undefined) printUrls({ logs, demo: !noDemo });
    },
  },
  status: { flags: [], run: () => compose(['ps', '--all'], ALL_PROFILES) },
  urls: { flags: [], run: () => printUrls({ logs: process.env['COMPOSE_PROFILES'] === 'logs', demo: true }) },
  down: {
    flags: ['volumes'],
    run: ({ volumes = false }) => compose(['down', ...(volumes ? ['--volumes'] : [])], ALL_PROFILES),
  },
};

/** Runs one action on the stack; the exit code is Compose's. */
export async function stack(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      logs: { type: 'boolean' },
      'no-demo': { type: 'boolean' },
      volumes: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const { help, ...flags } = values;
  if (help === true) {
    process.stdout.write(`${USAGE}${ROOT}\n`);
    return;
  }
  const [name, ...rest] = positionals;
  const action = name !== undefined && Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined || (rest.length > 0 && name !== 'up')) {
    throw new UsageError(`stack needs one of: ${Object.keys(actions).join(', ')}; got "${positionals.join(' ')}"`);
  }
  const foreign = (Object.keys(flags) as (keyof Flags)[]).find((flag) => !action.flags.includes(flag));
  if (foreign !== undefined) throw new UsageError(`stack ${name} has no option --${foreign}`);
  await action.run(flags, rest);
}

async function compose(args: readonly string[], env: Record<string, string>): Promise<void> {
  const all = ['compose', '--project-directory', ROOT, '--file', `${ROOT}docker-compose.yml`, ...args];
  const child = spawn('docker', all, { stdio: 'inherit', env: { ...process.env, ...env } });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code === 0) return;
    process.exitCode = code ?? 1;
    process.stderr.write(
      `toolspan: "docker compose ${args.join(' ')}" failed. It needs a running Docker with Compose 2.20 or later; ` +
        'without Docker there is "toolspan view".\n',
    );
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(
      `toolspan: the stack needs Docker, and "docker" cannot be run (${String((error as NodeJS.ErrnoException).code)}). ` +
        'Install it from https://docs.docker.com/get-docker, or use "toolspan view", which needs nothing.\n',
    );
  }
}

function printUrls({ logs, demo }: { readonly logs: boolean; readonly demo: boolean }): void {
  const settings = { ...parseEnv(readFileSync(`${ROOT}.env`, 'utf8')), ...process.env };
  const at = (port: string) => `http://localhost:${settings[port]}`;
  const lines = [
    ['Grafana', at('GRAFANA_PORT'), 'dashboards: start with the one that opens'],
    ['Jaeger', at('JAEGER_PORT'), 'traces; Monitor shows rate, errors and duration'],
    ['Prometheus', `${at('PROMETHEUS_PORT')}/alerts`, 'alerts'],
    ...(logs ? [['Loki', at('LOKI_PORT'), 'logs, by way of Grafana']] : []),
    ['OTLP', at('OTLP_HTTP_PORT'), 'OTEL_EXPORTER_OTLP_ENDPOINT of your own server'],
    ...(demo ? [['Demo server', `${at('DEMO_PORT')}/mcp`, 'MCP over Streamable HTTP']] : []),
  ];
  const table = lines.map(([name = '', url = '', text = '']) => `${name.padEnd(12)} ${url.padEnd(30)} ${text}`);
  process.stdout.write(`${table.join('\n')}\n`);
}
