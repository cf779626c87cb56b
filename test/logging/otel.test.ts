// Records in the Logs API of OpenTelemetry, whichever package it comes from.
import { createRequire } from 'node:module';
import { logs } from '@opentelemetry/api';
import { logs as legacyLogs } from '@opentelemetry/api-logs';
import { LoggerProvider, type ReadWriteLogRecord } from '@opentelemetry/sdk-logs';
import { describe, expect, onTestFinished } from 'vitest';
import { logger } from '../../src/index.ts';
import { findLogsApi } from '../../src/logging/otel-sink.ts';
import { inCall } from '../harness/in-call.ts';
import { keepLines } from '../harness/lines.ts';
import { verifies } from '../harness/verifies.ts';

const done = () => Promise.resolve();

describe('the Logs API', () => {
  verifies('logging.otel', async () => {
    keepLines({ level: 'debug' });
    const { logs: emitted } = await inCall(() => {
      logger.debug('d');
      logger.info('i', { deep: { list: [1, 'two', { three: true }] } });
      logger.warn('w', { event_type: 'payment_refused' });
      logger.error('e', { error: new RangeError('out') });
    });
    const own = emitted.filter(({ event }) => event?.startsWith('toolspan.') !== true);
    expect(own.map(({ severity, severityNumber, body }) => [severity, severityNumber, body])).toEqual([
      ['DEBUG', 5, 'd'],
      ['INFO', 9, 'i'],
      ['WARN', 13, 'w'],
      ['ERROR', 17, 'e'],
    ]);
    expect(own[1]?.attributes['deep']).toEqual({ list: [1, 'two', { three: true }] });
    expect(own[3]?.attributes).toMatchObject({ 'exception.type': 'RangeError', 'exception.message': 'out' });
    expect(emitted.map(({ event }) => event)).toEqual([
      'toolspan.tool_start',
      undefined,
      undefined,
      'payment_refused',
      undefined,
      'toolspan.tool_success',
    ]);
  });

  verifies(
    'logging.otel',
    () => {
      keepLines();
      const bodies: unknown[] = [];
      const provider = () => {
        const keep = {
          onEmit: ({ body }: ReadWriteLogRecord) => void bodies.push(body),
          forceFlush: done,
          shutdown: done,
        };
        return new LoggerProvider({ processors: [keep] });
      };
      onTestFinished(() => logs.disable());
      logger.warn('before there is an SDK');
      logs.setGlobalLoggerProvider(provider());
      logger.warn('first');
      logs.disable();
      logger.warn('in between');
      logs.setGlobalLoggerProvider(provider());
      logger.warn('second');
      expect(bodies).toEqual(['first', 'second']);
    },
    'of a provider that is registered late, or anew',
  );

  verifies('logging.api-1.9', () => {
    const require = createRequire(import.meta.url);
    const old = require('opentelemetry-api-1.9') as object;
    expect('logs' in old).toBe(false);
    const found = findLogsApi(old, require);
    const emitted: object[] = [];
    onTestFinished(() => legacyLogs.disable());
    legacyLogs.setGlobalLoggerProvider({
      getLogger: () => ({ emit: (record) => void emitted.push(record), enabled: () => true }),
    });
    found?.getLoggerProvider().getLogger('toolspan').emit({ body: 'heard' });
    expect(emitted).toEqual([{ body: 'heard' }]);
    const absent = () => {
      throw new Error('Cannot find module');
    };
    expect(findLogsApi(old, absent)).toBeUndefined();
    // with 1.10 nothing else is looked for
    expect(findLogsApi({ logs }, absent)).toBe(logs);
  });
});
