// `node --import toolspan/register`: programs that know nothing of it, seen from outside.
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { describe, expect } from 'vitest';
import { Child } from '../harness/child.ts';
import { startCollector, withCollector, type Collector } from '../harness/collector.ts';
import { eventually } from '../harness/poll.ts';
import { INITIALIZE } from '../harness/scripted.ts';
import { attributesOf, type OtlpTraces } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';
import { SILENT } from '../harness/wrapped.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const REGISTER = `${ROOT}src/register/index.ts`;
const fixture = (name: string) => `${ROOT}test/fixtures/${name}`;
const PLAIN = fixture('plain-server.ts');

const call = (id: number, name: string, args: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});
const ECHO = call(1, 'echo', { text: 'hi' });

/** A program with register, and what it sends where. */
function registered(args: readonly string[], env: Record<string, string>, before: readonly string[] = []): Child {
  return new Child(process.execPath, [...before, '--import', REGISTER, ...args], { env });
}

const exporting = (use: (collector: Collector, env: Record<string, string>) => Promise<void>): Promise<void> =>
  withCollector((collector) => use(collector, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }));

const names = (collector: Collector) => collector.spans().map(({ name }) => name);

describe('a server that knows nothing of it', () => {
  for (const generation of ['v1', 'v2']) {
    verifies(
      'register.zero-code',
      () =>
        exporting(async (collector, env) => {
          const server = registered([PLAIN, generation], env);
          server.write(INITIALIZE, ECHO, call(2, 'boom'));
          await server.lines(3);
          const { code, stderr } = await server.end();
          const [said, failed, ...rest] = stderr.trimEnd().split('\n');
          expect([code, said, rest]).toEqual([0, 'toolspan: observing the MCP server "reference"', []]);
          expect(JSON.parse(failed ?? '')).toMatchObject({ event_type: 'tool_error', tool_name: 'boom' });
          expect(names(collector)).toEqual(
            expect.arrayContaining(['initialize', 'tools/call echo', 'tools/call boom']) as string[],
          );
          const boom = collector.spans().find(({ name }) => name === 'tools/call boom');
          expect(boom?.events[0]?.attributes['exception.type']).toBe('TypeError');
          const resource = collector.bodies<OtlpTraces>('traces')[0]?.resourceSpans?.[0]?.resource;
          expect(attributesOf(resource?.attributes)).toMatchObject({
            'service.name': 'reference',
            'service.version': '1.2.3',
          });
        }),
      generation,
    );
  }

  for (const which of ['v1', 'v1-low', 'v2']) {
    verifies(
      'register.modules',
      () =>
        exporting(async (collector, env) => {
          const server = registered([fixture('plain-server.cjs'), which], env);
          server.write(INITIALIZE, ECHO);
          await server.lines(2);
          await server.end();
          expect(names(collector)).toEqual(expect.arrayContaining(['initialize', 'tools/call echo']) as string[]);
        }),
      `CommonJS, ${which}`,
    );
  }

  verifies(
    'register.modules',
    () =>
      exporting(async (collector, env) => {
        // a copy of the SDK of its own, as packages nest them, beside the one of the main program
        const folder = mkdtempSync(join(tmpdir(), 'toolspan-copies-'));
        const modules = join(folder, 'node_modules');
        mkdirSync(join(modules, '@modelcontextprotocol'), { recursive: true });
        cpSync(`${ROOT}node_modules/@modelcontextprotocol/server`, join(modules, '@modelcontextprotocol/server'), {
          recursive: true,
        });
        symlinkSync(`${ROOT}node_modules/@modelcontextprotocol/core`, join(modules, '@modelcontextprotocol/core'));
        symlinkSync(`${ROOT}node_modules/zod`, join(modules, 'zod'));
        writeFileSync(
          join(folder, 'server.mjs'),
          `import { McpServer, InMemoryTransport } from '@modelcontextprotocol/server';
           await import(${JSON.stringify(PLAIN)});
           const [ours, theirs] = InMemoryTransport.createLinkedPair();
           await new McpServer({ name: 'inner', version: '1' }).connect(theirs);
           ours.onmessage = () => {};
           await ours.start();
           await ours.send({ jsonrpc: '2.0', id: 1, method: 'ping' });`,
        );
        const server = registered([join(folder, 'server.mjs'), 'v1'], env);
        server.write(INITIALIZE, ECHO);
        await server.lines(2);
        await server.end();
        expect(names(collector)).toEqual(expect.arrayContaining(['ping', 'initialize', 'tools/call echo']) as string[]);
        expect(server.stderr).toContain('observing the MCP server "inner"');
      }),
    'two copies in one process',
  );

  verifies('register.stdout', () =>
    exporting(async (_collector, env) => {
      const conversation = [
        INITIALIZE,
        ECHO,
        call(2, 'boom'),
        call(3, 'nope'),
        { jsonrpc: '2.0', id: 4, method: 'tools/list' },
      ];
      const printed = async (child: Child): Promise<string> => {
        for (const [index, message] of conversation.entries()) {
          child.write(message);
          await child.lines(index + 1);
        }
        return (await child.end()).stdout;
      };
      const noisy = { ...env, OTEL_LOG_LEVEL: 'debug', OTEL_TRACES_EXPORTER: 'console' };
      expect(await printed(registered([PLAIN, 'v2'], noisy))).toBe(
        await printed(new Child(process.execPath, [PLAIN, 'v2'])),
      );
    }),
  );

  verifies('register.disabled', () =>
    exporting(async (collector, env) => {
      const server = registered([PLAIN, 'v1'], { ...env, TOOLSPAN_DISABLED: 'true' });
      server.write(INITIALIZE);
      await server.lines(1);
      const { code, stderr } = await server.end();
      expect([code, stderr, collector.received.length]).toEqual([0, '', 0]);
    }),
  );
});

describe('what happens before the SDK is up', () => {
  verifies('register.first-answer', () =>
    exporting(async (_collector, env) => {
      const server = registered([PLAIN, 'v1'], env, ['--import', fixture('notes-sdk.ts')]);
      server.write(INITIALIZE);
      await eventually('the SDK is loaded', () => server.stderr.includes('sdk loaded') || undefined);
      expect(server.stderr).toContain('sdk loaded, answered: true');
      await server.end();
    }),
  );

  verifies('register.late', () =>
    exporting(async (collector, env) => {
      const server = registered([PLAIN, 'v1'], env);
      // all at once: the server asks its client before any SDK is there
      server.write(INITIALIZE, { jsonrpc: '2.0', method: 'notifications/initialized' }, call(1, 'ask'));
      await server.lines(2);
      const asked = server.stdout.split('\n').find((line) => line.includes('elicitation/create')) ?? '{}';
      const { id, params } = JSON.parse(asked) as { id: number; params: { _meta: { traceparent: string } } };
      server.write({ jsonrpc: '2.0', id, result: { action: 'accept', content: { confirm: true } } });
      await server.lines(3);
      await server.end();
      const [, traceId, spanId] = params._meta.traceparent.split('-');
      const elicitation = collector.spans().find(({ name }) => name === 'elicitation/create');
      expect(elicitation).toMatchObject({ traceId, spanId });
      const parent = collector.spans().find((span) => span.spanId === elicitation?.parentSpanId);
      expect(parent).toMatchObject({ name: 'tools/call ask', traceId });
      const counted = JSON.stringify(collector.bodies('metrics'));
      expect(counted).toContain('mcp.server.operation.duration');
      expect(counted).toContain('{"key":"mcp.method.name","value":{"stringValue":"initialize"}}');
    }),
  );

  verifies('register.own-sdk', async () => {
    const server = registered([PLAIN, 'v1'], { OTEL_SERVICE_NAME: 'mine' }, ['--import', fixture('own-sdk.ts')]);
    server.write(INITIALIZE, ECHO);
    await server.lines(2);
    const { stderr } = await server.end();
    expect(stderr).toContain('own span tools/call echo');
    expect(stderr).not.toContain('registered already');
    expect(stderr).not.toContain('cannot be delivered');
  });
});

describe('the end', () => {
  verifies('register.flush', () =>
    exporting(async (collector, env) => {
      const server = registered([PLAIN, 'v1'], env);
      server.write(INITIALIZE, call(1, 'hang'), call(2, 'echo', { text: 'x' }));
      await server.lines(2);
      const ended = await server.end();
      expect(ended).toMatchObject({ code: 0, signal: null });
      const hang = collector.spans().find(({ name }) => name === 'tools/call hang');
      expect(hang?.attributes['toolspan.outcome']).toBe('aborted');
    }),
  );

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    verifies(
      'register.flush',
      () =>
        exporting(async (collector, env) => {
          const server = registered([PLAIN, 'v2'], env);
          server.write(INITIALIZE);
          await server.lines(1);
          expect(await server.kill(signal)).toMatchObject({ code: null, signal });
          expect(names(collector)).toContain('initialize');
        }),
      signal,
    );
  }

  verifies(
    'register.flush',
    async () => {
      const collector = await startCollector(() => 'never');
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, TOOLSPAN_SHUTDOWN_TIMEOUT_MS: '300' };
      const server = registered([PLAIN, 'v1'], env);
      server.write(INITIALIZE);
      await server.lines(1);
      expect(await server.end()).toMatchObject({ code: 0, signal: null });
      await collector.close();
    },
    'a collector that hangs',
  );
});

describe('what it says', () => {
  const script = (code: string): string => {
    const file = join(mkdtempSync(join(tmpdir(), 'toolspan-script-')), 'script.mjs');
    writeFileSync(file, code);
    return file;
  };

  verifies(
    'register.report',
    async () => {
      const none = await registered([script('console.log(1)')], SILENT).ended();
      expect(none).toMatchObject({ code: 0, stdout: '1\n' });
      expect(none.stderr).toMatch(/^toolspan: no MCP server seen: this program has not loaded .*toolspan wrap.*\n$/);
      const loaded = `import ${JSON.stringify(`${ROOT}node_modules/@modelcontextprotocol/server/dist/index.mjs`)};`;
      const { stderr } = await registered([script(loaded)], SILENT).ended();
      expect(stderr).toBe(
        'toolspan: no MCP server seen: the MCP SDK is loaded, but no server or client has connected.\n',
      );
    },
    'nothing is seen, and why',
  );

  verifies(
    'register.idle',
    () =>
      exporting(async (collector, env) => {
        const NODE_OPTIONS = `--import ${REGISTER}`;
        const child = new Child(process.execPath, [script('console.log(1)')], { env: { ...env, NODE_OPTIONS } });
        expect(await child.ended()).toMatchObject({ code: 0, stdout: '1\n', stderr: '' });
        expect(collector.received).toEqual([]);
      }),
    'a program that NODE_OPTIONS happens to reach',
  );

  verifies(
    'register.idle',
    () =>
      exporting(async (collector, env) => {
        // a server that starts a program of its own: that one is none, and nothing is sent twice
        const spawning = script(
          `import { spawnSync } from 'node:child_process';
           spawnSync(process.execPath, ['-e', ''], { stdio: 'inherit' });
           await import(${JSON.stringify(PLAIN)});`,
        );
        const NODE_OPTIONS = `--import ${REGISTER}`;
        const server = new Child(process.execPath, [spawning, 'v1'], { env: { ...env, NODE_OPTIONS } });
        server.write(INITIALIZE);
        await server.lines(1);
        await server.end();
        expect(names(collector)).toEqual(['initialize']);
        expect(server.stderr).toBe('toolspan: observing the MCP server "reference"\n');
      }),
    'a child process',
  );

  for (const minify of [false, true]) {
    verifies(
      'register.bundled',
      () =>
        exporting(async (collector, env) => {
          const file = join(mkdtempSync(join(tmpdir(), 'toolspan-bundle-')), 'server.mjs');
          const bundle = await rolldown({ input: PLAIN, platform: 'node', external: [/by-hand/], logLevel: 'silent' });
          await bundle.write({ file, format: 'esm', minify });
          await bundle.close();
          const server = registered([file, 'v1'], env);
          server.write(INITIALIZE, ECHO);
          await server.lines(2);
          const { stderr } = await server.end();
          expect(stderr.trimEnd().split('\n')).toHaveLength(1);
          if (minify) {
            expect(stderr).toContain(`the MCP SDK is bundled into ${file} with its names minified`);
            expect(stderr).toContain(`toolspan wrap -- node ${file}`);
          } else {
            expect(stderr).toBe('toolspan: observing the MCP server "reference"\n');
            expect(names(collector)).toContain('tools/call echo');
          }
        }),
      minify ? 'minified: it is said' : 'with its names: it is observed',
    );
  }

  verifies('config.file', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'toolspan-config-')), 'policies.json');
    writeFileSync(file, '{"tools":{"echo":{"timeoutMs":0}}}');
    // a server that was meant to have policies does not start without
    for (const args of [
      ['--import', REGISTER, PLAIN, 'v1'],
      [`${ROOT}src/cli/main.ts`, 'wrap', '--', process.execPath, PLAIN, 'v1'],
    ]) {
      const ended = await new Child(process.execPath, args, { env: { ...SILENT, TOOLSPAN_CONFIG: file } }).ended();
      expect(ended.code).not.toBe(0);
      expect(ended.stderr).toContain('toolspan: policies.json cannot be used:\n  tools.echo.timeoutMs: ');
      expect(ended.stdout).toBe('');
    }
  });

  verifies('config.settings', async () => {
    const server = registered([PLAIN, 'v1'], {
      ...SILENT,
      TOOLSPAN_TOOLS: 'perhaps',
      TOOLSPAN_MAX_OPERATION_MS: '0',
      TOOLSPAN_CONFG: 'x',
    });
    server.write(INITIALIZE);
    await server.lines(1);
    const { stderr } = await server.end();
    expect(stderr).toContain('TOOLSPAN_TOOLS must be true or false, got "perhaps"; it is left out.');
    expect(stderr).toContain('TOOLSPAN_MAX_OPERATION_MS must be a number of milliseconds from 1 to');
    expect(stderr).toContain('TOOLSPAN_CONFG is no setting of toolspan');
  });
});
