// Telemetry and the life of a process: what arrives, what is written where, and how it ends.
import { describe, expect } from 'vitest';
import { runFixture, type Child } from '../harness/child.ts';
import { metricsOf, withCollector, type Collector } from '../harness/collector.ts';
import { eventually } from '../harness/poll.ts';
import { INITIALIZE } from '../harness/scripted.ts';
import { attributesOf, type OtlpTraces } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';

const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { text: 'hi' } } };
const BOOM = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'boom', arguments: {} } };
const GENERATIONS = ['v1', 'v2'] as const;

/** A stdio server that has answered one call. */
async function served(generation: string, env: Record<string, string>): Promise<Child> {
  const child = runFixture('stdio-server.ts', [generation, 'passthrough'], env);
  child.write(INITIALIZE, CALL);
  await child.lines(2);
  return child;
}

describe.each(GENERATIONS)('a stdio server of %s', (generation) => {
  verifies('telemetry.three-signals', () =>
    withCollector(async (collector) => {
      await (await served(generation, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })).end();
      expect(collector.spans().map(({ name }) => name)).toContain('tools/call echo');
      expect(metricsOf(collector).map(({ name }) => name)).toEqual(
        expect.arrayContaining([
          'mcp.server.operation.duration',
          'mcp.server.session.duration',
          'toolspan.telemetry.dropped',
        ]),
      );
    }),
  );

  verifies('telemetry.flush-eof', () =>
    withCollector(async (collector) => {
      const child = await served(generation, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
      const ended = await child.end();
      expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
      expect(collector.spans().map(({ name }) => name)).toContain('tools/call echo');
    }),
  );

  verifies(
    'telemetry.flush-eof',
    () =>
      withCollector(async (collector) => {
        const child = await served(generation, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
        child.write({ ...CALL, id: 3, params: { name: 'hang', arguments: {} } });
        child.write({ ...CALL, id: 4 });
        await child.lines(3);
        await child.end();
        const hang = collector.spans().find(({ name }) => name === 'tools/call hang');
        expect(hang?.attributes['toolspan.outcome']).toBe('aborted');
      }),
    'with a call in flight',
  );

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    verifies(
      'telemetry.flush-signal',
      () =>
        withCollector(async (collector) => {
          const child = await served(generation, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
          const ended = await child.kill(signal);
          expect(ended).toMatchObject({ code: null, signal, stderr: '' });
          expect(collector.spans().map(({ name }) => name)).toContain('tools/call echo');
        }),
      signal,
    );
  }
});

describe('stdout', () => {
  const settings: Record<string, string>[] = [
    {},
    ...['otlp', 'console', 'none', 'console,otlp', 'zipkin', 'prometheus', 'nonsense', 'none,console'].map(
      (exporter) => ({
        OTEL_TRACES_EXPORTER: exporter,
        OTEL_METRICS_EXPORTER: exporter,
        OTEL_LOGS_EXPORTER: exporter,
      }),
    ),
    {
      OTEL_LOG_LEVEL: 'ALL',
      OTEL_TRACES_EXPORTER: 'console',
      OTEL_METRICS_EXPORTER: 'console',
      OTEL_LOGS_EXPORTER: 'console',
    },
    { OTEL_LOG_LEVEL: 'debug' },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf', OTEL_LOG_LEVEL: 'verbose' },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_LOG_LEVEL: 'info' },
    {
      OTEL_PROPAGATORS: 'nonsense',
      OTEL_TRACES_SAMPLER: 'nonsense',
      OTEL_LOG_LEVEL: 'nonsense',
      OTEL_NODE_RESOURCE_DETECTORS: 'nonsense',
    },
    { OTEL_CONFIG_FILE: '/nowhere.yaml', OTEL_BSP_SCHEDULE_DELAY: '-1', OTEL_EXPORTER_OTLP_ENDPOINT: 'not a url' },
    { OTEL_SDK_DISABLED: 'true', OTEL_LOG_LEVEL: 'ALL' },
  ];
  const stdoutOf = async (env: Record<string, string>): Promise<string> => {
    const child = await served('v1', { OTEL_EXPORTER_PROMETHEUS_PORT: '0', ...env });
    child.write(BOOM);
    await child.lines(3);
    // some exporters that NodeSDK makes retry for long: their process is ended as a client would end it
    return (await child.kill('SIGTERM')).stdout;
  };
  // a few at a time: each is a process that loads an SDK
  for (let next = 0; next < settings.length; next += 4) {
    const some = settings.slice(next, next + 4);
    verifies(
      'telemetry.stdout',
      async () => {
        const [bare = '', ...others] = await Promise.all([{ TOOLSPAN_DISABLED: 'true' }, ...some].map(stdoutOf));
        expect(bare.split('\n')).toHaveLength(4);
        for (const [index, stdout] of others.entries()) expect(stdout, JSON.stringify(some[index])).toBe(bare);
      },
      some.map((setting) => Object.values(setting)[0] ?? 'default').join('; '),
    );
  }
});

describe('the end of a process', () => {
  verifies('telemetry.flush-drained', () =>
    withCollector(async (collector) => {
      const ended = await runFixture('telemetry-script.ts', ['drains'], {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      }).ended();
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(collector.spans().map(({ name }) => name)).toEqual(['work']);
    }),
  );

  verifies('telemetry.app-signal', () =>
    withCollector(async (collector) => {
      const child = runFixture('telemetry-script.ts', ['listens'], { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
      await child.lines(1);
      expect(await child.kill('SIGTERM')).toMatchObject({ code: 7, signal: null });
      expect(collector.spans().map(({ name }) => name)).toEqual(['work']);
    }),
  );

  for (const order of ['before', 'after']) {
    for (const way of ['once', 'on']) {
      verifies(
        'telemetry.app-signal',
        () =>
          withCollector(async (collector) => {
            const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
            const child = runFixture('telemetry-script.ts', ['drainsAtSignal', order, way], env);
            await child.lines(1);
            expect(await child.kill('SIGTERM')).toMatchObject({ code: 7, signal: null, stdout: 'ready\ndrained\n' });
            expect(collector.spans().map(({ name }) => name)).toEqual(['work']);
          }),
        `a drain, by process.${way} ${order} the start of telemetry`,
      );
    }
  }

  verifies(
    'telemetry.flush-signal',
    () =>
      withCollector(async (collector) => {
        const child = runFixture('telemetry-script.ts', ['ignoresSignals'], {
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        });
        await child.lines(1);
        expect(await child.kill('SIGTERM')).toMatchObject({ signal: 'SIGTERM' });
        expect(collector.received).toEqual([]);
      }),
    'unless handleSignals is false',
  );

  verifies(
    'telemetry.flush-signal',
    () =>
      withCollector(
        async (collector) => {
          const child = runFixture('telemetry-script.ts', ['lives'], { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
          await child.lines(1);
          child.process.kill('SIGINT');
          await eventually('the flush has begun', () => collector.received[0]);
          const since = performance.now();
          expect(await child.kill('SIGINT')).toMatchObject({ signal: 'SIGINT' });
          expect(performance.now() - since).toBeLessThan(2_500);
        },
        () => 'never',
      ),
    'a second signal waits for nothing',
  );

  verifies('telemetry.hanging-collector', () =>
    withCollector(
      async (collector) => {
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
        const since = performance.now();
        const ended = await (await served('v2', env)).end();
        expect(ended).toMatchObject({ code: 0, signal: null });
        // the deadline is 3 s; without it the exporters would take 10
        expect(performance.now() - since).toBeLessThan(9_000);
        expect(ended.stderr).toMatch(/^toolspan: traces cannot be delivered to http.*no answer by the deadline/m);
        const late = await runFixture('telemetry-script.ts', ['drainsLate'], env).ended();
        expect(late).toMatchObject({ code: 0 });
      },
      () => 'never',
    ),
  );

  verifies(
    'telemetry.hanging-collector',
    () =>
      withCollector(
        async (collector) => {
          const took = await Promise.all(
            ['http/protobuf', 'http/json'].map(async (protocol) => {
              const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: protocol };
              const child = await served('v2', env);
              child.write(BOOM);
              await child.lines(3);
              const since = performance.now();
              expect(await child.end()).toMatchObject({ code: 0, signal: null });
              return performance.now() - since;
            }),
          );
          expect(Math.max(...took)).toBeLessThan(9_000);
        },
        () => 'never',
      ),
    'also where a call has failed, and with either encoding',
  );

  verifies('telemetry.dead-collector', async () => {
    const ended = await (await served('v2', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })).end();
    expect(ended).toMatchObject({ code: 0, signal: null });
    const lines = ended.stderr.trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/ cannot be.*/, ''))).toEqual(['toolspan: traces', 'toolspan: metrics']);
    expect(lines[0]).toBe(
      'toolspan: traces cannot be delivered to http://127.0.0.1:9/v1/traces (ECONNREFUSED) and are dropped; further losses are counted as toolspan.telemetry.dropped. Start a collector there, set OTEL_EXPORTER_OTLP_ENDPOINT, or switch the signal off with OTEL_TRACES_EXPORTER=none.',
    );
  });

  verifies('telemetry.keeps-nothing-alive', () =>
    withCollector(
      async (collector) => {
        const env = {
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
          OTEL_BSP_SCHEDULE_DELAY: '1',
          OTEL_METRIC_EXPORT_INTERVAL: '10',
        };
        const since = performance.now();
        expect(await runFixture('telemetry-script.ts', ['drainsLate'], env).ended()).toMatchObject({ code: 0 });
        expect(performance.now() - since).toBeLessThan(8_000);
      },
      () => 'never',
    ),
  );
});

describe('the resource', () => {
  const resourceOf = (collector: Collector) =>
    attributesOf(collector.bodies<OtlpTraces>('traces')[0]?.resourceSpans?.[0]?.resource?.attributes);

  verifies('telemetry.service', () =>
    withCollector(async (collector) => {
      await (await served('v2', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })).end();
      expect(resourceOf(collector)).toMatchObject({ 'service.name': 'reference', 'service.version': '1.2.3' });
      expect(typeof resourceOf(collector)['service.instance.id']).toBe('string');
    }),
  );

  for (const env of [{ OTEL_SERVICE_NAME: 'told' }, { OTEL_RESOURCE_ATTRIBUTES: 'service.name=told,team=a' }]) {
    verifies(
      'telemetry.service',
      () =>
        withCollector(async (collector) => {
          await (await served('v1', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env })).end();
          expect(resourceOf(collector)['service.name']).toBe('told');
          expect(resourceOf(collector)['service.version']).toBeUndefined();
        }),
      Object.keys(env)[0],
    );
  }

  verifies('telemetry.private-resource', () =>
    withCollector(async (collector) => {
      await (await served('v1', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })).end();
      const keys = Object.keys(resourceOf(collector));
      expect(keys).toEqual(expect.arrayContaining(['process.pid', 'host.name', 'os.type']));
      expect(keys.filter((key) => /command|owner/.test(key))).toEqual([]);
    }),
  );
});
