// The lines on stderr: what stands in them, and how they get there past a reader that is slow, absent or gone.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import * as fc from 'fast-check';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { describe, expect, onTestFinished } from 'vitest';
import { logger } from '../../src/index.ts';
import { jsonLine } from '../../src/logging/json-line.ts';
import { LineWriter } from '../../src/logging/line-writer.ts';
import type { LogRecord } from '../../src/logging/log-record.ts';
import { readableLine } from '../../src/logging/readable-line.ts';
import { runFixture } from '../harness/child.ts';
import { keepLines, parsed, type Line } from '../harness/lines.ts';
import { eventually } from '../harness/poll.ts';
import { SECRETS } from '../harness/secrets.ts';
import { verifies } from '../harness/verifies.ts';

const FIELDS = ['timestamp', 'event_type', 'level', 'message', 'tool_name', 'user_id', 'request_id', 'extra_data'];
const JOINED = ['trace_id', 'span_id', 'service', 'session_id'];

const full: LogRecord = {
  time: Date.UTC(2026, 10, 24, 12, 0, 0, 7),
  eventType: 'tool_success',
  ofOurs: true,
  level: 'info',
  message: 'Tool echo succeeded',
  call: {
    server: 'weather',
    method: 'tools/call',
    toolName: 'echo',
    requestId: '1',
    sessionId: 'session',
    user: { id: 'ada', hashed: false },
  },
  attributes: { duration_ms: 1.5 },
  exception: undefined,
  context: ROOT_CONTEXT,
  span: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 },
};

describe('a line of JSON', () => {
  verifies('logging.json-line', () => {
    const line = jsonLine(full, 'weather');
    expect(line).toBe(
      '{"timestamp":"2026-11-24T12:00:00.007Z","event_type":"tool_success","level":"info","message":"Tool echo succeeded",' +
        '"tool_name":"echo","user_id":"ada","request_id":"1","extra_data":{"duration_ms":1.5},' +
        `"trace_id":"${'a'.repeat(32)}","span_id":"${'b'.repeat(16)}","service":"weather","session_id":"session"}`,
    );
    expect(Object.keys(JSON.parse(line) as Line)).toEqual([...FIELDS, ...JOINED]);
    const least = jsonLine({ ...full, call: undefined, attributes: undefined, span: undefined }, undefined);
    expect(Object.keys(JSON.parse(least) as Line)).toEqual(FIELDS.slice(0, 4));
  });

  verifies('logging.line-safe', () => {
    const lines = keepLines({ level: 'debug' });
    const breaks = [
      '\n',
      '\r',
      '\u2028',
      '\u2029',
      '\u0085',
      '\u001B[2J',
      '\u009B31m',
      '\u007F',
      '\u0000',
      '\uD800',
      '"',
      '\\',
    ];
    for (const character of breaks)
      logger.info(`a${character}b`, { [`k${character}`]: character, event_type: `e${character}` });
    for (const line of lines) expect(line).toMatch(/^[\u0020-\u007E]*$/);
    expect(parsed(lines).map(({ message }) => message)).toEqual(breaks.map((character) => `a${character}b`));
  });

  verifies('logging.line-any-value', () => {
    const lines = keepLines({ level: 'debug' });
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      stringUnit: 'binary',
    });
    const secret = fc.constantFrom(...SECRETS);
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.dictionary(fc.string({ unit: 'binary' }), anything),
        anything,
        secret,
        (message, attributes, value, [, hidden, around]) => {
          lines.length = 0;
          logger.info(message, attributes);
          logger.error(`${message} ${around}`, { ...attributes, value, note: around, error: new Error(around) });
          logger.child(attributes).warn(value as string, { message, list: [value, around] });
          expect(lines).toHaveLength(3);
          for (const line of lines) {
            expect(line.length).toBeLessThan(64_000);
            expect(line).not.toMatch(/[\n\r\u2028\u2029\u0085]/);
            const fields = Object.keys(JSON.parse(line) as Line);
            expect(fields).toEqual([...FIELDS, ...JOINED].filter((field) => fields.includes(field)));
            expect(line).not.toContain(JSON.stringify(hidden).slice(1, -1));
          }
        },
      ),
      { numRuns: 1_000 },
    );
    lines.length = 0;
    logger.error('m'.repeat(1e6), {
      big: 'x'.repeat(1e6),
      many: Array.from({ length: 1e4 }, () => 'y'.repeat(1e3)),
      error: new Error('e'.repeat(1e6)),
    });
    expect(lines[0]?.length).toBeLessThan(64_000);
    expect(parsed(lines)[0]?.message).toHaveLength(2_048);
  });

  verifies('logging.readable', () => {
    const line = readableLine({
      ...full,
      level: 'error',
      attributes: { city: 'Par\nis', n: 1 },
      exception: { 'exception.stacktrace': 'Error: x\u001B[2J\n    at a\n    at b' },
    });
    expect(line).toBe(
      `12:00:00.007 ERROR Tool echo succeeded tool=echo city=Par is n=1 trace=${'a'.repeat(32)}\n    Error: x [2J\n    at a\n    at b`,
    );
    const lines = keepLines({ format: 'readable' });
    logger.warn('look out', { city: 'Oslo' });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}look out city=Oslo$/);
  });
});

/** A descriptor that takes so many bytes, then none until it is read. */
class Pipe {
  text = '';
  room: number;
  broken: string | undefined;
  writes = 0;

  constructor(room: number) {
    this.room = room;
  }

  readonly write = (bytes: Buffer): number => {
    this.writes++;
    if (this.broken !== undefined) throw Object.assign(new Error('gone'), { code: this.broken });
    if (this.room === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
    const taken = bytes.subarray(0, this.room);
    this.room -= taken.length;
    this.text += taken.toString('latin1');
    return taken.length;
  };
}

describe('the way to stderr', () => {
  const report = (dropped: number) => `${dropped} dropped`;

  verifies('logging.batches', async () => {
    const pipe = new Pipe(Number.POSITIVE_INFINITY);
    const writer = new LineWriter(pipe.write, report);
    for (let line = 0; line < 1_000; line++) writer.push(`line ${line}`);
    expect(pipe.text).toBe('');
    await eventually('the lines are written', () => pipe.text !== '' || undefined);
    expect(pipe.text).toBe(Array.from({ length: 1_000 }, (_, line) => `line ${line}\n`).join(''));
    expect(pipe.writes).toBe(1);
    for (let line = 0; line < 200; line++) writer.push('x'.repeat(1_000));
    writer.flush();
    expect(pipe.writes).toBe(5);
  });

  verifies(
    'logging.batches',
    () => {
      fc.assert(
        fc.property(
          fc.array(fc.oneof(fc.string({ unit: 'grapheme-ascii' }), fc.nat(40)), { maxLength: 60 }),
          (steps) => {
            const pipe = new Pipe(0);
            const writer = new LineWriter(pipe.write, report);
            let expected = '';
            for (const step of steps) {
              if (typeof step === 'number') pipe.room += step;
              else {
                writer.push(step);
                expected += `${step}\n`;
              }
              writer.flush();
              expect(expected.startsWith(pipe.text)).toBe(true);
            }
            pipe.room = Number.POSITIVE_INFINITY;
            writer.flush();
            expect(pipe.text).toBe(expected);
          },
        ),
      );
    },
    'whatever the pipe takes at a time',
  );

  verifies('logging.dropped', async () => {
    const pipe = new Pipe(100);
    const writer = new LineWriter(pipe.write, report);
    for (let line = 0; line < 3_000; line++) writer.push('x'.repeat(999));
    writer.flush();
    expect(pipe.text).toHaveLength(100);
    const { dropped } = writer;
    // a megabyte may wait
    expect(dropped).toBeGreaterThan(1_900);
    expect(dropped).toBeLessThan(2_000);
    pipe.room = Number.POSITIVE_INFINITY;
    // by itself, when it tries again
    await eventually('the report', () => pipe.text.includes('dropped') || undefined);
    const lines = pipe.text.trimEnd().split('\n');
    expect(lines).toHaveLength(3_000 - dropped + 1);
    expect(lines.at(-1)).toBe(`${dropped} dropped`);
    writer.push('and on');
    writer.flush();
    expect(pipe.text.endsWith(`${dropped} dropped\nand on\n`)).toBe(true);
  });

  verifies(
    'logging.dropped',
    () => {
      const pipe = new Pipe(10);
      const writer = new LineWriter(pipe.write, report);
      pipe.broken = 'EPIPE';
      writer.push('nobody reads this');
      writer.flush();
      for (let line = 0; line < 10; line++) writer.push('nor this');
      pipe.broken = undefined;
      writer.flush();
      expect(pipe.text).toBe('');
      expect(writer.dropped).toBe(10);
    },
    'where the reader is gone',
  );

  verifies('logging.slow-pipe', async () => {
    const child = runFixture('log-script.ts', ['floods'], { TOOLSPAN_LOG_LEVEL: 'info' });
    child.process.stderr?.pause();
    // it logs 20 MB while nobody reads, and still ends
    await eventually('it has finished', () => child.stdout.includes('"done"') || undefined);
    expect((JSON.parse(child.stdout) as { dropped: number }).dropped).toBeGreaterThan(10_000);
    await eventually('the process is gone', () => child.process.exitCode ?? child.process.signalCode ?? undefined);
    child.process.stderr?.resume();
    expect(await child.ended()).toMatchObject({ code: 0 });
    for (const line of child.stderr.split('\n').slice(0, 50))
      expect(JSON.parse(line)).toMatchObject({ event_type: 'log' });
  });

  verifies(
    'logging.slow-pipe',
    async () => {
      const child = runFixture('log-script.ts', ['floodsThenWaits'], { TOOLSPAN_LOG_LEVEL: 'info' });
      child.process.stderr?.pause();
      await eventually('it has flooded', () => child.stdout.includes('"done"') || undefined);
      child.process.stderr?.resume();
      const said = await eventually('the report', () => /^.*logs_dropped.*$/m.exec(child.stderr)?.[0]);
      const { extra_data, message, level } = JSON.parse(said) as Line;
      expect(level).toBe('warn');
      expect(message).toBe(`${Number(extra_data?.['dropped'])} log lines were dropped: stderr is not read fast enough`);
      for (const line of child.stderr.trimEnd().split('\n')) JSON.parse(line);
      await child.kill('SIGKILL');
    },
    'and what was dropped is reported once there is room',
  );

  verifies(
    'logging.slow-pipe',
    async () => {
      for (const script of ['exits', 'throws', 'drains']) {
        const { stderr, stdout } = await runFixture('log-script.ts', [script], { TOOLSPAN_LOG_LEVEL: 'info' }).ended();
        expect(stderr, script).toContain('"message":"the last words"');
        expect(stdout).toBe('');
      }
      const gone = runFixture('log-script.ts', ['floods'], { TOOLSPAN_LOG_LEVEL: 'info' });
      gone.process.stderr?.destroy();
      expect(await gone.ended()).toMatchObject({ code: 0, signal: null });
    },
    'the last line is written however the process ends, and a closed pipe harms nobody',
  );

  verifies(
    'logging.slow-pipe',
    async () => {
      const file = `/tmp/toolspan-stderr-${process.pid}`;
      const descriptor = openSync(file, 'w+');
      onTestFinished(() => closeSync(descriptor));
      const child = spawn(process.execPath, [new URL('../fixtures/log-script.ts', import.meta.url).pathname, 'exits'], {
        stdio: ['ignore', 'ignore', descriptor],
        env: { PATH: process.env['PATH'], TOOLSPAN_LOG_LEVEL: 'info' },
      });
      await new Promise((resolve) => child.once('exit', resolve));
      expect(parsed(readFileSync(file, 'utf8').trimEnd().split('\n')).at(-1)?.message).toBe('the last words');
      rmSync(file);
    },
    'a file gets everything',
  );
});
