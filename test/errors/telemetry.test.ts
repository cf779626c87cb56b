// What telemetry says of failed calls: one code on span, measurement and log record, and each exception once.
import { describe, expect, onTestFinished } from 'vitest';
import { configureLogging } from '../../src/index.ts';
import { connect, describeMatrix } from '../harness/matrix.ts';
import { GENERATIONS, scriptReference } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const CODES: readonly (readonly [tool: string, args: object, code: string | undefined, severity: string])[] = [
  ['boom', {}, 'INTERNAL_ERROR', 'ERROR'],
  ['boom_later', {}, 'INTERNAL_ERROR', 'ERROR'],
  ['refuses', {}, 'RATE_LIMIT_EXCEEDED', 'WARN'],
  ['parses', {}, 'VALIDATION_ERROR', 'WARN'],
  ['reaches_out', {}, 'UNAVAILABLE', 'ERROR'],
  ['catches', {}, 'INTERNAL_ERROR', 'ERROR'],
  ['echo', { text: 7 }, 'VALIDATION_ERROR', 'WARN'],
  ['returns_coded', {}, 'PERMISSION_DENIED', 'WARN'],
  ['returns_nothing', {}, 'INTERNAL_ERROR', 'ERROR'],
  ['unstructured', {}, 'INTERNAL_ERROR', 'ERROR'],
  ['no such tool', {}, 'RESOURCE_NOT_FOUND', 'WARN'],
  ['fails', {}, undefined, 'WARN'],
];
const THROWING = new Set(['boom', 'boom_later', 'refuses', 'parses', 'reaches_out', 'catches']);

describeMatrix(
  'the code of a failure',
  (combination) => {
    verifies('errors.telemetry', async () => {
      const { call, client, close, recorder, spans } = await connect(combination);
      if (recorder === undefined) throw new Error('in-process combinations only');
      for (const [tool, args] of CODES) await call(tool, args).catch(() => undefined);
      await client.readResource({ uri: 'memo://torn' }).catch(() => undefined);
      await client.readResource({ uri: 'memo://nothing' }).catch(() => undefined);
      await close();
      const points = await recorder.points('mcp.server.operation.duration');
      for (const [tool, , code, severity] of CODES) {
        const label = tool === 'no such tool' ? '_other' : tool;
        const span = spans().find(({ name }) => name === `tools/call ${label}`);
        const point = points.find(({ attributes }) => attributes['gen_ai.tool.name'] === label);
        const log = recorder.logs.find(({ attributes }) => attributes['gen_ai.tool.name'] === tool);
        expect(
          [span, point, log].map((signal) => signal?.attributes['toolspan.error.code']),
          tool,
        ).toEqual([code, code, code]);
        expect(log, tool).toMatchObject({
          severity,
          event: 'toolspan.tool_error',
          traceId: span?.traceId,
          spanId: span?.spanId,
        });
      }
      const reads = spans().filter(({ name }) => name === 'resources/read');
      expect(reads.map(({ attributes }) => attributes['toolspan.error.code'])).toEqual([
        'INTERNAL_ERROR',
        'RESOURCE_NOT_FOUND',
      ]);
    });

    verifies('errors.recorded-once', async () => {
      const { call, client, close, recorder, spans } = await connect(combination);
      for (const [tool, args] of CODES) await call(tool, args).catch(() => undefined);
      await client.readResource({ uri: 'memo://torn' }).catch(() => undefined);
      await close();
      for (const [tool] of CODES) {
        const events = spans()
          .filter(({ name }) => name === `tools/call ${tool}`)
          .flatMap((span) => span.events);
        const logs = recorder?.logs.filter(({ attributes }) => attributes['gen_ai.tool.name'] === tool) ?? [];
        expect([events.length, logs.length], tool).toEqual([THROWING.has(tool) ? 1 : 0, 1]);
        const [event, log] = [events[0]?.attributes, logs[0]?.attributes];
        for (const key of ['exception.type', 'exception.message', 'exception.stacktrace']) {
          expect(log?.[key], `${tool} ${key}`).toEqual(event?.[key]);
        }
      }
      const boom = recorder?.logs.find(({ attributes }) => attributes['gen_ai.tool.name'] === 'boom');
      expect(boom?.attributes).toMatchObject({ 'error.type': 'TypeError', 'gen_ai.tool.name': 'boom' });
      expect(boom?.attributes['exception.stacktrace']).toMatch(
        /^TypeError: boom went off\n\s+at [^]*\nCaused by: RangeError: the fuse/,
      );
      const torn = recorder?.logs.filter(({ event }) => event === 'toolspan.request_error') ?? [];
      expect(torn.map(({ body, severity, attributes }) => [body, severity, attributes['exception.type']])).toEqual([
        ['resources/read failed: INTERNAL_ERROR', 'ERROR', 'EvalError'],
      ]);
    });
  },
  ({ carrier }) => carrier !== 'stdio',
);

describe.each(GENERATIONS)('secrets on %s', (generation) => {
  verifies('errors.no-secrets', async () => {
    const { transport, recorder, call } = await scriptReference(generation, {}, {});
    call(1, 'leaks');
    await transport.answer(1);
    const { events } = recorder.spans().at(-1) ?? { events: [] };
    expect(events[0]?.attributes['exception.message']).toBe('cannot open postgres://app:[REDACTED]@db/main');
    expect(JSON.stringify([events, recorder.logs])).not.toContain('s3cr3t-pass');
    onTestFinished(() => configureLogging({ redact: {} }));
    configureLogging({ redact: { values: [/boom \w+/] } });
    call(2, 'boom');
    await transport.answer(2);
    expect(JSON.stringify([recorder.spans().at(-1)?.events, recorder.logs.at(-1)])).not.toContain('boom went');
  });
});
