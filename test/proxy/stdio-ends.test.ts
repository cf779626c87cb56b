// How a wrapped conversation ends where one side is slow, gone or done early: nothing is lost, and nothing waits for nobody.
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Child } from '../harness/child.ts';
import { verifies } from '../harness/verifies.ts';
import { SILENT, Wrapped } from '../harness/wrapped.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const PUPPET = new URL('../fixtures/puppet.ts', import.meta.url).pathname;

const call = (id: number, name: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
});

/** The ids of what was answered. */
const idsIn = (wrapped: Wrapped) =>
  wrapped.stdout
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id?: unknown }).id);

describe('a server that is dead before its client has read all', () => {
  verifies(
    'wrap.exit',
    async () => {
      // a pipe of its own size between the two, as in a shell; the reader begins after the server is long dead
      const wrap = `'${process.execPath}' '${MAIN}' wrap -- '${process.execPath}' '${PUPPET}' bursts 250000`;
      const shell = new Child('bash', ['-c', `(sleep 5 | ${wrap}; echo "rc $?" >&2) | (sleep 3; wc -c)`], {
        env: SILENT,
      });
      const { stdout, stderr } = await shell.ended();
      expect([stdout.trim(), stderr.trim().split('\n').at(-1)]).toEqual(['250000', 'rc 0']);
    },
    'after all that it wrote last, to a client that reads late',
  );

  verifies(
    'wrap.exit',
    async () => {
      const wrapped = new Wrapped(['--', 'sh', '-c', 'head -c 3000000 /dev/zero & sleep 0.2; exit 3']);
      wrapped.process.stdout?.pause();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      // nobody reads: a signal ends it all the same
      wrapped.process.kill('SIGTERM');
      await once(wrapped.process, 'exit');
      expect(wrapped.process.exitCode).toBe(3);
    },
    'by a signal, where the server is dead and the client does not read',
  );
});

describe('calls that wait for their turn when stdin ends', () => {
  const policies = (tools: object): string => {
    const file = join(mkdtempSync(join(tmpdir(), 'toolspan-ends-')), 'policies.json');
    writeFileSync(file, JSON.stringify({ tools }));
    return file;
  };

  for (const server of ['answers', 'stays']) {
    verifies(
      'wrap.policies',
      async () => {
        const file = policies({ '*': { bulkhead: { concurrency: 1, queue: 10 } } });
        const wrapped = new Wrapped(['--policy', file, '--', process.execPath, PUPPET, server, '300']);
        wrapped.send(...[1, 2, 3].map((id) => call(id, 'slow')));
        const ended = await wrapped.close();
        expect(ended).toEqual(server === 'answers' ? { code: 0, signal: null } : { code: null, signal: 'SIGTERM' });
        expect(idsIn(wrapped)).toEqual([1, 2, 3]);
      },
      `all are answered by a server that ${server === 'answers' ? 'ends with stdin' : 'does not end with stdin'}`,
    );
  }
});
