// The life of a wrapped server is its own: how it ends, what it is told, and that nothing stays behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { launchOf } from '../../src/proxy/command.ts';
import { startCollector, type Collector } from '../harness/collector.ts';
import { eventually } from '../harness/poll.ts';
import { INITIALIZE } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';
import { isAlive, SILENT, Wrapped } from '../harness/wrapped.ts';

const PUPPET = new URL('../fixtures/puppet.ts', import.meta.url).pathname;
const PLAIN = new URL('../fixtures/plain-server.ts', import.meta.url).pathname;
const puppet = (...args: string[]) => ['--', process.execPath, PUPPET, ...args];
const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'hang', arguments: {} } };

/** The process id that a puppet says. */
async function pidOf(wrapped: Wrapped): Promise<number> {
  await wrapped.says('"pid":');
  return Number(/"pid":(\d+)/.exec(wrapped.stdout.toString('utf8'))?.[1]);
}

const gone = (pid: number) => eventually(`process ${pid} is gone`, () => (isAlive(pid) ? undefined : true));

describe('the end', () => {
  for (const code of [0, 1, 7, 255]) {
    verifies(
      'wrap.exit',
      async () => {
        expect(await new Wrapped(puppet('exits', String(code))).close()).toEqual({ code, signal: null });
      },
      `exit code ${code}`,
    );
  }

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL', 'SIGHUP', 'SIGABRT'] as const) {
    verifies(
      'wrap.exit',
      async () => {
        expect(await new Wrapped(puppet('dies', signal)).ended()).toEqual({ code: null, signal });
      },
      signal,
    );
  }

  verifies(
    'wrap.exit',
    async () => {
      expect(await new Wrapped(['--', 'sh', '-c', 'kill -PIPE $$']).ended()).toEqual({ code: 141, signal: null });
    },
    'SIGPIPE, which Node cannot die of, as a shell says it',
  );

  verifies(
    'wrap.exit',
    async () => {
      const wrapped = new Wrapped(['--', 'sh', '-c', 'printf "%01000000d" 7; exit 3']);
      expect(await wrapped.ended()).toEqual({ code: 3, signal: null });
      expect(wrapped.stdoutBytes).toBe(1_000_000);
    },
    'after all that it wrote last',
  );
});

describe('signals', () => {
  verifies('wrap.signals', async () => {
    const wrapped = new Wrapped(puppet('counts'));
    await pidOf(wrapped);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      wrapped.process.kill(signal);
      await wrapped.says(`"signal":"${signal}"`);
    }
    expect(await wrapped.ended()).toEqual({ code: 0, signal: null });
  });

  verifies(
    'wrap.signals',
    async () => {
      // a server behind a launcher, as behind npx or uvx
      const wrapped = new Wrapped(['--', 'sh', '-c', `${process.execPath} ${PUPPET} counts; echo over`]);
      const pid = await pidOf(wrapped);
      wrapped.process.kill('SIGTERM');
      await gone(pid).catch(() => undefined);
      await wrapped.says('"signal":"SIGTERM"');
      wrapped.process.stdin?.end();
      await wrapped.ended();
      await gone(pid);
    },
    'to a grandchild',
  );
});

describe('orphans', () => {
  verifies(
    'wrap.orphans',
    async () => {
      const wrapped = new Wrapped(puppet('hangs'));
      const pid = await pidOf(wrapped);
      const since = performance.now();
      expect(await wrapped.close()).toEqual({ code: null, signal: 'SIGKILL' });
      expect(isAlive(pid)).toBe(false);
      // a client of the SDK kills the proxy 4 s after it has closed stdin
      expect(performance.now() - since).toBeGreaterThan(1_500);
    },
    'a server that does not end when stdin is closed',
  );

  verifies(
    'wrap.orphans',
    async () => {
      const wrapped = new Wrapped(['--', 'sh', '-c', `${process.execPath} ${PUPPET} hangs; echo over`]);
      const pid = await pidOf(wrapped);
      await wrapped.close();
      await gone(pid);
    },
    'a grandchild that does not end',
  );

  verifies(
    'wrap.orphans',
    async () => {
      const wrapped = new Wrapped(['--', 'sh', '-c', `${process.execPath} ${PUPPET} hangs <&- & sleep 0.5; exit 5`]);
      const pid = await pidOf(wrapped);
      expect(await wrapped.ended()).toEqual({ code: 5, signal: null });
      await gone(pid);
    },
    'what a dead server has started',
  );

  verifies(
    'wrap.orphans',
    async () => {
      const wrapped = new Wrapped(puppet('hangs'));
      const pid = await pidOf(wrapped);
      wrapped.process.stdout?.destroy();
      wrapped.process.stdin?.destroy();
      wrapped.process.stderr?.destroy();
      await once(wrapped.process, 'exit');
      await gone(pid);
    },
    'a client that has let go of all pipes',
  );

  verifies(
    'wrap.orphans',
    async () => {
      const wrapped = new Wrapped(puppet('hangs'));
      const pid = await pidOf(wrapped);
      wrapped.process.kill('SIGKILL');
      await gone(pid);
    },
    'a proxy that is killed before a server that does not end with stdin',
  );

  verifies(
    'wrap.orphans',
    async () => {
      // a client that is killed: the pipes break, and nobody waits
      const wrapping = JSON.stringify([
        process.execPath,
        [new URL('../../src/cli/main.ts', import.meta.url).pathname, 'wrap', ...puppet('hangs')],
      ]);
      const client = spawn(
        process.execPath,
        [
          '-e',
          `const c = require('child_process').spawn(...${wrapping}, { stdio: ['pipe', 'pipe', 'inherit'] }); c.stdout.once('data', (d) => console.log(c.pid + ' ' + d)); setInterval(() => {}, 1000);`,
        ],
        { env: { ...process.env, ...SILENT } },
      );
      let said = '';
      client.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
      const [proxy, server] = await eventually('both process ids', () => {
        const match = /^(\d+) \{"pid":(\d+)\}/.exec(said);
        return match === null ? undefined : [Number(match[1]), Number(match[2])];
      });
      client.kill('SIGKILL');
      await gone(server);
      await gone(proxy);
    },
    'a client that is killed',
  );

  verifies(
    'wrap.orphans',
    async () => {
      const wrapped = new Wrapped(puppet('floods', '1000000'));
      await wrapped.bytes(1_000);
      // nobody reads any more: the pipe is broken, and nothing must spin on it
      wrapped.process.stdout?.destroy();
      const [code] = (await once(wrapped.process, 'exit')) as [number | null];
      expect(code).not.toBe(0);
    },
    'a client that no longer reads (EPIPE)',
  );

  verifies(
    'wrap.orphans',
    async () => {
      // all requests at once, then the end of stdin: the work is finished first
      const wrapped = new Wrapped([
        '--',
        'sh',
        '-c',
        'cat >/dev/null; sleep 3; echo \'{"jsonrpc":"2.0","id":7,"result":{}}\'',
      ]);
      wrapped.send({ ...CALL, id: 7 });
      expect(await wrapped.close()).toEqual({ code: 0, signal: null });
      expect(wrapped.stdout.toString('utf8')).toContain('"id":7');
    },
    'but work that somebody waits for is let finish',
  );
});

describe('surroundings', () => {
  verifies('wrap.environment', async () => {
    const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'toolspan-cwd-')));
    const wrapped = new Wrapped(['--service-name', 'mine', ...puppet('shows')], {
      cwd,
      env: { ...SILENT, MINE: 'yes' },
    });
    await wrapped.says('"cwd"');
    await eventually('stderr', () => wrapped.stderr.includes('a word of the server\n') || undefined);
    await wrapped.close();
    const { params: shown } = JSON.parse(wrapped.stdout.toString('utf8')) as {
      params: { cwd: string; env: Record<string, string> };
    };
    expect(shown.cwd).toBe(cwd);
    expect(shown.env).toMatchObject({ MINE: 'yes', ...SILENT });
    // a flag is for the proxy alone
    expect(shown.env['OTEL_SERVICE_NAME']).toBeUndefined();
    expect(wrapped.stderr).toBe('a word of the server\n');
  });

  verifies('wrap.start', async () => {
    const wrapped = new Wrapped(['--', 'no-such-command-anywhere']);
    expect(await wrapped.ended()).toEqual({ code: 127, signal: null });
    expect(wrapped.stderr).toBe('toolspan: cannot start "no-such-command-anywhere": there is no such command.\n');
    const folder = new Wrapped(['--', tmpdir()]);
    expect(await folder.ended()).toEqual({ code: 126, signal: null });
    expect(folder.stderr).toContain('EACCES');
    const empty = new Wrapped(['--', '']);
    expect(await empty.ended()).toEqual({ code: 126, signal: null });
    expect(empty.stderr).toMatch(/^toolspan: cannot start "": .*\n$/);
  });

  verifies('wrap.command-line', () => {
    expect(launchOf('node', ['a b', '"'], 'linux')).toEqual({ command: 'node', args: ['a b', '"'], verbatim: false });
    expect(launchOf('node.exe', ['a'], 'win32')).toEqual({ command: 'node.exe', args: ['a'], verbatim: false });
    const { command, args, verbatim } = launchOf('npx', ['-y', 'server', 'a "b" & c\\', '%PATH%'], 'win32');
    expect([command, args.slice(0, 3), verbatim]).toEqual(['cmd.exe', ['/d', '/s', '/c'], true]);
    expect(args[3]).toBe('"^"npx^" ^"-y^" ^"server^" ^"a^ \\^"b\\^"^ ^&^ c\\\\^" ^"^%PATH^%^""');
    // what cmd.exe would take for itself has a caret before it, but for the quotes around it all
    expect(args[3]?.slice(1, -1)).not.toMatch(/(?<!\^)[&|<>%]/);
  });
});

describe('faults', () => {
  const withCollector = async (use: (collector: Collector) => Promise<void>): Promise<void> => {
    const collector = await startCollector();
    await use(collector);
    await collector.close();
  };
  const outcomes = (collector: Collector) =>
    Object.fromEntries(collector.spans().map(({ name, attributes }) => [name, attributes['toolspan.outcome']]));

  verifies(
    'wrap.faults',
    () =>
      withCollector(async (collector) => {
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
        const wrapped = new Wrapped(puppet('crashes'), { env });
        wrapped.send(INITIALIZE);
        await wrapped.says('crasher');
        wrapped.send(CALL);
        expect(await wrapped.ended()).toEqual({ code: 70, signal: null });
        expect(outcomes(collector)).toEqual({ initialize: 'ok', 'tools/call _other': 'aborted' });
      }),
    'a server that crashes in a call',
  );

  verifies(
    'wrap.faults',
    () =>
      withCollector(async (collector) => {
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
        const wrapped = new Wrapped(puppet('hangs'), { env });
        await pidOf(wrapped);
        wrapped.send(CALL);
        wrapped.process.stdin?.end();
        // as a client of the SDK does it: stdin, then a signal
        await new Promise((resolve) => setTimeout(resolve, 500));
        wrapped.process.kill('SIGTERM');
        expect(await wrapped.ended()).toEqual({ code: null, signal: 'SIGKILL' });
        expect(outcomes(collector)).toEqual({ 'tools/call _other': 'aborted' });
      }),
    'a server that hangs',
  );

  verifies(
    'wrap.faults',
    () =>
      withCollector(async (collector) => {
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
        const wrapped = new Wrapped(['--', 'sh', '-c', 'exec >&-; cat >&2'], { env });
        await once(wrapped.process.stdout as NodeJS.ReadableStream, 'end');
        wrapped.send(CALL);
        expect(await wrapped.close()).toEqual({ code: 0, signal: null });
        expect(outcomes(collector)).toEqual({ 'tools/call _other': 'aborted' });
      }),
    'a server that closes its stdout',
  );

  verifies(
    'wrap.faults',
    () =>
      withCollector(async (collector) => {
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
        const wrapped = new Wrapped(puppet('floods', '3000'), { env });
        await wrapped.says('flooded');
        await wrapped.close();
        const notifications = collector.spans().filter(({ name }) => name === 'notifications/message');
        expect(notifications.length).toBeGreaterThan(0);
        expect(new Set(notifications.map(({ attributes }) => attributes['toolspan.outcome']))).toEqual(new Set(['ok']));
      }),
    'a server that floods',
  );

  verifies('wrap.collector', async () => {
    const collector = await startCollector(() => 'never');
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, TOOLSPAN_SHUTDOWN_TIMEOUT_MS: '300' };
    const wrapped = new Wrapped(['--', process.execPath, PLAIN, 'v1'], { env });
    wrapped.send(INITIALIZE, { jsonrpc: '2.0', id: 2, method: 'tools/list' });
    await wrapped.says('"id":2');
    expect(await wrapped.close()).toEqual({ code: 0, signal: null });
    expect(collector.received.map(({ path }) => path)).toContain('/v1/traces');
    await collector.close();
  });

  verifies('wrap.service', () =>
    withCollector(async (collector) => {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
      const wrapped = new Wrapped(['--', process.execPath, PLAIN, 'v1'], { env });
      wrapped.send(INITIALIZE);
      await wrapped.says('serverInfo');
      await wrapped.close();
      const bodies = JSON.stringify(collector.bodies('traces'));
      expect(bodies).toContain('{"key":"service.name","value":{"stringValue":"reference"}}');
      expect(bodies).toContain('{"key":"service.version","value":{"stringValue":"1.2.3"}}');
    }),
  );

  verifies('wrap.settings', async () => {
    const wrapped = new Wrapped(
      [
        '--otel-traces-exporter',
        'console',
        '--otel-metrics-exporter=none',
        '--otel-logs-exporter',
        'none',
        '--',
        'cat',
      ],
      { env: {} },
    );
    wrapped.send({ jsonrpc: '2.0', id: 1, method: 'ping' });
    await wrapped.says('ping');
    await wrapped.close();
    expect(wrapped.stderr).toContain('"resourceSpans"');
  });
});
