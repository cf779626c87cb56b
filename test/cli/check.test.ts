// `toolspan check`: what it finds, and the exit code.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { nodeFindings } from '../../src/cli/check-findings.ts';
import { Child, type Ended } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { verifies } from '../harness/verifies.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const PLAIN = new URL('../fixtures/plain-server.ts', import.meta.url).pathname;
const REGISTER = new URL('../../src/register/index.ts', import.meta.url).pathname;
const PUPPET = new URL('../fixtures/puppet.ts', import.meta.url).pathname;
const NOWHERE = { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };

const check = (args: readonly string[], env: Record<string, string> = NOWHERE): Promise<Ended> =>
  new Child(process.execPath, [MAIN, 'check', ...args], { env }).ended();

interface Finding {
  readonly level: string;
  readonly found: string;
  readonly mend?: string;
}

const findings = ({ stdout }: Ended): Finding[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding);

describe('findings', () => {
  verifies('check.findings', async () => {
    const bad = await check([], { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', TOOLSPAN_TOOL: 'true' });
    expect(bad.code).toBe(1);
    for (const line of bad.stdout.trimEnd().split('\n')) expect(line).toMatch(/^(ok {3}|warn |fail ) \S/);
    for (const line of bad.stdout.split('\n').filter((text) => text.startsWith('fail')))
      expect(line).toContain('. Mend: ');
    expect(bad.stdout).toContain('fail  TOOLSPAN_TOOL is no setting of toolspan');
    const good = await check(['--json', '--service-name', 'mine']);
    expect(good.code).toBe(0);
    expect(findings(good).map(({ found }) => found)).toContain('OTEL_SERVICE_NAME=mine (flag)');
    expect((await check(['--timeout', 'soon'])).code).toBe(2);
    expect(await check(['--log-level', 'loud'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('TOOLSPAN_LOG_LEVEL must be one of debug,') as string,
    });
    const words = await check([], { ...NOWHERE, TOOLSPAN_LOG_FORMAT: 'xml', OTEL_TRACES_SAMPLER: 'foo' });
    expect(words.code).toBe(1);
    expect(words.stdout).toMatch(/^fail {2}TOOLSPAN_LOG_FORMAT must be one of auto, .*"xml"/m);
    expect(words.stdout).toMatch(/^fail {2}OTEL_TRACES_SAMPLER must be one of always_on, .*"foo"/m);
    expect(nodeFindings('20.9.0')[0]?.level).toBe('fail');
    expect(nodeFindings('22.15.0')[0]?.level).toBe('ok');
  });

  verifies('check.private', async () => {
    const env = {
      ...NOWHERE,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hush',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://user:hu@sh@collector.example',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'https://collector.example/logs?token=hush#hush',
      TOOLSPAN_TRACE_URL: 'https://user:no/hush@traces.example/{traceId}',
      OTEL_LOGS_EXPORTER: 'otlp',
    };
    const { stdout, stderr } = await check([], env);
    expect(stdout).toContain('OTEL_EXPORTER_OTLP_ENDPOINT=https://[REDACTED]@collector.example (environment)');
    expect(stdout).toContain('logs: https://collector.example/logs?[REDACTED] ');
    expect(stdout).toContain('OTEL_EXPORTER_OTLP_HEADERS=(set, not shown)');
    expect(stdout + stderr).not.toMatch(/hush|sh@/);
  });

  verifies('check.endpoint', async () => {
    const seen: string[] = [];
    const collector = await startCollector(({ path, headers }) => {
      seen.push(`${path} ${String(headers['x-key'])}`);
      return { status: path === '/v1/traces' ? 200 : path === '/v1/metrics' ? 404 : 401 };
    });
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${collector.url}/own`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b',
    };
    const result = await check(['--json'], env);
    const ends = findings(result).filter(({ found }) => /^(traces|metrics|logs):/.test(found));
    expect(ends.map(({ level, found, mend }) => [level, found.replaceAll(collector.url, 'URL'), mend])).toEqual([
      ['ok', 'traces: URL/v1/traces (http/protobuf, OTEL_EXPORTER_OTLP_ENDPOINT) takes telemetry', undefined],
      [
        'fail',
        'metrics: URL/v1/metrics (http/protobuf, OTEL_EXPORTER_OTLP_ENDPOINT) answers HTTP 404',
        expect.stringContaining('path') as string,
      ],
      [
        'fail',
        'logs: URL/own (http/protobuf, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT) answers HTTP 401',
        expect.stringContaining('HEADERS') as string,
      ],
    ]);
    expect(seen.toSorted()).toEqual(['/own a b', '/v1/metrics a b', '/v1/traces a b']);
    await collector.close();
  });
});

describe('a server', () => {
  verifies('check.server', async () => {
    const good = await check(['--json', '--', process.execPath, PLAIN, 'v2']);
    expect(good.code).toBe(0);
    expect(
      findings(good)
        .slice(-5)
        .map(({ level, found }) => [level, found.replace(/\d+ ms/, 'N ms')]),
    ).toEqual([
      ['ok', 'the server "reference" answers after N ms, 18 tools'],
      ['ok', 'stdout holds messages only'],
      ['ok', 'its messages became spans: initialize, notifications/initialized, tools/list'],
      ['ok', expect.stringMatching(/^it exports nothing by itself over OTLP\/HTTP: toolspan wrap /)],
      ['ok', 'it ends when stdin is closed (exit code 0)'],
    ]);
  });

  verifies(
    'check.server',
    async () => {
      const collector = await startCollector();
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/x`,
      };
      const result = await check(['--', process.execPath, '--import', REGISTER, PLAIN, 'v2'], env);
      expect(result.stdout).toMatch(/^ok {4}it exports by itself: traces, metrics(, logs)?$/m);
      // what is tried out is none of the collector's
      expect(collector.spans()).toEqual([]);
      await collector.close();
    },
    'one that exports by itself',
  );

  verifies(
    'check.server',
    async () => {
      const env = { ...NOWHERE, OTEL_SERVICE_NAME: 'its-own' };
      const flags = ['--service-name', 'ours', '--identity-key', 'ours-too'];
      const told = await check([...flags, '--', 'sh', '-c', 'env | grep -E "SERVICE_NAME|IDENTITY" >&2'], env);
      expect(told.stderr).toBe('OTEL_SERVICE_NAME=its-own\n');
      expect(told.stdout).toContain('OTEL_SERVICE_NAME=ours (flag)');
    },
    'with its own variables, not the flags of the check',
  );

  verifies(
    'check.server',
    async () => {
      const noisy = await check(['--', 'sh', '-c', `echo hello; exec ${process.execPath} ${PLAIN} v1`]);
      expect(noisy.code).toBe(1);
      expect(noisy.stdout).toContain(
        'fail  stdout holds lines that are no messages, the first: "hello". Mend: write logs to stderr',
      );
    },
    'one that writes to stdout',
  );

  verifies(
    'check.server',
    async () => {
      const hanging = await check(['--timeout', '0.5', '--', process.execPath, PUPPET, 'hangs']);
      expect(hanging.code).toBe(1);
      expect(hanging.stdout).toContain('fail  the server gave no answer to initialize within 500 ms');
      expect(hanging.stdout).toContain('warn  it did not end when stdin was closed');
      const crashing = await check(['--json', '--', 'sh', '-c', 'echo first >&2; echo no key >&2; exit 3']);
      expect(crashing.stderr).toBe('first\nno key\n');
      const said = findings(crashing).map(({ found }) => found);
      expect(said.at(-1)).toBe(
        'the server ended before it answered initialize (exit code 3); its last line on stderr: "no key"',
      );
      expect(said.join()).not.toMatch(/stdout|spans|stdin/);
      const missing = await check(['--', 'no-such-command-anywhere']);
      expect([missing.code, missing.stdout]).toEqual([
        1,
        expect.stringContaining('there is no such command') as string,
      ]);
    },
    'one that hangs, one that crashes, one that is not there',
  );
});

describe('a file of policies', () => {
  const file = (name: string, content: string): string => {
    const path = join(mkdtempSync(join(tmpdir(), 'toolspan-config-')), name);
    writeFileSync(path, content);
    return path;
  };

  verifies('config.file', async () => {
    const good = file(
      'good.mjs',
      'export default { tools: { "*": { timeoutMs: 500, breaker: { when: () => true } } } }',
    );
    expect((await check(['--policy', good])).stdout).toContain(`${good} has policies for *`);
    for (const [name, content, said] of [
      [
        'a.json',
        '{"tools":{"a":{"timeoutMs":"5s"}}}',
        'tools.a.timeoutMs: expected a number of milliseconds from 1 to 2147483647, or false, got "5s"',
      ],
      [
        'b.json',
        '{"tools":{"a b":{"retry":{"attempts":0}}}}',
        'tools["a b"].retry.attempts: expected a whole number from 1 to 1000, got 0',
      ],
      ['c.json', '{"tools":{"a":{"bulkhed":{}}}}', 'tools.a.bulkhed: there is no such option'],
      ['d.json', '{"tool":{}}', 'tools: expected record, received undefined'],
      ['e.json', '[]', 'the file: expected object, received array'],
      ['f.json', '{', 'cannot be read'],
      ['g.mjs', 'export const tools = {}', 'no default export'],
      ['i.json', '{"tools":{"a":{"rateLimit":{"per":"all"}}}}', 'tools.a.rateLimit.permits: expected a whole number'],
      [
        'j.json',
        '{"tools":{"@readOnly":{}}}',
        'tools["@readOnly"]: expected the name of a tool, "*", or one of @readOnlyHint',
      ],
      [
        'k.json',
        '{"tools":{"a":{"timeoutMs":5,"attemptTimeoutMs":6}}}',
        '"attemptTimeoutMs" must be at most "timeoutMs" (5)',
      ],
      ['l.json', '{"tools":{"a":{"clock":{}}}}', 'tools.a.clock: there is no such option'],
      ['h.mjs', 'export default { tools: { a: { failOn: "yes" } } }', 'tools.a.failOn: expected a function'],
    ] as const) {
      const { code, stdout } = await check(['--policy', file(name, content)]);
      expect([name, code, stdout]).toEqual([name, 1, expect.stringContaining(said) as string]);
    }
  });
});
