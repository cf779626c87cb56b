// The logger: what it knows of the call, and that it never harms its host.
import { setTimeout as later } from 'node:timers/promises';
import { context, trace } from '@opentelemetry/api';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { consoleLogger, logger } from '../../src/index.ts';
import { inCall } from '../harness/in-call.ts';
import { keepLines, parsed } from '../harness/lines.ts';
import { connect, describeMatrix } from '../harness/matrix.ts';
import { recorder } from '../harness/recorder.ts';
import { SECRETS } from '../harness/secrets.ts';
import { verifies } from '../harness/verifies.ts';

describeMatrix(
  'a record of a call',
  (combination) => {
    verifies('logging.record', async () => {
      const lines = keepLines();
      const { call, close, recorder: recorded, spans } = await connect(combination, { server: { logLevel: 'info' } });
      await call('logs', { city: 'Paris' });
      await close();
      const span = spans().find(({ name }) => name === 'tools/call logs');
      const line = parsed(lines).find(({ event_type }) => event_type === 'log');
      expect(line).toMatchObject({
        level: 'info',
        message: 'forecast served for Paris',
        tool_name: 'logs',
        request_id: span?.attributes['jsonrpc.request.id'],
        extra_data: { unit: 'celsius', city: 'Paris', password: '[REDACTED]' },
        trace_id: span?.traceId,
        span_id: span?.spanId,
        service: 'reference',
      });
      const session = span?.attributes['mcp.session.id'];
      expect(line?.session_id).toBe(session);
      expect(session === undefined).toBe(combination.carrier !== 'http' || combination.peer !== 'v1');
      const record = recorded?.logs.find(({ body }) => body === 'forecast served for Paris');
      expect(record).toMatchObject({
        severity: 'INFO',
        severityNumber: 9,
        event: undefined,
        traceId: span?.traceId,
        spanId: span?.spanId,
        scope: 'toolspan',
      });
      expect(record?.attributes).toEqual({
        unit: 'celsius',
        city: 'Paris',
        password: '[REDACTED]',
        'gen_ai.tool.name': 'logs',
        'jsonrpc.request.id': span?.attributes['jsonrpc.request.id'],
        ...(session !== undefined && { 'mcp.session.id': session }),
      });
    });
  },
  ({ carrier }) => carrier !== 'stdio',
);

describe('the logger', () => {
  verifies(
    'logging.record',
    async () => {
      const lines = keepLines();
      const { tracerProvider } = recorder();
      const recorded = await inCall(
        async () => {
          await later(1);
          const { promise, resolve } = Promise.withResolvers<void>();
          setTimeout(() => {
            logger.info('from a timer');
            const own = tracerProvider.getTracer('app').startSpan('inner', {}, context.active());
            context.with(trace.setSpan(context.active(), own), () => logger.info('in a span of its own'));
            own.end();
            resolve();
          }, 1);
          await promise;
        },
        { logLevel: 'info' },
      );
      const [fromTimer, inSpan] = parsed(lines).filter(({ event_type }) => event_type === 'log');
      const call = recorded.spans().find(({ name }) => name === 'tools/call work');
      expect([fromTimer?.trace_id, fromTimer?.span_id]).toEqual([call?.traceId, call?.spanId]);
      expect(inSpan?.trace_id).toBe(call?.traceId);
      expect(inSpan?.span_id).not.toBe(call?.spanId);
      expect(inSpan?.tool_name).toBe('work');
    },
    'after timers, and under a span of its own',
  );

  verifies('logging.outside', () => {
    const lines = keepLines({ level: 'info' });
    logger.info('started', { port: 1 });
    const [line] = parsed(lines);
    expect(line).toMatchObject({ message: 'started', extra_data: { port: 1 } });
    for (const field of ['trace_id', 'span_id', 'tool_name', 'request_id', 'session_id', 'user_id']) {
      expect(line).not.toHaveProperty(field);
    }
  });

  verifies('logging.child', () => {
    const lines = keepLines({ level: 'debug' });
    const child = logger.child({ unit: 'billing', attempt: 1 }).child({ part: 'card' });
    child.debug('charged', { attempt: 2 });
    child.warn('refused');
    logger.warn('neither', { event_type: 'payment' });
    expect(parsed(lines).map(({ level, extra_data, event_type }) => [level, extra_data, event_type])).toEqual([
      ['debug', { unit: 'billing', attempt: 2, part: 'card' }, 'log'],
      ['warn', { unit: 'billing', attempt: 1, part: 'card' }, 'log'],
      ['warn', {}, 'payment'],
    ]);
  });

  verifies('logging.exception', () => {
    const lines = keepLines();
    const cause = new RangeError('too far');
    logger.error('it failed', { error: new TypeError('broken', { cause }), city: 'Paris' });
    logger.error('it failed', { err: new TypeError('broken'), error: 'not an error' });
    logger.error(new EvalError('bare') as unknown as string);
    type Extra = { readonly exception: Readonly<Record<string, string>> };
    const [first, second, third] = parsed(lines).map(({ extra_data }) => extra_data as unknown as Extra);
    expect(first).toMatchObject({ city: 'Paris', exception: { type: 'TypeError', message: 'broken' } });
    expect(first?.exception['stack']).toMatch(/^TypeError: broken\n[^]*Caused by: RangeError: too far\n/);
    expect(second).toMatchObject({ error: 'not an error', exception: { type: 'TypeError' } });
    expect(third).toMatchObject({ exception: { type: 'EvalError', message: 'bare' } });
    expect(parsed(lines).at(-1)?.message).toBe('bare');
  });

  verifies('logging.redacted', async () => {
    const lines = keepLines({ level: 'debug' });
    const recorded = await inCall(() => {
      for (const [form, secret, around] of SECRETS) {
        const error = new Error(around);
        logger.info(`message ${around}`, { form, note: around, list: [{ around }], error, password: secret });
        consoleLogger({ note: around }).warn('a', around, { b: around });
      }
    });
    const sent = JSON.stringify([lines, recorded.logs]);
    expect(lines.length).toBeGreaterThan(2 * SECRETS.length);
    // a line is JSON inside JSON here
    const escaped = (secret: string) => JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1);
    for (const [form, secret] of SECRETS) {
      expect(sent, form).not.toContain(escaped(secret));
      expect(sent, form).not.toContain(secret);
    }
  });

  verifies('logging.never-throws', () => {
    const said: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0);
    onTestFinished(() => void vi.restoreAllMocks());
    const fail = () => {
      throw new Error('it fails');
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    keepLines({ level: 'debug', write: fail });
    for (const value of [undefined, null, 1, Symbol('s'), revoked.proxy, { toString: fail }]) {
      logger.info(value as string, value as never);
      logger.child(value as never).error(value as string);
      consoleLogger(value as never).log(value, '%s %d %j', value, value);
    }
    expect(said.filter((line) => line.includes('writing a log line failed'))).toHaveLength(1);
  });
});
