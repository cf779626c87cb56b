// Which levels are kept, and that nothing is worked out for a level that is not.
import { describe, expect, onTestFinished, vi } from 'vitest';
import { configureLogging, consoleLogger, instrumentServer, logger } from '../../src/index.ts';
import { referenceServer } from '../fixtures/reference-server.ts';
import { inCall } from '../harness/in-call.ts';
import { keepLines, parsed } from '../harness/lines.ts';
import { verifies } from '../harness/verifies.ts';

describe('levels', () => {
  const all = () => {
    logger.debug('d');
    logger.info('i');
    logger.warn('w');
    logger.error('e');
  };

  verifies('logging.levels', async () => {
    const lines = keepLines();
    const taken = () =>
      parsed(lines.splice(0))
        .filter(({ event_type }) => event_type === 'log')
        .map(({ level }) => level);
    all();
    expect(taken()).toEqual(['warn', 'error']);
    await inCall(all);
    expect(taken()).toEqual(['warn', 'error']);
    await inCall(all, { logLevel: 'error' });
    expect(taken()).toEqual(['error']);
    await inCall(all, { logLevel: 'off' });
    expect(taken()).toEqual([]);
    configureLogging({ level: 'debug' });
    all();
    expect(taken()).toEqual(['debug', 'info', 'warn', 'error']);
    configureLogging({ level: 'error' });
    await inCall(all, { logLevel: 'info' });
    expect(taken()).toEqual(['info', 'warn', 'error']);
    // what belongs to no call follows the server that wants most
    all();
    expect(taken()).toEqual(['info', 'warn', 'error']);
  });

  verifies(
    'logging.levels',
    async () => {
      const read = async (level: string) => {
        vi.stubEnv('TOOLSPAN_LOG_LEVEL', level);
        vi.resetModules();
        const { pipeline } = await import('../../src/logging/pipeline.ts');
        return pipeline.floor;
      };
      onTestFinished(() => {
        vi.unstubAllEnvs();
        vi.restoreAllMocks();
        vi.resetModules();
      });
      const said: string[] = [];
      vi.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0);
      expect([await read('debug'), await read(' ERROR '), await read('off'), await read('')]).toEqual([
        5,
        17,
        Number.POSITIVE_INFINITY,
        13,
      ]);
      expect(said).toEqual([]);
      expect(await read('loud')).toBe(13);
      expect(said).toEqual([
        'toolspan: TOOLSPAN_LOG_LEVEL must be one of debug, info, warn, error, off, got "loud"; "warn" is used.\n',
      ]);
      vi.stubEnv('TOOLSPAN_DISABLED', 'true');
      expect(await read('debug')).toBe(Number.POSITIVE_INFINITY);
    },
    'of the environment',
  );

  verifies('logging.level-first', async () => {
    keepLines();
    const touched: string[] = [];
    const attributes = new Proxy(
      {},
      {
        get: (_, key) => touched.push(String(key)),
        ownKeys: () => {
          touched.push('keys');
          return [];
        },
      },
    );
    await inCall(
      () => {
        logger.debug('d', attributes);
        logger.info('i', attributes);
        consoleLogger(attributes).log(attributes);
      },
      { logLevel: 'warn' },
    );
    expect(touched).toEqual([]);
  });

  verifies('logging.bad-option', () => {
    const server = () => referenceServer('v2');
    expect(() => configureLogging({ level: 'loud' as 'info' })).toThrow(
      new RangeError(
        'configureLogging: option "level" must be one of "debug", "info", "warn", "error", "off", got "loud" (string)',
      ),
    );
    expect(() => configureLogging({ format: 7 as unknown as 'json' })).toThrow(TypeError);
    expect(() => configureLogging({ redact: { maxDepth: 0 } })).toThrow(
      new RangeError('configureLogging.redact: option "maxDepth" must be a whole number from 1 to 20, got 0 (number)'),
    );
    expect(() => configureLogging({ redact: { keys: [7 as unknown as string] } })).toThrow(/"keys" must be a list of/);
    expect(() => configureLogging({ colour: true } as object)).toThrow(/unknown option "colour"/);
    for (const [option, value] of Object.entries({
      errors: 'silent',
      classify: [7],
      receivedValues: 'yes',
      logLevel: 'loud',
      captureArguments: [7],
      captureResults: 'echo',
      identity: 'shown',
      clientLogs: true,
      loggerProvider: {},
    })) {
      expect(() => instrumentServer(server(), { [option]: value }), option).toThrow(
        `instrumentServer: option "${option}" must be `,
      );
    }
  });
});
