// A host that ends in its own way, or has something in odd order: telemetry leaves it as it is.
import { describe, expect } from 'vitest';
import { runFixture } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { eventually } from '../harness/poll.ts';
import { attributesOf, type OtlpTraces } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';

describe('a host', () => {
  for (const emitter of ['current', 'older'] as const) {
    verifies(
      'telemetry.flush-signal',
      async () => {
        const collector = await startCollector();
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
        const child = runFixture('telemetry-script.ts', ['signalExit', emitter], env);
        await child.lines(1);
        expect(await child.kill('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' });
        expect(child.stdout).toContain('exit handler');
        expect(collector.spans().map(({ name }) => name)).toEqual(['work']);
        await collector.close();
      },
      `beside the package signal-exit, ${emitter}`,
    );
  }

  verifies(
    'doors.host-unharmed',
    async () => {
      const child = runFixture('telemetry-script.ts', ['survives'], {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      });
      child.process.stderr?.destroy();
      await child.lines(1);
      child.write('go on');
      expect(await child.ended()).toMatchObject({ code: 5, stdout: 'ready\nstill here\n' });
    },
    'a closed stderr',
  );

  verifies(
    'telemetry.service',
    async () => {
      const collector = await startCollector();
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
      const child = runFixture('telemetry-script.ts', ['lateServer'], env);
      const ended = await child.ended();
      expect(ended, ended.stderr).toMatchObject({ code: 0 });
      const traces = await eventually('the spans', () => collector.bodies<OtlpTraces>('traces')[0]);
      const names = traces.resourceSpans?.map(({ resource }) => attributesOf(resource?.attributes)['service.name']);
      expect(names).toEqual(['latecomer']);
      await collector.close();
    },
    'a server that appears long after the start',
  );

  verifies(
    'telemetry.disabled',
    async () => {
      for (const variable of ['TOOLSPAN_DISABLED', 'OTEL_SDK_DISABLED']) {
        const ended = await runFixture('telemetry-script.ts', ['loads'], { [variable]: 'true' }).ended();
        expect(ended.stdout).toBe('0 modules of the SDK\n');
      }
    },
    'and load nothing',
  );
});
