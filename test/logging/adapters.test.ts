// People keep their logger: code that logs as console does, and pino.
import { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { consoleLogger } from '../../src/index.ts';
import { pinoOptions } from '../../src/node/index.ts';
import { referenceServer, type Registering } from '../fixtures/reference-server.ts';
import { runFixture } from '../harness/child.ts';
import { inCall } from '../harness/in-call.ts';
import { keepLines, parsed } from '../harness/lines.ts';
import { script, type Json } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

describe('as console', () => {
  verifies('logging.console', async () => {
    const lines = keepLines({ level: 'debug' });
    const console = consoleLogger({ part: 'legacy' });
    const { logs } = await inCall(() => {
      console.log('%s has %d items: %j', 'cart', 2, { a: 1 }, 'extra');
      console.info({ deep: { list: [1, 2] } }, 'after');
      console.warn('careful');
      console.error('it failed:', new TypeError('broken'));
      console.debug();
      console.trace(undefined, null);
    });
    const own = parsed(lines).filter(({ event_type }) => event_type === 'log');
    expect(own.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'cart has 2 items: {"a":1} extra'],
      ['info', '{ deep: { list: [ 1, 2 ] } } after'],
      ['warn', 'careful'],
      ['error', 'it failed: TypeError: broken'],
      ['debug', ''],
      ['debug', 'undefined null'],
    ]);
    expect(own.every(({ extra_data, tool_name }) => extra_data?.['part'] === 'legacy' && tool_name === 'work')).toBe(
      true,
    );
    expect(logs.find(({ body }) => body === 'it failed: TypeError: broken')?.attributes).toMatchObject({
      'exception.type': 'TypeError',
    });
  });

  verifies(
    'logging.console',
    async () => {
      const { stdout, stderr } = await runFixture('log-script.ts', ['consoles'], {
        TOOLSPAN_LOG_LEVEL: 'info',
      }).ended();
      expect(stdout).toBe('');
      expect(JSON.parse(stderr)).toMatchObject({ message: 'not on stdout' });
    },
    'and never on stdout',
  );
});

describe('pino', () => {
  /** A real pino that joins the trace, and the lines it writes. */
  function joined(options: object = {}): { log: Logger; lines: Json[] } {
    const lines: Json[] = [];
    const keep = new Writable({
      write(chunk: Buffer, _, next) {
        lines.push(JSON.parse(String(chunk)) as Json);
        next();
      },
    });
    return { log: pino({ level: 'debug', ...pinoOptions(), ...options }, keep), lines };
  }

  verifies('logging.pino', async () => {
    const own = keepLines({ level: 'off' });
    const { log, lines } = joined();
    const child = log.child({ part: 'card' });
    const error = new TypeError('broken');
    const recorded = await inCall(() => {
      log.info({ city: 'Paris', password: 'hunter2' }, 'served %s in %d ms', 'forecast', 12);
      child.warn('plain');
      child.error(error, 'it failed');
      child.fatal(error);
      log.debug({ only: 'an object' });
      log.trace('below its level');
    });
    const call = recorded.spans().find(({ name }) => name === 'tools/call work');
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [30, 'served forecast in 12 ms'],
      [40, 'plain'],
      [50, 'it failed'],
      [60, 'broken'],
      [20, undefined],
    ]);
    for (const line of lines) {
      expect(line).toMatchObject({
        trace_id: call?.traceId,
        span_id: call?.spanId,
        trace_flags: '01',
        tool_name: 'work',
        request_id: '1',
      });
    }
    // pino's lines are pino's
    expect(lines[0]?.['password']).toBe('hunter2');
    expect(own).toEqual([]);
    const records = recorded.logs.filter(({ event }) => event === undefined);
    expect(records.map(({ severity, body }) => [severity, body])).toEqual([
      ['INFO', 'served forecast in 12 ms'],
      ['WARN', 'plain'],
      ['ERROR', 'it failed'],
      ['ERROR', 'broken'],
      ['DEBUG', ''],
    ]);
    expect(records.map(({ traceId }) => traceId)).toEqual(Array.from({ length: 5 }, () => call?.traceId));
    expect(records[0]?.attributes).toMatchObject({ city: 'Paris', password: '[REDACTED]', 'gen_ai.tool.name': 'work' });
    expect(records[0]?.attributes).not.toHaveProperty('pid');
    expect(records[2]?.attributes).toMatchObject({ part: 'card', 'exception.type': 'TypeError' });
    expect(String(records[2]?.attributes['exception.stacktrace'])).toContain('TypeError: broken\n');
  });

  verifies(
    'logging.pino',
    () => {
      const { log, lines } = joined({ redact: ['password'], base: undefined });
      log.info({ password: 'x' }, 'outside of any call');
      expect(lines[0]).not.toHaveProperty('trace_id');
      expect(lines[0]).toMatchObject({ msg: 'outside of any call', password: '[Redacted]' });
    },
    "outside of calls, beside pino's own options",
  );

  verifies(
    'logging.pino',
    async () => {
      const server = referenceServer('v1');
      const { log, lines } = joined();
      (server as unknown as Registering).registerTool('work', {}, () => {
        log.info({ city: 'Paris' }, 'to whom it may concern');
        return { content: [] };
      });
      const { transport, call } = await script(server, { clientLogs: 'all' });
      transport.deliver({ jsonrpc: '2.0', id: 'level', method: 'logging/setLevel', params: { level: 'info' } });
      call(1, 'work');
      await transport.answer(1);
      expect(lines).toHaveLength(1);
      const messages = transport.sent.filter(({ method }) => method === 'notifications/message');
      expect(messages.map(({ params }) => (params as { data: Json }).data)).toContainEqual(
        expect.objectContaining({ message: 'to whom it may concern', city: 'Paris' }),
      );
    },
    'also to a client that asked',
  );

  verifies(
    'logging.pino',
    () => {
      const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
      onTestFinished(() => void vi.restoreAllMocks());
      const { log, lines } = joined();
      const { logMethod } = pinoOptions().hooks;
      logMethod.call(
        {},
        [
          {
            get angry(): never {
              throw new Error('no');
            },
          },
          '%s',
        ],
        () => {},
        30,
      );
      logMethod.call(log, [Symbol('s'), 7], () => {}, 35);
      log.info({ toJSON: () => 'x' }, 'fine');
      expect(lines).toHaveLength(1);
      expect(said).not.toHaveBeenCalled();
    },
    'whatever it is given',
  );
});
