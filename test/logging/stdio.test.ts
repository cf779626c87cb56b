// Logging of a real server on stdio: stdout is the protocol's alone, stderr has the lines, the collector the records.
import { describe, expect } from 'vitest';
import { runFixture } from '../harness/child.ts';
import { startCollector } from '../harness/collector.ts';
import { parsed } from '../harness/lines.ts';
import { GENERATIONS, INITIALIZE } from '../harness/scripted.ts';
import { attributesOf, type KeyValue } from '../harness/span.ts';
import { verifies } from '../harness/verifies.ts';

interface OtlpLogs {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly {
      readonly logRecords: readonly {
        readonly eventName?: string;
        readonly severityText?: string;
        readonly traceId?: string;
        readonly attributes?: readonly KeyValue[];
      }[];
    }[];
  }[];
}

const call = (id: number, name: string, args: object) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

describe.each(GENERATIONS)('a server on stdio of %s', (generation) => {
  verifies(
    'logging.events',
    async () => {
      const collector = await startCollector();
      const child = runFixture('stdio-server.ts', [generation], {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_SERVICE_NAME: 'weather',
        TOOLSPAN_LOG_LEVEL: 'info',
      });
      child.write(INITIALIZE, call(1, 'logs', { city: 'Paris' }), call(2, 'boom', {}));
      await child.lines(3);
      const { stdout, stderr } = await child.end();
      for (const line of stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
      const lines = parsed(stderr.trimEnd().split('\n'));
      const records = collector
        .bodies<OtlpLogs>('logs')
        .flatMap(({ resourceLogs }) =>
          resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap((scope) => scope.logRecords)),
        );
      const spans = new Map(collector.spans().map((span) => [span.attributes['gen_ai.tool.name'], span.traceId]));
      for (const tool of ['logs', 'boom']) {
        const kinds = tool === 'logs' ? ['tool_start', 'log', 'tool_success'] : ['tool_start', 'tool_error'];
        const said = lines.filter(({ tool_name }) => tool_name === tool);
        expect(said.map(({ event_type }) => event_type)).toEqual(kinds);
        const sent = records.filter(({ attributes }) => attributesOf(attributes)['gen_ai.tool.name'] === tool);
        expect(sent).toHaveLength(kinds.length);
        const ids = [...said.map(({ trace_id }) => trace_id), ...sent.map(({ traceId }) => traceId)];
        expect(new Set(ids)).toEqual(new Set([spans.get(tool)]));
      }
      expect(new Set(lines.map(({ service }) => service))).toEqual(new Set(['weather']));
      const failure = records.find(({ eventName }) => eventName === 'toolspan.tool_error');
      expect(attributesOf(failure?.attributes)).toMatchObject({
        'toolspan.error.code': 'INTERNAL_ERROR',
        'exception.type': 'TypeError',
      });
      await collector.close();
    },
    'as lines and as OTLP records',
  );
});
