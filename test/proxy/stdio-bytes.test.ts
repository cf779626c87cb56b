// What passes through `toolspan wrap` on stdio is what was sent, byte by byte.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { metricsOf, startCollector } from '../harness/collector.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { SILENT, Wrapped } from '../harness/wrapped.ts';

const PUPPET = new URL('../fixtures/puppet.ts', import.meta.url).pathname;

const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"text":"grüße 🙂"}}}';

/** Everything that a stream of messages should not be, and some that it should. */
const ODDITIES: readonly (string | Buffer)[] = [
  `${CALL}\n`,
  `${CALL}\r\n`,
  '\n\r\n   \n',
  '{ "id" : 12345678901234567890, "id": 2, "jsonrpc":"2.0","method" : "ping" , "params":{} }\n',
  'Listening on port 3000\n',
  '{"half": \n',
  '[]\n',
  'null\n',
  '\ufeff{"jsonrpc":"2.0","method":"ping","id":3}\n',
  Buffer.from([0x7b, 0xff, 0xfe, 0x80, 0x7d, 0x0a]),
  Buffer.from([0xf0, 0x9f, 0x0a, 0x99, 0x82, 0x0a]),
  '{"jsonrpc":"2.0","id":4,"method":"tools/call","params":null}\n',
  '{"jsonrpc":"2.0","id":4,"result":{"content":[]}}\n',
  `${JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'x', params: { deep: '['.repeat(200) } })}\n`,
  `[${CALL},{"jsonrpc":"2.0","method":"notifications/x"}]\n`,
  '{"jsonrpc":"2.0","id":9,"method":"no line feed at the end"}',
];

/** Cuts bytes at random places. */
function cut(bytes: Buffer, pieces: number): Buffer[] {
  const at = Array.from({ length: pieces - 1 }, () => Math.floor(Math.random() * bytes.length)).toSorted(
    (a, b) => a - b,
  );
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

describe('bytes', () => {
  for (const [how, env] of [
    ['observed', SILENT],
    ['disabled', { TOOLSPAN_DISABLED: 'true' }],
  ] as const) {
    verifies(
      how === 'disabled' ? 'wrap.disabled' : 'wrap.bytes',
      async () => {
        const sent = Buffer.concat(ODDITIES.map((part) => Buffer.from(part)));
        const wrapped = new Wrapped(['--', 'cat'], { env });
        for (const piece of cut(sent, 200)) {
          await wrapped.write(piece);
          // a piece of its own on the wire, now and then
          if (Math.random() < 0.2) await new Promise((resolve) => setImmediate(resolve));
        }
        expect(await wrapped.close()).toEqual({ code: 0, signal: null });
        expect(wrapped.stdout.equals(sent)).toBe(true);
      },
      `both ways through cat, cut anywhere, ${how}`,
    );
  }

  verifies(
    'wrap.bytes',
    async () => {
      const sent = randomBytes(3_000_000);
      const wrapped = new Wrapped(['--', 'cat']);
      for (const piece of cut(sent, 500)) await wrapped.write(piece);
      await wrapped.close();
      expect(wrapped.stdout.equals(sent)).toBe(true);
    },
    'noise of three million random bytes',
  );

  verifies('wrap.noise', async () => {
    const collector = await startCollector();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const wrapped = new Wrapped(['--', 'sh', '-c', 'echo "Listening on 3000"; echo; exec cat'], { env });
    await wrapped.says('Listening');
    await wrapped.close();
    expect(wrapped.stderr).toContain('there are lines that are no JSON-RPC messages');
    const counts = metricsOf(collector).filter(({ name }) => name === 'toolspan.proxy.unobserved');
    expect(counts.at(-1)?.sum?.dataPoints.map(({ asInt, asDouble }) => Number(asInt ?? asDouble))).toEqual([1]);
    await collector.close();
  });
});

describe('long messages', () => {
  verifies(
    'wrap.long',
    async () => {
      const text = 'x'.repeat(20 * 1_024 * 1_024);
      const line = Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"text":"${text}"}}\n${CALL}\n`);
      const wrapped = new Wrapped(['--propagate', '--', 'cat']);
      for (const piece of cut(line, 50)) await wrapped.write(piece);
      await wrapped.close();
      // the long one is as it was; the next one is read again
      const [long, short] = wrapped.stdout.toString('utf8').split('\n');
      expect(long?.length).toBe(line.indexOf(0x0a));
      expect(short).toContain('"traceparent":"00-');
    },
    'a line of 20 MiB, and one behind it',
  );

  verifies(
    'wrap.long',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'toolspan-wrap-'));
      const peakFor = async (mebibytes: number): Promise<number> => {
        const wrapped = new Wrapped(['--', 'sh', '-c', `cat > ${folder}/got; sleep 0.2`]);
        await wrapped.write(`${CALL}\n`);
        const [chunk, hash] = [Buffer.alloc(1_024 * 1_024, 0x61), createHash('sha256').update(`${CALL}\n`)];
        for (let sent = 0; sent < mebibytes; sent++) {
          hash.update(chunk);
          await wrapped.write(chunk);
        }
        await eventually(
          'all of it has passed',
          () => statSync(`${folder}/got`).size >= mebibytes * chunk.length || undefined,
        );
        const peak = peakOf(wrapped.process.pid) ?? Number.NaN;
        await wrapped.close();
        expect(
          createHash('sha256')
            .update(readFileSync(`${folder}/got`))
            .digest('hex'),
        ).toBe(hash.digest('hex'));
        return peak;
      };
      const extra = (await peakFor(100)) - (await peakFor(1));
      expect(extra / 1_024).toBeLessThan(64);
    },
    'a line of 100 MiB in less than 64 MiB',
  );
});

/** The highest resident memory of a process so far, in KiB, once it has started up. */
function peakOf(pid: number | undefined): number | undefined {
  const kilobytes = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return kilobytes > 50_000 ? kilobytes : undefined;
}

describe('back-pressure', () => {
  verifies(
    'wrap.back-pressure',
    async () => {
      // a server that never reads: what is written to it must not pile up here
      const wrapped = new Wrapped(['--', 'sleep', '30']);
      await eventually('it has started', () => peakOf(wrapped.process.pid));
      const chunk = Buffer.alloc(64 * 1_024, 0x0a);
      let written = 0;
      while (wrapped.process.stdin?.write(chunk) === true && written < 64 * 1_024 * 1_024) written += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
      expect(wrapped.process.stdin?.writableNeedDrain).toBe(true);
      wrapped.process.kill('SIGTERM');
      await wrapped.ended();
    },
    'a server that does not read',
  );

  verifies(
    'wrap.back-pressure',
    async () => {
      const wrapped = new Wrapped(['--', process.execPath, PUPPET, 'floods', '40000']);
      wrapped.process.stdout?.pause();
      await eventually('it has filled the pipe', () => peakOf(wrapped.process.pid));
      // a client that does not read yet still gets everything
      wrapped.process.stdout?.resume();
      await wrapped.says('"flooded":true');
      expect(await wrapped.close()).toEqual({ code: 0, signal: null });
      expect(wrapped.stdout.toString('utf8').split('\n')).toHaveLength(40_002);
    },
    'a client that reads late',
  );

  for (const [who, server, tools] of [
    ['a server that does not read', ['sleep', '60'], { '*': { timeoutMs: 600_000 } }],
    ['a client that does not read', [process.execPath, PUPPET, 'echoes'], { '*': { timeoutMs: 600_000 } }],
    ['a client that does not read what is refused', ['cat'], { '*': { rateLimit: { permits: 1, perMs: 600_000 } } }],
  ] as const) {
    verifies(
      'wrap.back-pressure',
      async () => {
        const file = join(mkdtempSync(join(tmpdir(), 'toolspan-policy-')), 'policies.json');
        writeFileSync(file, JSON.stringify({ tools }));
        const wrapped = new Wrapped(['--policy', file, '--', ...server]);
        wrapped.process.stdout?.pause();
        const before = await eventually('it has started', () => peakOf(wrapped.process.pid));
        const text = 'x'.repeat(20_000);
        let sent = 0;
        const free = (id: number) => {
          const params = { name: 'x', arguments: { text } };
          const request = { jsonrpc: '2.0', id, method: 'tools/call', params };
          return wrapped.process.stdin?.write(`${JSON.stringify(request)}\n`) ?? false;
        };
        // no more is taken in the end, long before these 200 MB
        const isStuck = async () => {
          const drained = once(wrapped.process.stdin as NodeJS.WritableStream, 'drain').then(() => false);
          return Promise.race([drained, new Promise<true>((resolve) => setTimeout(resolve, 2_000, true))]);
        };
        for (; sent < 10_000; sent++) if (!free(sent) && (await isStuck())) break;
        expect(sent).toBeLessThan(10_000);
        expect(((peakOf(wrapped.process.pid) ?? Number.NaN) - before) / 1_024).toBeLessThan(150);
        wrapped.process.kill('SIGKILL');
        await once(wrapped.process, 'exit');
      },
      `${who}, under a policy`,
    );
  }
});

describe('a last line that its writer never ended', () => {
  verifies(
    'wrap.bytes',
    async () => {
      // the server dies in the middle of a line, and a child of it keeps the pipe
      const wrapped = new Wrapped(['--propagate', '--', 'sh', '-c', 'printf %s \'{"half":\'; sleep 60 & exit 4']);
      expect(await wrapped.ended()).toEqual({ code: 4, signal: null });
      expect(wrapped.stdout.toString('utf8')).toBe('{"half":');
    },
    'with --propagate',
  );
});
