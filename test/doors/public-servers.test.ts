// Two public servers from npm answer the same to the byte through every door.
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Child } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { INITIALIZE } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';
import { PATIENT } from '../harness/wrapped.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const { resolve } = createRequire(import.meta.url);

const call = (id: number, name: string, args: object) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

interface PublicServer {
  readonly name: string;
  /** The command line, and what it needs, anew for each run. */
  readonly start: () => { args: string[]; env: Record<string, string> };
  readonly calls: readonly object[];
  readonly spans: readonly string[];
}

const memory: PublicServer = {
  name: '@modelcontextprotocol/server-memory',
  start: () => ({
    args: [resolve('@modelcontextprotocol/server-memory/dist/index.js')],
    env: { MEMORY_FILE_PATH: join(mkdtempSync(join(tmpdir(), 'toolspan-memory-')), 'memory.jsonl') },
  }),
  calls: [
    call(2, 'create_entities', { entities: [{ name: 'Ada', entityType: 'person', observations: ['grüße 🙂'] }] }),
    call(3, 'add_observations', { observations: [{ entityName: 'Nobody', contents: ['x'] }] }),
    call(4, 'search_nodes', { query: 'grüße' }),
    call(5, 'read_graph', {}),
    call(6, 'no_such_tool', {}),
    call(7, 'create_entities', { entities: 'not a list' }),
    { jsonrpc: '2.0', id: 8, method: 'resources/list' },
  ],
  spans: ['tools/call create_entities', 'tools/call read_graph', 'tools/call _other'],
};

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'toolspan-files-')));
writeFileSync(join(folder, 'note.txt'), 'a note, grüße 🙂\n');

const files: PublicServer = {
  name: '@modelcontextprotocol/server-filesystem',
  start: () => ({ args: [resolve('@modelcontextprotocol/server-filesystem/dist/index.js'), folder], env: {} }),
  calls: [
    call(2, 'list_directory', { path: folder }),
    call(3, 'read_text_file', { path: join(folder, 'note.txt') }),
    call(4, 'read_text_file', { path: '/etc/passwd' }),
    call(5, 'directory_tree', { path: folder }),
    call(6, 'list_allowed_directories', {}),
    call(7, 'no_such_tool', {}),
    { jsonrpc: '2.0', id: 8, method: 'no/such/method' },
  ],
  spans: ['tools/call list_directory', 'tools/call read_text_file', 'tools/call _other'],
};

const DOORS: Readonly<Record<string, readonly string[]>> = {
  register: ['--import', `${ROOT}src/register/index.ts`],
  wrap: [`${ROOT}src/cli/main.ts`, 'wrap', '--', process.execPath],
  'wrap --propagate': [`${ROOT}src/cli/main.ts`, 'wrap', '--propagate', '--', process.execPath],
};

async function converse(
  { start, calls }: PublicServer,
  before: readonly string[],
): Promise<{ stdout: string; spans: string[]; code: number | null }> {
  const collector = await startCollector();
  const { args, env } = start();
  const server = new Child(process.execPath, [...before, ...args], {
    env: { ...PATIENT, ...env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  });
  const messages = [
    INITIALIZE,
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    ...calls,
  ];
  let answers = 0;
  for (const message of messages) {
    // one at a time: the order of answers is then the order of requests
    server.write(message);
    if ('id' in message) await server.lines(++answers);
  }
  const { stdout, code } = await server.end();
  const spans = collector.spans().map(({ name }) => name);
  await collector.close();
  return { stdout, spans, code };
}

describe.each([memory, files])('$name', (server) => {
  verifies(
    'doors.public-servers',
    async () => {
      const bare = await converse(server, []);
      expect(bare.stdout.split('\n').length).toBeGreaterThan(8);
      for (const [door, before] of Object.entries(DOORS)) {
        const through = await converse(server, before);
        expect([door, through.stdout, through.code]).toEqual([door, bare.stdout, bare.code]);
        // not a comparison of two bare servers
        expect(through.spans, door).toEqual(expect.arrayContaining([...server.spans]) as string[]);
      }
    },
    server.name,
  );
});
