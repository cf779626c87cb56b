// What register adds to a program that has instrumented its server by hand, and whom a bad file of policies stops.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Child } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { INITIALIZE } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';
import { SILENT } from '../harness/wrapped.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const REGISTER = `${ROOT}src/register/index.ts`;
const FOLDER = mkdtempSync(join(tmpdir(), 'toolspan-register-'));

function fileOf(name: string, text: string): string {
  const file = join(FOLDER, name);
  writeFileSync(file, text);
  return file;
}

const call = (id: number, name: string, args: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

describe('a server that is instrumented by hand', () => {
  verifies('register.by-hand', async () => {
    const collector = await startCollector();
    const tools = { hang: { timeoutMs: 600_000 }, echo: { rateLimit: { permits: 1, perMs: 600_000 } } };
    const server = new Child(process.execPath, ['--import', REGISTER, `${ROOT}test/fixtures/hand-server.ts`], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        TOOLSPAN_TOOLS: 'true',
        TOOLSPAN_CONFIG: fileOf('both.json', JSON.stringify({ tools })),
      },
    });
    server.write(INITIALIZE, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
    server.write(call(2, 'echo', { text: 'x' }), call(3, 'echo', { text: 'x' }), call(4, 'hang'));
    await server.lines(5);
    const { stdout, stderr } = await server.end();
    await collector.close();
    expect(stderr).toContain('toolspan: observing the MCP server "reference"\n');
    expect(stdout).toContain('get_server_health');
    const said = (id: number) =>
      stdout.split('\n').find((line) => line.includes(`"id":${id}}`) || line.includes(`"id":${id},`));
    expect(said(2)).not.toContain('isError');
    // the file speaks where the program does not, and the program has the last word
    expect(said(3)).toContain('RATE_LIMIT');
    expect(said(4)).toContain('TIMEOUT');
    const names = collector.spans().map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['initialize', 'tools/call echo', 'tools/call hang']) as string[]);
    expect(JSON.stringify(collector.bodies('metrics'))).toContain('mcp.server.operation.duration');
  });
});

describe('a file of policies that cannot be used', () => {
  for (const [how, name, text, said] of [
    [
      'a cycle',
      'cycle.mjs',
      'const a = {}; a.a = a; export default { tools: { x: { timeoutMs: a } } };',
      'tools.x.timeoutMs: ',
    ],
    ['a BigInt', 'big.mjs', 'export default { tools: { x: { timeoutMs: 5n } } };', 'tools.x.timeoutMs: '],
    ['one that throws', 'throws.mjs', 'export default { get tools() { throw new Error("no tools"); } };', 'no tools'],
  ] as const) {
    verifies(
      'config.file',
      async () => {
        const TOOLSPAN_CONFIG = fileOf(name, text);
        const args = ['--import', REGISTER, `${ROOT}test/fixtures/plain-server.ts`, 'v1'];
        const { code, stderr } = await new Child(process.execPath, args, {
          env: { ...SILENT, TOOLSPAN_CONFIG },
        }).ended();
        expect(code).toBe(1);
        expect(stderr).toContain(`toolspan: ${name} cannot be used:`);
        expect(stderr).toContain(said);
      },
      how,
    );
  }

  verifies(
    'config.file',
    async () => {
      const TOOLSPAN_CONFIG = fileOf('marked.json', '\uFEFF{"tools":{"echo":{"timeoutMs":50}}}');
      const args = ['--import', REGISTER, `${ROOT}test/fixtures/plain-server.ts`, 'v1'];
      const server = new Child(process.execPath, args, { env: { ...SILENT, TOOLSPAN_CONFIG } });
      server.write(INITIALIZE);
      await server.lines(1);
      expect((await server.end()).code).toBe(0);
    },
    'but a byte order mark does no harm',
  );

  verifies(
    'register.idle',
    async () => {
      const env = {
        ...SILENT,
        NODE_OPTIONS: `--import ${REGISTER}`,
        TOOLSPAN_CONFIG: 'policies-of-another-folder.json',
      };
      const child = new Child(process.execPath, ['-e', 'console.log(1)'], { env, cwd: FOLDER });
      expect(await child.ended()).toMatchObject({ code: 0, stdout: '1\n', stderr: '' });
      const server = new Child(process.execPath, [`${ROOT}test/fixtures/plain-server.ts`, 'v1'], { env, cwd: FOLDER });
      const { code, stderr } = await server.ended();
      expect(code).toBe(1);
      expect(stderr).toContain('policies-of-another-folder.json cannot be read');
    },
    'a program without MCP, where the file of policies is missing',
  );
});
