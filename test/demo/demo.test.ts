// The demo as a user runs it.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect } from 'vitest';
import { Child, type Ended } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { parsed, type Line } from '../harness/lines.ts';
import type { ToolResult } from '../harness/matrix.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const toolspan = (args: readonly string[], env: Record<string, string> = { TOOLSPAN_LOG_LEVEL: 'off' }) =>
  new Child(process.execPath, [MAIN, ...args], { env });

interface TraceLine {
  readonly type: 'trace' | 'investigation' | 'totals';
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

/** The lines of the log; what toolspan itself complains about is a plain line among them. */
const logOf = ({ stderr }: Pick<Ended, 'stderr'>) =>
  parsed(
    stderr
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('toolspan: ')),
  );

/** A client of one's own at a running demo, and what the demo has logged by its end. */
async function ownClient() {
  const demo = toolspan(['demo'], {});
  const url = await eventually('the address', () => /http:\S+\/mcp/.exec(demo.stdout)?.[0]);
  const client = new Client({ name: 'mine', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return {
    callTool: (name: string, args: Record<string, unknown>) =>
      client.callTool({ name, arguments: args }) as Promise<unknown> as Promise<ToolResult>,
    async logged(): Promise<Line[]> {
      await client.close();
      return logOf(await demo.kill('SIGINT'));
    },
  };
}

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
    const traces = lines.slice(0, -1).filter(({ type }) => type !== 'investigation');
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

  verifies('demo.investigation', async () => {
    const demo = toolspan(['demo']);
    await eventually('an investigation', () => demo.stdout.includes('agent asks get_trace') || undefined);
    await eventually(
      'its end',
      () => /agent asks get_trace[^\n]*\n(?: {4}│[^\n]*\n)+\n/.test(demo.stdout) || undefined,
    );
    const { stdout } = await demo.kill('SIGINT');
    const story = stdout.slice(stdout.indexOf('A call has failed'));
    const asked = [...story.matchAll(/agent asks (\w+) \{/g)].map(([, tool]) => tool).slice(0, 4);
    expect(asked).toEqual(['metric_tracked_operation', 'get_server_health', 'get_recent_errors', 'get_trace']);
    // the trace that it looks at is the one of its own call
    const traceId = /get_trace \{"trace_id":"([0-9a-f]{32})"\}/.exec(story)?.[1];
    expect(story).toMatch(new RegExp(`metric_tracked_operation INTERNAL_ERROR: Error \\(trace ${traceId}\\)`));
    expect(story).toMatch(/tools\/call metric_tracked_operation server [\d.]+ ms {2}Error/);
  });

  verifies('demo.monitoring', async () => {
    const demo = toolspan(['demo']);
    const url = await eventually('the address', () => /http:\S+\/mcp/.exec(demo.stdout)?.[0]);
    const client = new Client({ name: 'mine', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    await client.listTools();
    const call = (name: string, args: Record<string, unknown>) => client.callTool({ name, arguments: args });
    const text = ({ content }: Awaited<ReturnType<typeof call>>) =>
      content.map((part) => (part.type === 'text' ? part.text : ''));
    expect(text(await call('monitored_operation', { input_data: 'abc' }))).toEqual(['Processed: abc']);
    expect(text(await call('metric_tracked_operation', { input_data: 'abcde' }))).toEqual(['Processed: abcde']);
    expect((await call('metric_tracked_operation', { input_data: 'fail' })).isError).toBe(true);
    const names = ['operations_total', 'operation_errors_total', 'operation_duration_ms', 'operation_input_size'];
    const { structuredContent } = await call('get_server_metrics', { names });
    const { counters, histograms } = structuredContent as {
      counters: Record<string, number>;
      histograms: Record<string, { count: number; max: number }>;
    };
    // the demo's own agent calls it too
    expect(counters['operations_total']).toBeGreaterThanOrEqual(2);
    expect(counters['operation_errors_total']).toBeGreaterThanOrEqual(1);
    expect(histograms['operation_duration_ms']?.count).toBe(counters['operations_total']);
    expect(histograms['operation_input_size']).toMatchObject({ count: counters['operations_total'] });
    await client.close();
    await demo.kill('SIGINT');
  });

  verifies('demo.runs', async () => {
    const collector = await startCollector();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, TOOLSPAN_LOG_LEVEL: 'off' };
    const demo = toolspan(['demo'], env);
    const forecast =
      /\ntools\/call forecast client +[\d.]+ ms {2}ok\n├─ POST +[\d.]+ ms {2}200\n└─ tools\/call forecast server +[\d.]+ ms {2}ok\n {3}└─ GET +[\d.]+ ms {2}200\n/;
    await eventually('a forecast', () => forecast.test(demo.stdout) || undefined);
    const ended = await demo.kill('SIGINT');
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(ended.stdout).toMatch(/MCP server {3}http:\/\/127\.0\.0\.1:\d+\/mcp/);
    expect(ended.stdout).toContain(`also goes to ${collector.url}`);
    expect(ended.stdout).not.toContain('Page');
    expect(ended.stdout).toMatch(/\n\d+ traces, \d+ spans: \d+ requests · [^\n]*p95 \d+ ms\n$/);
    // neither colours nor a running line where nobody looks
    expect(ended.stdout).not.toContain('\r');
    expect(ended.stdout).not.toContain('\u001B');
    expect(collector.spans().map(({ name }) => name)).toContain('tools/call forecast');
    await collector.close();
    const short = await toolspan(['demo', '--duration', '0.5']).ended();
    expect(short).toMatchObject({ code: 0, signal: null });
    expect(short.stdout).toMatch(/\n\d+ traces, \d+ spans: [^\n]*\n$/);
  });

  verifies('demo.logs', async () => {
    const demo = toolspan(['demo', '--json'], {});
    const wanted = ['tool_start', 'tool_success', 'tool_error', '"log"'];
    await eventually('every kind of line', () => wanted.every((kind) => demo.stderr.includes(kind)) || undefined);
    const ended = await demo.kill('SIGINT');
    const logged = logOf(ended);
    expect(new Set(logged.map(({ service }) => service))).toEqual(new Set(['toolspan-demo']));
    const traces = new Set(objects(ended).map(({ traceId }) => traceId));
    const success = logged.find(({ event_type }) => event_type === 'tool_success');
    expect(traces).toContain(success?.trace_id);
  });

  verifies('demo.robust-operation', async () => {
    const { callTool, logged } = await ownClient();
    expect(await callTool('robust_operation', { input_data: 'hello' })).toMatchObject({
      content: [{ text: 'Processed: HELLO' }],
    });
    for (const [value, message] of [
      ['', 'input_data must not be empty'],
      ['quite invalid', 'input_data must not contain "invalid"'],
    ] as const) {
      const { content, isError, _meta } = await callTool('robust_operation', { input_data: value });
      expect(isError).toBe(true);
      expect(content[0]?.text).toMatch(
        `VALIDATION_ERROR: ${message}. Correct the arguments and call again. Trace id: `,
      );
      expect(_meta?.['toolspan/error']).toEqual({
        code: 'VALIDATION_ERROR',
        message,
        details: { field: 'input_data', received_value: value },
        retryable: false,
        trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      });
    }
    // what fails inside stays inside
    const { content } = await callTool('divide', { a: 1, b: 0 });
    expect(content.map(({ text }) => text).join()).not.toContain('Division');
    expect((await logged()).map(({ message }) => message)).toContain('Tool divide failed: INTERNAL_ERROR');
  });

  verifies('demo.instrumented-tool', async () => {
    const { callTool, logged } = await ownClient();
    expect(await callTool('instrumented_tool', { input_data: 'hello' })).toMatchObject({
      content: [{ text: 'HELLO' }],
    });
    expect(await callTool('instrumented_tool', {})).toMatchObject({ isError: true });
    const lines = (await logged()).filter(({ tool_name }) => tool_name === 'instrumented_tool');
    const of = (type: string) => lines.find(({ event_type }) => event_type === type)?.extra_data;
    expect(of('tool_start')).toMatchObject({ input_length: 5 });
    expect(of('tool_success')).toMatchObject({
      input_length: 5,
      result_length: 5,
      duration_ms: expect.any(Number) as number,
    });
    expect(of('tool_error')).toMatchObject({ error_code: 'VALIDATION_ERROR', error_type: 'tool_error' });
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
      [['demon'], /^toolspan: unknown command "demon"; expected one of: demo, wrap, check, stack, view\n/],
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
      expect(ended.stderr).toMatch(/Try "toolspan( demo)? --help"\.\n$/);
    }
    const off = await toolspan(['demo'], { OTEL_SDK_DISABLED: 'true' }).ended();
    expect(off).toMatchObject({ code: 2, stdout: '' });
    expect(off.stderr).toContain('switches telemetry off');
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
