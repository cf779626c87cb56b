// The demo as a user runs it.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect } from 'vitest';
import { Child, type Ended } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const toolspan = (args: readonly string[], env: Record<string, string> = {}) =>
  new Child(process.execPath, [MAIN, ...args], { env });

interface TraceLine {
  readonly type: 'trace' | 'totals';
  readonly traceId: string;
  readonly traces: number;
  readonly outcomes: Record<string, number>;
  readonly spans: readonly {
    readonly name: string;
    readonly side: string;
    readonly spanId: string;
    readonly parentSpanId?: string;
    readonly outcome?: string;
    readonly error?: string;
  }[];
}

const objects = ({ stdout }: Pick<Ended, 'stdout'>) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TraceLine);

describe('toolspan demo', () => {
  verifies('demo.json', async () => {
    const demo = toolspan(['demo', '--json']);
    const everything = ['ok', 'tool_error', 'protocol_error', 'cancelled', 'input_required'];
    const outcomesSeen = () => new Set(demo.stdout.match(/(?<="toolspan.outcome":")\w+/g));
    await eventually(
      'every outcome has been seen',
      () => everything.every((outcome) => outcomesSeen().has(outcome)) || undefined,
    );
    const ended = await demo.kill('SIGINT');
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    const lines = objects(ended);
    const traces = lines.slice(0, -1);
    const totals = lines.at(-1);
    expect(traces.every(({ type }) => type === 'trace')).toBe(true);
    expect(totals).toMatchObject({ type: 'totals', traces: traces.length });
    // over the wire: a call is one trace from the client to the service behind the server
    const forecast = traces.find(({ spans }) =>
      spans.some(({ name, side, outcome }) => name === 'tools/call forecast' && side === 'server' && outcome === 'ok'),
    );
    const by = (name: string, side: string) => forecast?.spans.find((span) => span.name === name && span.side === side);
    const [client, server] = [by('tools/call forecast', 'client'), by('tools/call forecast', 'server')];
    expect(server?.parentSpanId).toBe(client?.spanId);
    expect(
      forecast?.spans.find(({ name, parentSpanId }) => name === 'GET' && parentSpanId === server?.spanId)?.outcome,
    ).toBe('200');
    const crash = traces
      .flatMap(({ spans }) => spans)
      .find(({ name, side }) => name === 'tools/call divide' && side === 'server');
    expect(crash?.error).toBe('RangeError: Division by zero');
  });

  verifies('demo.runs', async () => {
    const collector = await startCollector();
    const ended = await toolspan(['demo', '--duration', '2'], { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }).ended();
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(ended.stdout).toMatch(/MCP server {3}http:\/\/127\.0\.0\.1:\d+\/mcp/);
    expect(ended.stdout).toContain(`also goes to ${collector.url}`);
    expect(ended.stdout).toMatch(
      /\ntools\/call forecast client +[\d.]+ ms {2}ok\n├─ POST +[\d.]+ ms {2}200\n└─ tools\/call forecast server +[\d.]+ ms {2}ok\n {3}└─ GET +[\d.]+ ms {2}200\n/,
    );
    expect(ended.stdout).toMatch(/\n\d+ traces, \d+ spans: \d+ requests · [^\n]*p95 \d+ ms\n$/);
    // neither colours nor a running line where nobody looks
    expect(ended.stdout).not.toContain('\r');
    expect(ended.stdout).not.toContain('\u001B');
    expect(collector.spans().map(({ name }) => name)).toContain('tools/call forecast');
    await collector.close();
  });

  verifies('demo.ctrl-c', async () => {
    const demo = toolspan(['demo']);
    const url = await eventually('the address', () => /http:\S+\/mcp/.exec(demo.stdout)?.[0]);
    // one's own client may call it too
    const client = new Client({ name: 'mine', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('forecast');
    await client.close();
    // but no page that a browser has open
    const foreign = await fetch(url, { method: 'POST', headers: { origin: 'https://evil.example' } });
    expect(foreign.status).toBe(403);
    const ended = await demo.kill('SIGINT');
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(ended.stdout).toMatch(/traces, \d+ spans: \d+ requests/);
  });
});

describe('toolspan', () => {
  verifies('cli.bad-usage', async () => {
    const taken = await startCollector();
    const port = new URL(taken.url).port;
    const wrong: [string[], RegExp][] = [
      [['demon'], /^toolspan: unknown command "demon"; expected one of: demo, wrap, check\n/],
      [['--nonsense'], /^toolspan: Unknown option '--nonsense'/],
      [['demo', '--nonsense'], /^toolspan: Unknown option '--nonsense'/],
      [['demo', 'now'], /^toolspan: Unexpected argument 'now'/],
      [
        ['demo', '--duration', 'long'],
        /^toolspan: --duration must be a number above 0 and at most 86400, got "long"\n/,
      ],
      [['demo', '--duration', ''], /got ""\n/],
      [['demo', '--port', '1.5'], /^toolspan: --port must be a whole number above 0 and at most 65535, got "1.5"\n/],
      [['demo', '--port', port], new RegExp(`^toolspan: --port ${port} is taken by another program`)],
    ];
    for (const [args, message] of wrong) {
      const ended = await toolspan(args).ended();
      expect(ended, args.join(' ')).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).toMatch(message);
      expect(ended.stderr).toMatch(/Try "toolspan --help"\.\n$/);
    }
    await taken.close();
  });

  verifies(
    'cli.bad-usage',
    async () => {
      for (const args of [[], ['--help'], ['demo', '--help']]) {
        const ended = await toolspan(args).ended();
        expect(ended).toMatchObject({ code: 0, stderr: '' });
        expect(ended.stdout).toMatch(/^Usage: toolspan/);
      }
      expect((await toolspan(['--version']).ended()).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    },
    'and help is help',
  );
});
