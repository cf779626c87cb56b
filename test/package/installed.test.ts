// The package as others get it: packed, installed into new projects, imported, compiled, run.
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Child } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { listening } from '../harness/http-server.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { packed, Project } from './project.ts';

const plain = new Project();
const old = new Project();

beforeAll(() => {
  const tarball = packed(plain.folder);
  plain.install(tarball);
  old.install(
    tarball,
    '@opentelemetry/api@1.9.0',
    '@opentelemetry/sdk-trace-node@2.12.0',
    '@opentelemetry/sdk-metrics@2.12.1',
    '@modelcontextprotocol/sdk@1.20.0',
  );
}, 240_000);

afterAll(() => {
  plain.delete();
  old.delete();
});

describe('the installed package', () => {
  verifies(
    'package.installed',
    () => {
      const printed = plain.run('npx', ['--no-install', 'toolspan', 'demo', '--duration', '3', '--json']);
      const lines = printed
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string; requests?: number });
      expect(lines.at(-1)).toMatchObject({ type: 'totals' });
      expect(lines.length).toBeGreaterThan(5);
    },
    'npx toolspan demo in an empty folder',
  );

  verifies(
    'package.installed',
    async () => {
      const viewer = new Child(join(plain.folder, 'node_modules/.bin/toolspan'), ['view', '--no-token'], {
        env: { PATH: dirname(process.execPath) },
      });
      const url = await eventually('the address of the page', () => /http:\S+/.exec(viewer.stdout)?.[0]);
      const page = await fetch(url);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(await page.text()).toContain('<script');
      expect(await viewer.kill('SIGINT')).toMatchObject({ code: 0 });
    },
    'toolspan view',
  );

  verifies('package.readme', async () => {
    for (const example of ['weather-server', 'resilient-server', 'agent-client', 'own-sdk'])
      plain.copy(`examples/${example}.ts`);
    const weather = createServer((_request, response) => response.end('Paris: sunny'));
    const url = await listening(weather);
    // the only thing that is not as in the example: the weather comes from here
    plain.write('redirect.mjs', `const { fetch } = globalThis; globalThis.fetch = () => fetch('${url}');`);
    const collector = await startCollector();
    const run = (example: string) =>
      new Child(process.execPath, [example], {
        cwd: plain.folder,
        env: {
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
          NODE_OPTIONS: `--import ${join(plain.folder, 'redirect.mjs')}`,
        },
      });
    const agent = run('agent-client.ts');
    const ended = await agent.ended();
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(ended.stdout).toContain('Paris: sunny');
    const spans = await eventually('client, server and fetch in one trace', () => {
      const all = collector.spans();
      const call = all.find(({ name, kind }) => name === 'tools/call forecast' && kind === 2);
      const trace = all.filter(({ traceId }) => traceId === call?.traceId);
      return trace.length >= 3 ? trace : undefined;
    });
    expect(spans.map(({ name }) => name).toSorted()).toEqual(['GET', 'tools/call forecast', 'tools/call forecast']);
    expect(plain.run(process.execPath, ['own-sdk.ts'])).toMatch(/text: '20\d\d-/);
    const resilient = run('resilient-server.ts');
    resilient.write(
      {
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'a', version: '1' } },
      },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'forecast', arguments: { city: 'Paris' } } },
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'get_server_health', arguments: {} } },
    );
    await resilient.lines(3);
    const { stdout: answers } = await resilient.end();
    expect(answers).toContain('Paris: sunny');
    expect(answers).toContain('"breakers":[{"name":"weather","state":"closed"');
    weather.close();
    await collector.close();
  });

  verifies('package.types', () => {
    plain.write(
      'any-server.ts',
      `import { instrumentClient, instrumentHandler, instrumentServer } from 'toolspan';
       import { startTelemetry, type Telemetry } from 'toolspan/node';
       class Mine { connect(): void {} setRequestHandler(): void {} }
       export const mine: Mine = instrumentServer(new Mine(), { maxOperationMs: 1_000 });
       export const handler = instrumentHandler({ fetch: () => Promise.resolve(new Response()), mine: 1 });
       export const kept: number = handler.mine;
       export const client: Mine = instrumentClient(new Mine());
       export const telemetry: Promise<Telemetry> = startTelemetry({ serviceName: 'x' });
       // @ts-expect-error an unknown option
       instrumentServer(new Mine(), { maxOperationMS: 1 });
      `,
    );
    plain.compile('any-server.ts', 'weather-server.ts', 'resilient-server.ts', 'agent-client.ts', 'own-sdk.ts');
    plain.remove('node_modules/@modelcontextprotocol');
    plain.compile('any-server.ts');
  });

  verifies('package.peers-api', () => {
    old.copy('test/package/projects/old-api.mjs');
    const answer = JSON.parse(old.run(process.execPath, ['old-api.mjs'])) as Record<string, unknown>;
    const attributes = {
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'mcp.protocol.version': '2025-11-25',
    };
    expect(answer).toMatchObject({
      trace: '0af7651916cd43dd8448eb211c80319c',
      inside: true,
      spans: [
        {
          name: 'tools/call look',
          kind: 1,
          attributes: { ...attributes, 'toolspan.outcome': 'ok' },
          events: [],
          status: 0,
        },
        {
          name: 'tools/call boom',
          kind: 1,
          attributes: { ...attributes, 'toolspan.outcome': 'tool_error', 'error.type': 'tool_error' },
          events: [['exception', 'TypeError']],
          status: 2,
        },
      ],
      metrics: expect.arrayContaining(['mcp.server.operation.duration', 'toolspan.server.active_requests']) as string[],
    });
    expect(answer['refusal']).toMatch(/^startTelemetry needs @opentelemetry\/api 1\.10/);
  });

  verifies(
    'exception.any-registration',
    () => {
      old.copy('test/package/projects/old-sdk.mjs');
      expect(JSON.parse(old.run(process.execPath, ['old-sdk.mjs']))).toEqual([
        ['tools/call before', ['TypeError']],
        ['tools/call after', ['TypeError']],
      ]);
    },
    'on the oldest SDK v1 that is supported',
  );
});
