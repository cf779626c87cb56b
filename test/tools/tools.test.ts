// The agent's tools as clients of either generation call them.
import { trace } from '@opentelemetry/api';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { registerHealthCheck } from '../../src/index.ts';
import { reportBreakers } from '../../src/state/sources.ts';
import { statsOf } from '../../src/state/stats.ts';
import { connected, ownSdk, TOOLS, type Answer } from '../harness/agent.ts';
import { GENERATIONS } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

describe.each(GENERATIONS)('the tools on %s', (generation) => {
  verifies('agent.schema', async () => {
    ownSdk();
    const { tools, call } = await connected(generation, { prefix: 'my_' });
    const listed = tools.filter(({ name }) => name.startsWith('my_'));
    expect(listed.map(({ name }) => name)).toEqual(TOOLS.map((name) => `my_${name}`));
    for (const { title, description, annotations, inputSchema, outputSchema } of listed) {
      expect(title).toBeTruthy();
      expect(description?.length).toBeGreaterThan(80);
      expect(annotations).toMatchObject({ readOnlyHint: true, openWorldHint: false });
      expect(inputSchema.type).toBe('object');
      expect(outputSchema?.['type']).toBe('object');
    }
    await call('works');
    await call('breaks');
    // the clients throw where an answer does not fit its schema
    const health = await call('my_get_server_health');
    const errors = await call('my_get_recent_errors');
    const traceId = (errors.structuredContent['errors'] as unknown as { trace_id: string }[])[0]?.trace_id;
    const answers = [
      health,
      errors,
      await call('my_get_server_metrics'),
      await call('my_get_server_metrics', { window: 'start', tool: 'works' }),
      await call('my_get_server_metrics', { names: ['mcp.server.operation.duration', 'no.such'] }),
      await call('my_get_trace', { trace_id: traceId }),
      await call('my_get_trace', { trace_id: '0'.repeat(32) }),
    ];
    for (const { structuredContent, content, isError } of answers) {
      expect(isError).toBeFalsy();
      expect(structuredContent).toBeTypeOf('object');
      expect(content[0]?.text.length).toBeGreaterThan(10);
    }
    const bad = await call('my_get_trace', { trace_id: 'xyz' });
    expect(bad.isError).toBe(true);
    expect(bad.content[0]?.text).toContain('32 hexadecimal digits');
  });

  verifies('agent.health', async () => {
    const { call, name } = await connected(generation);
    const check = `db-${generation}`;
    onTestFinished(registerHealthCheck(check, () => false));
    onTestFinished(
      reportBreakers(() => [
        { name: 'api', state: 'open', since: 0, failures: 5, retryAfterMs: 1_234.5, critical: false },
      ]),
    );
    for (let index = 0; index < 3; index++) await call('works');
    await call('breaks');
    await call('refuses');
    const { structuredContent: health, content } = await call('get_server_health');
    expect(health).toMatchObject({
      status: 'degraded',
      request_count: 5,
      error_count: 1,
      caller_mistake_count: 1,
      error_rate_percent: 20,
      since_start: { request_count: 5, error_count: 1, caller_mistake_count: 1 },
      in_flight: 0,
      ready: true,
      window: { name: '5m' },
      breakers: [
        {
          name: 'api',
          state: 'open',
          since: '1970-01-01T00:00:00.000Z',
          failures: 5,
          retry_after_ms: 1_235,
          critical: false,
        },
      ],
      checks: [{ name: check, status: 'unhealthy', code: 'FALSE', critical: false }],
    });
    const values = health as unknown as {
      uptime_seconds: number;
      avg_response_time_ms: number;
      last_error_time: string;
      system_metrics: Record<string, number>;
      tools: { name: string; request_count: number; error_count: number }[];
      reasons: { metric: string; name: string | null }[];
    };
    expect(values.avg_response_time_ms).toBeGreaterThan(0);
    expect(Math.abs(Date.parse(values.last_error_time) - Date.now())).toBeLessThan(60_000);
    expect(values.uptime_seconds).toBeGreaterThanOrEqual(0);
    for (const share of ['memory_percent', 'disk_percent']) {
      expect(values.system_metrics[share]).toBeGreaterThan(0);
      expect(values.system_metrics[share]).toBeLessThanOrEqual(100);
    }
    expect(values.tools.map((tool) => [tool.name, tool.request_count, tool.error_count])).toEqual([
      ['breaks', 1, 1],
      ['works', 3, 0],
      ['refuses', 1, 0],
    ]);
    expect(values.reasons.map(({ metric, name: who }) => [metric, who])).toEqual([
      ['check', check],
      ['circuit_breaker', 'api'],
    ]);
    expect(content[0]?.text).toMatch(
      /^degraded: check db-v\d is unhealthy \(FALSE\), expected healthy; circuit_breaker api is open/,
    );
    expect(statsOf(name).inFlight).toBe(0);
  });

  verifies('agent.errors', async () => {
    ownSdk();
    const { call } = await connected(generation, { traceUrl: 'http://localhost:16686/' });
    await call('breaks');
    await call('refuses');
    await call('works');
    const { structuredContent } = await call('get_recent_errors');
    const { errors, scope } = structuredContent as unknown as {
      scope: string;
      errors: { time: string; trace_id: string; link: string; tool: string }[];
    };
    expect(scope).toBe('all');
    expect(errors).toMatchObject([
      { tool: 'refuses', message: expect.stringContaining('Atlantis') as string, outcome: 'tool_error' },
      {
        tool: 'breaks',
        code: 'INTERNAL_ERROR',
        message: 'TypeError',
        advice: expect.stringContaining('trace id') as string,
      },
    ]);
    expect(JSON.stringify(errors)).not.toContain('hunter2');
    expect(errors[0]?.link).toBe(`http://localhost:16686/trace/${errors[0]?.trace_id}`);
    const only = async (args: Record<string, unknown>) => {
      const answer = await call('get_recent_errors', args);
      return (answer.structuredContent['errors'] as unknown as { tool: string }[]).map(({ tool }) => tool);
    };
    expect(await only({ tool: 'breaks' })).toEqual(['breaks']);
    expect(await only({ code: 'INTERNAL_ERROR', limit: 1 })).toEqual(['breaks']);
    expect(await only({ trace_id: errors[0]?.trace_id })).toEqual(['refuses']);
    expect(await only({ since: '2999-01-01T00:00:00Z' })).toEqual([]);
    expect(await only({ since: new Date(Date.now() - 60_000).toISOString() })).toEqual(['refuses', 'breaks']);
  });

  verifies('agent.trace', async () => {
    ownSdk();
    const { call, server } = await connected(generation);
    const { registerTool } = server as unknown as {
      registerTool(name: string, config: object, run: () => unknown): void;
    };
    registerTool.call(server, 'nests', {}, () =>
      trace.getTracer('app').startActiveSpan('inner', (span) => {
        span.addEvent('toolspan.retry', { 'toolspan.retry.attempt': 2 });
        span.end();
        throw new TypeError('deep down');
      }),
    );
    await call('nests');
    const [error] = (await call('get_recent_errors')).structuredContent['errors'] as unknown as { trace_id: string }[];
    const { structuredContent, content } = await call('get_trace', { trace_id: error?.trace_id });
    expect(structuredContent).toMatchObject({
      found: true,
      more_spans: 0,
      spans: [
        { depth: 0, name: 'tools/call nests', kind: 'server', failed: true, error: 'TypeError: deep down' },
        {
          depth: 1,
          name: 'inner',
          kind: 'internal',
          failed: false,
          error: null,
          events: [{ name: 'toolspan.retry', attributes: { 'toolspan.retry.attempt': 2 } }],
        },
      ],
    });
    expect(content[0]?.text).toMatch(
      /2 spans in [\d.]+ ms\ntools\/call nests server [\d.]+ ms {2}TypeError: deep down\n {2}inner internal [\d.]+ ms\n {4}- toolspan\.retry/,
    );
    // stacks tell of the machine
    expect(JSON.stringify(structuredContent)).not.toContain('stacktrace');
  });

  verifies('agent.uncounted', async () => {
    ownSdk();
    const { call, name } = await connected(generation);
    await call('works');
    for (const tool of TOOLS) await call(tool, { trace_id: '1'.repeat(32) }).catch(() => undefined);
    await call('get_recent_errors', { limit: 'many' }).catch(() => undefined);
    const stats = statsOf(name);
    expect([...stats].filter(({ operation }) => operation.includes('get_'))).toEqual([]);
    expect(stats.calls.read('start', performance.now()).count).toBe(1);
    const { structuredContent } = await call('get_server_metrics', {
      names: ['mcp.server.operation.duration', 'toolspan.server.active_requests'],
    });
    const series = structuredContent['series'] as unknown as { labels: Record<string, string>; value: number | null }[];
    expect(series.filter(({ labels }) => labels['gen_ai.tool.name']?.startsWith('get_'))).toEqual([]);
    expect(
      series.find(({ labels, value }) => value !== null && labels['mcp.method.name'] === 'tools/call')?.value,
    ).toBe(0);
  });

  verifies('agent.authorize', async () => {
    const asked: unknown[] = [];
    let answer: unknown = false;
    const { call } = await connected(generation, {
      include: ['get_server_health'],
      authorize: (question) => {
        asked.push(question);
        if (answer instanceof Error) throw answer;
        return answer as boolean;
      },
    });
    const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    onTestFinished(() => stderr.mockRestore());
    for (const no of [false, 'yes', 1, undefined, new Error('the key is hunter2')]) {
      answer = no;
      const refused = await call('get_server_health').catch((error: unknown) => error as Answer);
      expect(refused.isError).toBe(true);
      expect(refused.structuredContent).toBeUndefined();
      expect(refused.content[0]?.text).toContain('get_server_health is not open to this caller');
    }
    answer = Promise.resolve(true);
    expect((await call('get_server_health')).isError).toBeFalsy();
    expect(asked.at(-1)).toEqual({
      tool: 'get_server_health',
      arguments: {},
      sessionId: undefined,
      authInfo: undefined,
      remote: false,
    });
    // only what was asked for is there
    const unknown = await call('get_trace', { trace_id: '1'.repeat(32) }).catch(() => ({ isError: true }));
    expect(unknown.isError).toBe(true);
  });

  verifies('agent.missing', async () => {
    const { call } = await connected(generation);
    await call('breaks');
    const health = (await call('get_server_health')).structuredContent as unknown as {
      missing: string[];
      request_count: number;
      system_metrics: { memory_percent: number };
    };
    expect(health.request_count).toBe(1);
    expect(health.system_metrics.memory_percent).toBeGreaterThan(0);
    expect(health.missing).toEqual([
      'OpenTelemetry metrics: no agentMetricReader is registered',
      'traces: no agentSpanProcessor is registered',
      'export state: startTelemetry does not run in this process',
    ]);
    const errors = (await call('get_recent_errors')).structuredContent['errors'] as unknown as { trace_id: null }[];
    expect(errors).toMatchObject([{ tool: 'breaks', trace_id: null }]);
    const found = await call('get_trace', { trace_id: '1'.repeat(32) });
    expect(found.content[0]?.text).toContain('no agentSpanProcessor is registered');
    const { call: uninstrumented } = await connected(generation, {}, false);
    const bare = (await uninstrumented('get_server_health')).structuredContent['missing'] as unknown as string[];
    expect(bare).toContain('calls: instrumentServer has not seen this server');
  });
});
