// The doors of the installed package where other people's tools run them: tsx, esbuild, npx, worker threads, other versions of
// Node, a framework. Packages are installed into folders of the test's own.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Child } from '../harness/child.ts';
import { startCollector, type Collector } from '../harness/collector.ts';
import { eventually } from '../harness/poll.ts';
import { INITIALIZE } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';
import { PATIENT } from '../harness/wrapped.ts';
import { packed, Project } from './project.ts';

const project = new Project();
const others: Readonly<Record<string, Project>> = { '22.15': new Project(), '26': new Project() };
const aged = new Project();
const in_ = (path: string) => join(project.folder, path);

const SERVER = `
  import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
  import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
  import { z } from 'zod';
  const server = new McpServer({ name: 'strange', version: '1.0.0' });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text }) => ({ content: [{ type: 'text', text }] }));
  await server.connect(new StdioServerTransport());
`;
/** The same in CommonJS. */
const commonJs = (code: string): string =>
  `(async () => {${code.replaceAll(/import (\{[^}]+\}) from ('[^']+');/g, 'const $1 = require($2);')}})();`;
const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { text: 'hi' } } };

beforeAll(async () => {
  const tarball = packed(project.folder);
  project.install(
    tarball,
    '@modelcontextprotocol/sdk@1.32.2',
    '@modelcontextprotocol/server-memory@2026.8.31',
    'zod@4.6.7',
    'mcp-use@2.5.2',
    'tsx@4.23.15',
    'esbuild@0.28.2',
  );
  project.write('server.mjs', SERVER);
  project.write('server.ts', SERVER.replace('({ text })', '({ text }: { text: string })'));
  aged.install(tarball, '@opentelemetry/api@1.9.0', '@modelcontextprotocol/sdk@1.32.2', 'zod@4.6.7');
  aged.write('server.mjs', SERVER);
  for (const [version, other] of Object.entries(others)) {
    other.install(tarball, '@modelcontextprotocol/sdk@1.32.2', 'zod@4.6.7', `node@${version}`);
    other.write('server.mjs', SERVER);
    other.write('server.cjs', commonJs(SERVER));
  }
}, 600_000);

afterAll(() => {
  project.delete();
  aged.delete();
  for (const other of Object.values(others)) other.delete();
}, 240_000);

/** Runs a stdio server, makes one call, and gives what it said and sent. */
async function oneCall(
  command: string,
  args: readonly string[],
  { env = {}, cwd = project.folder, call = CALL }: { env?: Record<string, string>; cwd?: string; call?: object } = {},
): Promise<{ names: string[]; stderr: string; code: number | null; services: string }> {
  const collector = await startCollector();
  const child = new Child(command, args, {
    cwd,
    env: { ...PATIENT, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env },
  });
  child.write(INITIALIZE, call);
  await child.lines(2);
  const { stderr, code } = await child.end();
  const names = collector.spans().map(({ name }) => name);
  const services = JSON.stringify(collector.bodies('traces'));
  await collector.close();
  return { names, stderr, code, services };
}

const OBSERVED = 'toolspan: observing the MCP server "strange"\n';
const NODE_OPTIONS = '--import toolspan/register';

describe('ways to start a server', () => {
  for (const [how, command, args, env] of [
    ['node', process.execPath, ['--import', 'toolspan/register', 'server.mjs'], {}],
    ['TypeScript by Node', process.execPath, ['--import', 'toolspan/register', 'server.ts'], {}],
    ['the command tsx', 'node_modules/.bin/tsx', ['--import', 'toolspan/register', 'server.ts'], {}],
    ['tsx by --import', process.execPath, ['--import', 'tsx', '--import', 'toolspan/register', 'server.ts'], {}],
    ['NODE_OPTIONS', process.execPath, ['server.mjs'], { NODE_OPTIONS }],
    ['wrap', 'node_modules/.bin/toolspan', ['wrap', '--', process.execPath, 'server.mjs'], {}],
  ] as const) {
    verifies(
      'register.runtimes',
      async () => {
        const { names, stderr, code } = await oneCall(
          command.startsWith('node_modules') ? in_(command) : command,
          args,
          { env },
        );
        expect(stderr).toBe(how === 'wrap' ? '' : OBSERVED);
        expect(names).toEqual(['initialize', 'tools/call echo']);
        expect(code).toBe(0);
      },
      how,
    );
  }

  verifies(
    'register.runtimes',
    async () => {
      // npm, a shell and the server, all reached by NODE_OPTIONS: one of them is observed
      const { names, stderr } = await oneCall('npx', ['--no-install', 'mcp-server-memory'], {
        env: { NODE_OPTIONS, MEMORY_FILE_PATH: in_('memory.jsonl') },
        call: { ...CALL, params: { name: 'read_graph', arguments: {} } },
      });
      expect(names).toEqual(['initialize', 'tools/call read_graph']);
      expect(stderr.match(/toolspan:/g)).toHaveLength(1);
    },
    'npx',
  );

  verifies(
    'register.runtimes',
    async () => {
      project.write(
        'worker.mjs',
        `import { McpServer, InMemoryTransport } from '@modelcontextprotocol/server';
         const [ours, theirs] = InMemoryTransport.createLinkedPair();
         await new McpServer({ name: 'in a worker', version: '1' }).connect(theirs);
         ours.onmessage = () => ours.close();
         await ours.start();
         await ours.send({ jsonrpc: '2.0', id: 1, method: 'ping' });`,
      );
      project.write(
        'main.mjs',
        `import { Worker } from 'node:worker_threads'; new Worker(new URL('worker.mjs', import.meta.url));`,
      );
      const collector = await startCollector();
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
      const child = new Child(process.execPath, ['--import', 'toolspan/register', 'main.mjs'], {
        cwd: project.folder,
        env,
      });
      const ended = await child.ended();
      expect(ended.code).toBe(0);
      expect(ended.stderr).toContain('observing the MCP server "in a worker"');
      expect(collector.spans().map(({ name }) => name)).toEqual(['ping']);
      await collector.close();
    },
    'a worker thread',
  );
});

describe.each(Object.entries(others))('Node %s', (version, other) => {
  verifies(
    'register.runtimes',
    async () => {
      const node = join(other.folder, 'node_modules/.bin/node');
      expect(other.run(node, ['--version'])).toContain(`v${version}`);
      const cwd = other.folder;
      const registered = await oneCall(node, ['--import', 'toolspan/register', 'server.mjs'], { cwd });
      expect(registered).toMatchObject({ names: ['initialize', 'tools/call echo'], code: 0, stderr: OBSERVED });
      const required = await oneCall(node, ['--import', 'toolspan/register', 'server.cjs'], { cwd });
      expect(required).toMatchObject({ names: ['initialize', 'tools/call echo'], code: 0, stderr: OBSERVED });
      const main = join(cwd, 'node_modules/toolspan/dist/cli/main.js');
      const wrapped = await oneCall(node, [main, 'wrap', '--', node, 'server.mjs'], { cwd });
      expect(wrapped).toMatchObject({ names: ['initialize', 'tools/call echo'], code: 0, stderr: '' });
    },
    `Node ${version}, without a warning`,
  );
});

describe('an application with an older OpenTelemetry', () => {
  verifies(
    'register.runtimes',
    async () => {
      const cwd = aged.folder;
      const { names, stderr, code } = await oneCall(process.execPath, ['--import', 'toolspan/register', 'server.mjs'], {
        cwd,
      });
      expect([names, code]).toEqual([[], 0]);
      expect(stderr).toContain('@opentelemetry/api older than 1.10');
    },
    '@opentelemetry/api 1.9: the server runs, and it is said what to do',
  );
});

describe('bundles of esbuild', () => {
  const bundled = (...flags: string[]): void => {
    const banner = `--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
    const shape = 'server.mjs --bundle --platform=node --format=esm --outfile=bundle.mjs --log-level=error'.split(' ');
    project.run(in_('node_modules/.bin/esbuild'), [...shape, banner, ...flags]);
  };

  verifies(
    'register.bundled',
    async () => {
      bundled('--minify-whitespace', '--minify-syntax');
      const { names, stderr } = await oneCall(process.execPath, ['--import', 'toolspan/register', 'bundle.mjs']);
      expect(stderr).toBe(OBSERVED);
      expect(names).toEqual(['initialize', 'tools/call echo']);
    },
    'esbuild, with its names',
  );

  verifies(
    'register.bundled',
    async () => {
      bundled('--minify');
      const { names, stderr, code } = await oneCall(process.execPath, ['--import', 'toolspan/register', 'bundle.mjs']);
      expect(stderr).toContain(`is bundled into ${in_('bundle.mjs')} with its names minified`);
      expect([names, code]).toEqual([[], 0]);
      // what it says to do
      const wrapped = await oneCall(in_('node_modules/.bin/toolspan'), ['wrap', '--', process.execPath, 'bundle.mjs']);
      expect(wrapped.names).toEqual(['initialize', 'tools/call echo']);
    },
    'esbuild, minified',
  );
});

describe('mcp-use', () => {
  verifies('register.frameworks', async () => {
    project.write(
      'used.ts',
      `import { MCPServer, text } from 'mcp-use';
       import { z } from 'zod';
       const server = new MCPServer({ name: 'used', version: '1.0.0' });
       server.tool({ name: 'echo', schema: z.object({ text: z.string() }) }, async (args: { text: string }) => text(args.text));
       server.tool({ name: 'boom', schema: z.object({}) }, async () => { throw new TypeError('boom went off'); });
       const { url, port } = (await server.listen(0)) as { url?: string; port?: number };
       console.log('listening', JSON.stringify({ url, port }));
      `,
    );
    const collector: Collector = await startCollector();
    const child = new Child(process.execPath, ['--import', 'toolspan/register', 'used.ts'], {
      cwd: project.folder,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    });
    const port = await eventually(`the port (${child.stdout} ${child.stderr})`, () =>
      /"port":(\d+)|127\.0\.0\.1:(\d+)|localhost:(\d+)/.exec(child.stdout)?.slice(1).find(Boolean),
    );
    for (const name of ['echo', 'boom']) {
      const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ ...CALL, params: { name, arguments: { text: 'hi' } } }),
      });
      expect(response.status).toBe(200);
      await response.text();
    }
    await child.kill('SIGTERM');
    expect(child.stderr).toContain('observing the MCP server "used"');
    const spans = await eventually('both spans', () => {
      const calls = collector.spans().filter(({ name }) => name.startsWith('tools/call'));
      return calls.length === 2 ? calls : undefined;
    });
    expect(spans.map(({ name }) => name).toSorted()).toEqual(['tools/call boom', 'tools/call echo']);
    const boom = spans.find(({ name }) => name.endsWith('boom'));
    expect(boom?.attributes['toolspan.outcome']).toBe('tool_error');
    expect(boom?.events.map((event) => event.attributes['exception.type'])).toEqual(['TypeError']);
    await collector.close();
  });
});
