// How a wrapped conversation ends where one side is slow, gone or done early: nothing is lost, and nothing waits for nobody.
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { ServerProcess } from '../../src/proxy/server-process.ts';
import { Child, gone } from '../harness/child.ts';
import { eventually } from '../harness/poll.ts';
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
      const server = new ServerProcess(process.execPath, ['-e', 'console.log("said")'], process.env);
      const release = server.hold();
      await eventually('its end', () => server.hasExited || undefined);
      // what Node does with its output when it has ended
      await new Promise(setImmediate);
      release();
      const said: Buffer[] = [];
      server.stdout.on('data', (chunk: Buffer) => said.push(chunk));
      expect(await server.ended).toEqual({ code: 0, signal: null });
      expect(Buffer.concat(said).toString()).toBe('said\n');
    },
    'before anybody listens',
  );

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
      const server = 'head -c 3000000 /dev/zero & echo "pid $$" >&2; sleep 0.2; exit 3';
      const wrapped = new Wrapped(['--', 'sh', '-c', server]);
      wrapped.process.stdout?.pause();
      await wrapped.complains('pid ');
      await gone(Number(/pid (\d+)/.exec(wrapped.stderr)?.[1]));
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

describe('a call that hangs, where nobody waits any more', () => {
  const hanging = ['wrap', '--', process.execPath, PUPPET, 'hangs'];

  verifies(
    'wrap.orphans',
    async () => {
      const wrapped = new Wrapped(hanging.slice(1));
      await wrapped.says('"pid":');
      const { pid } = JSON.parse(wrapped.stdout.toString('utf8')) as { pid: number };
      wrapped.send(call(1, 'hang'));
      wrapped.process.stdin?.end();
      await wrapped.complains('stdin has ended');
      wrapped.process.stdout?.destroy();
      await once(wrapped.process, 'exit');
      await gone(pid);
    },
    'a client that lives, and has closed both ends',
  );

  // by the sockets that Node gives its children, and by the pipes of everybody else
  for (const [how, ends] of [
    ['sockets', ''],
    ['pipes', '<in >out'],
  ] as const) {
    verifies(
      'wrap.orphans',
      async () => {
        const line = `'${process.execPath}' '${MAIN}' ${hanging.map((word) => `'${word}'`).join(' ')} ${ends}; exit $?`;
        const client = new Child(
          process.execPath,
          [
            '-e',
            `const fs = require('fs'), { spawn, execSync } = require('child_process');
             const named = ${JSON.stringify(ends !== '')};
             if (named) execSync('mkfifo in out');
             const [i, o] = named ? ['in', 'out'].map((name) => fs.openSync(name, 'r+')) : [];
             const c = spawn('sh', ['-c', ${JSON.stringify(line)}], { stdio: named ? ['ignore', 'ignore', 'inherit'] : ['pipe', 'pipe', 'inherit'] });
             const [input, output] = named ? [fs.createWriteStream('', { fd: i }), fs.createReadStream('', { fd: o })] : [c.stdin, c.stdout];
             output.once('data', (d) => input.write(${JSON.stringify(`${JSON.stringify(call(1, 'hang'))}\n`)}, () => console.log(String(d))));
             setInterval(() => {}, 1000);`,
          ],
          { env: SILENT, cwd: mkdtempSync(join(tmpdir(), 'toolspan-ends-')) },
        );
        const pid = await eventually('the server', () => /"pid":(\d+)/.exec(client.stdout)?.[1]);
        await client.kill('SIGKILL');
        await gone(Number(pid));
      },
      `a client that is killed behind a launcher, by ${how}`,
    );
  }
});
