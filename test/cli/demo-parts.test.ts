// The parts of the demo as processes of their own, as containers run them.
import { request } from 'node:http';
import { describe, expect } from 'vitest';
import { Child } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { freePorts } from '../harness/free-ports.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const toolspan = (args: readonly string[], env: Record<string, string> = {}) =>
  new Child(process.execPath, [MAIN, ...args], { env });

describe('the parts of the demo', () => {
  verifies('demo.parts', async () => {
    const collector = await startCollector();
    const [port = 0, healthPort = 0] = await freePorts(2);
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '100' };
    const server = toolspan(['demo', 'serve', '--port', `${port}`, '--allow-host', 'demo'], env);
    const url = await eventually('the address', () => /http:\S+\/mcp/.exec(server.stdout)?.[0]);
    const service = /Service: +(http:\S+)/.exec(server.stdout)?.[1] ?? '';
    const calling = ['demo', 'call', url, '--service', service];
    const agents = toolspan([...calling, '--agents', '2', '--health-port', `${healthPort}`], env);
    await eventually('a call of an agent in one trace with the server', () => {
      const spans = collector.spans();
      const called = spans.find(({ kind, name }) => kind === 1 && name.startsWith('tools/call'));
      return spans.find(({ kind, spanId }) => kind === 2 && spanId === called?.parentSpanId);
    });
    await eventually(
      'a call to the service behind the server',
      () => {
        const spans = collector.spans();
        const calls = spans.filter(({ name }) => name === 'tools/call resilient_external_call');
        return spans.find(
          ({ name, parentSpanId }) => name === 'GET' && calls.some(({ spanId }) => spanId === parentSpanId),
        );
      },
      30_000,
      100,
    );
    const status = async (to: string) => (await fetch(to)).status;
    expect(await status(`http://127.0.0.1:${port}/healthz`)).toBe(200);
    expect(await status(`http://127.0.0.1:${healthPort}/`)).toBe(200);
    expect(await statusFor(port, 'demo:3001')).not.toBe(403);
    expect(await statusFor(port, 'evil.example')).toBe(403);
    for (const part of [agents, server]) {
      const ended = await part.kill('SIGTERM');
      expect(ended).toMatchObject({ code: 0, signal: null });
      // it may log; it has nothing to complain of
      expect(ended.stderr).not.toMatch(/^toolspan: /m);
    }
    await collector.close();
  });

  verifies(
    'demo.parts',
    async () => {
      const [port = 0] = await freePorts(1);
      const ended = await toolspan(
        ['demo', 'call', `http://127.0.0.1:${port}/mcp`, '--service', 'http://127.0.0.1:9'],
        {
          OTEL_SDK_DISABLED: 'true',
        },
      ).ended();
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      expect(ended.stderr).toMatch(/^toolspan: the MCP server at http:\S+ cannot be called: /);
    },
    'and agents say that nobody answers',
  );

  verifies(
    'cli.bad-usage',
    async () => {
      const wrong: [string[], RegExp][] = [
        [['call'], /^toolspan: demo call needs the address of one MCP server, such as http/],
        [['call', 'here'], /^toolspan: demo call needs the address/],
        [['call', 'http://127.0.0.1:1/mcp'], /^toolspan: demo call needs --service, the address of the service/],
        [['serve', '--port', 'x'], /^toolspan: --port must be a whole number above 0 and at most 65535, got "x"\n/],
      ];
      const taken = await startCollector();
      const { port } = new URL(taken.url);
      // what was measured until then may find no collector
      wrong.push([['serve', '--service-port', port], /^toolspan: a port is taken by another program \(.*EADDRINUSE/m]);
      for (const [args, message] of wrong) {
        const ended = await toolspan(['demo', ...args]).ended();
        expect(ended, args.join(' ')).toMatchObject({ code: 2, stdout: '' });
        expect(ended.stderr).toMatch(message);
      }
      await taken.close();
      for (const part of ['serve', 'call']) {
        const help = await toolspan(['demo', part, '--help']).ended();
        expect(help).toMatchObject({ code: 0, stderr: '' });
        expect(help.stdout).toMatch(/^Usage: toolspan demo /);
      }
    },
    'of the parts of the demo',
  );
});

/** How the server answers a request that names another host. */
function statusFor(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/mcp', method: 'POST', headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end('{}');
  });
}
