// The API over a real socket: what it answers, to whom, and what it says of a bad question.
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type {
  Change,
  Overview,
  ServerView,
  SpanDetail,
  Status,
  ToolView,
  TraceList,
  TraceView,
} from '../../src/viewer/api/shapes.ts';
import { ROUTES } from '../../src/viewer/api/routes.ts';
import { JAEGER_ROUTES } from '../../src/viewer/api/jaeger.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { viewerClient, type ViewerClient } from './client.ts';
import { schemaProblems } from './json-schema.ts';
import { logsBody, post, spanId, spansBody, traceId, type SampleSpan } from './otlp-bodies.ts';
import { sendSample } from './sample-telemetry.ts';

let client: ViewerClient;
let first: TraceList;

beforeAll(async () => {
  client = await viewerClient({}, true);
  await sendSample(client.viewer.endpoint);
  first = await client.get<TraceList>('/api/traces?tool=forecast&outcome=tool_error');
});
afterAll(() => client.viewer.close());

interface OpenApi {
  readonly paths: Readonly<
    Record<string, { get?: { responses: Readonly<Record<string, { content?: Record<string, { schema: object }> }>> } }>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Record<string, unknown>>> };
}

const failing = () => first.traces.find(({ spans }) => spans === 3)?.traceId ?? '';

describe('the API', () => {
  verifies('api.schema', async () => {
    const document = await client.get<OpenApi>('/api/openapi.json');
    const { spans } = await client.get<TraceView>(`/api/traces/${failing()}`);
    const filled: Readonly<Record<string, string>> = {
      '/api/traces/{traceId}': `/api/traces/${failing()}`,
      '/api/traces/{traceId}/spans/{spanId}': `/api/traces/${failing()}/spans/${spans[1]?.spanId}`,
      '/api/traces/{traceId}/find': `/api/traces/${failing()}/find?text=forecast`,
      '/api/traces/{traceId}/otlp': `/api/traces/${failing()}/otlp`,
      '/api/tools/{name}': '/api/tools/forecast',
      '/api/metrics/{name}': '/api/metrics/mcp.server.operation.duration',
      '/api/v3/traces/{traceId}': `/api/v3/traces/${failing()}`,
      '/api/v3/operations': '/api/v3/operations?service=weather',
      '/api/v3/traces': `/api/v3/traces?query.start_time_min=2020-01-01T00:00:00Z&query.start_time_max=2100-01-01T00:00:00Z`,
    };
    for (const { path } of [...ROUTES, ...JAEGER_ROUTES]) {
      const schema = document.paths[path]?.get?.responses['200']?.content?.['application/json']?.schema ?? {};
      const answer = await client.get<object>(filled[path] ?? path);
      expect(JSON.stringify(answer).length, path).toBeGreaterThan(20);
      expect(schemaProblems(schema as Record<string, unknown>, answer, document.components.schemas), path).toEqual([]);
    }
    const missing = await client.fetch('/api/traces?limit=0');
    expect(schemaProblems({ $ref: '#/x/Error' }, await missing.json(), document.components.schemas)).toEqual([]);
  });

  verifies('api.bad-request', async () => {
    const bad: [string, number, string][] = [
      ['/api/traces?limit=x', 400, 'limit: expected a number from 1 to 1000, got "x"'],
      ['/api/traces?limit=1.5', 400, 'limit: expected a whole number, got 1.5'],
      ['/api/traces?attribute=x', 400, 'attribute: expected key=value, got "x"'],
      ['/api/traces?sort=best', 400, 'sort: expected newest or slowest, got "best"'],
      ['/api/traces?failed=yes', 400, 'failed: expected true or false, got "yes"'],
      ['/api/traces?after=x', 400, 'after: expected what "next" of the page before said, got "x"'],
      ['/api/traces?min_duration_ms=-1', 400, 'min_duration_ms: expected a number from 0'],
      ['/api/overview?from=5&to=4', 400, 'from, to: expected a window of up to a year'],
      ['/api/overview?bins=4000', 400, 'bins: expected a number from 2 to 400'],
      ['/api/traces/xyz', 400, 'traceId: expected 32 hexadecimal digits'],
      ['/api/tools/%E0%A4%A', 400, 'expected a path in percent-encoding'],
      [`/api/traces/${'0'.repeat(32)}`, 404, 'there is no such thing'],
      [`/api/traces/${failing()}/spans/0000000000000000`, 404, 'there is no such thing'],
      [`/api/traces/${'0'.repeat(32)}/share`, 404, 'there is no such trace'],
      ['/api/tools/nothing', 404, 'there is no such thing'],
      ['/api/metrics/nothing', 404, 'there is no such thing'],
      ['/api/nothing', 404, '/api/openapi.json lists'],
    ];
    for (const [path, status, message] of bad) {
      const response = await client.fetch(path);
      expect(response.status, path).toBe(status);
      expect(((await response.json()) as { error: { message: string } }).error.message, path).toContain(message);
    }
    expect((await client.fetch('/api/traces', { method: 'POST' })).status).toBe(405);
    expect((await client.fetch('/api/data')).status).toBe(404);
  });

  verifies('api.trace', async () => {
    const [id, root, child, other] = [traceId(), spanId(), spanId(), traceId()];
    const startMs = 1_795_000_000_000;
    const spans: SampleSpan[] = [
      {
        traceId: id,
        spanId: root,
        name: 'tools/call x',
        kind: 3,
        startMs,
        durationMs: 10,
        attributes: { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'x' },
      },
      {
        traceId: id,
        spanId: child,
        parentSpanId: root,
        name: 'inner',
        kind: 2,
        startMs: startMs + 1.000_123,
        durationMs: 0.000_456,
        events: [
          { name: 'toolspan.retry', atMs: startMs + 1.000_2, attributes: { 'toolspan.retry.attempt': 2 } },
          { name: 'mine', atMs: startMs + 2 },
        ],
        links: [{ traceId: other, spanId: root }],
        error: 'said no',
      },
    ];
    const body = JSON.stringify(spansBody(spans));
    // exact to the nanosecond, which no double holds: as text
    const places = [...body.matchAll(/"startTimeUnixNano":"\d+","endTimeUnixNano":"\d+"/g)];
    const exact = body.replace(
      places[1]?.[0] ?? 'nothing',
      '"startTimeUnixNano":"1795000000001000123","endTimeUnixNano":"1795000000001000579"',
    );
    await fetch(`${client.viewer.endpoint}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: exact,
    });
    await post(
      client.viewer.endpoint,
      'traces',
      spansBody([{ traceId: other, spanId: root, name: 'target', kind: 1, startMs, durationMs: 1 }]),
    );
    await post(
      client.viewer.endpoint,
      'logs',
      logsBody([{ timeMs: startMs + 3, severity: 13, body: 'said', traceId: id, spanId: child }]),
    );
    const trace = await client.get<TraceView>(`/api/traces/${id}`);
    expect(trace.spans.map(({ offsetNs, durationNs }) => [offsetNs, durationNs])).toEqual([
      [0, 10_000_000],
      [1_000_123, 456],
    ]);
    expect(trace.spans[1]?.events).toMatchObject([
      { name: 'toolspan.retry', attributes: { 'toolspan.retry.attempt': 2 } },
      { name: 'mine' },
    ]);
    expect(trace.spans[1]?.events[1]).not.toHaveProperty('attributes');
    expect(trace.logs).toMatchObject([{ body: 'said', severity: 13, spanId: child }]);
    expect(trace.summary).toMatchObject({ tool: 'x', failed: true, retries: 1, logs: 1, parentMissing: false });
    const detail = await client.get<SpanDetail>(`/api/traces/${id.toUpperCase()}/spans/${child}`);
    expect(detail).toMatchObject({
      startUnixNano: '1795000000001000123',
      statusMessage: 'said no',
      links: [{ traceId: other }],
    });
    const target = await client.get<SpanDetail>(`/api/traces/${other}/spans/${root}`);
    expect(target.linkedFrom).toEqual([{ traceId: id, spanId: child }]);
    expect(await client.get(`/api/traces/${id}/find?text=SAID`)).toEqual({ spanIds: [child] });
    // and back: the export is taken by any receiver, this one too
    const otlp = await client.get<object>(`/api/traces/${id}/otlp`);
    const second = await viewerClient();
    await post(second.viewer.endpoint, 'traces', otlp);
    const copied = await second.get<TraceView>(`/api/traces/${id}`);
    expect(copied.spans).toEqual(trace.spans);
  });

  verifies('api.overview', async () => {
    const now = Date.now();
    const data = await client.get<Overview>(`/api/overview?from=${now - 900_000}&to=${now}&bins=30`);
    expect(data.side).toBe('server');
    expect(data.total.calls).toBe(data.series.calls.reduce((sum, value) => sum + value, 0));
    expect(data.total.calls).toBe(data.operations.reduce((sum, { calls }) => sum + calls, 0));
    expect(data.operations.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['forecast', 'geocode', 'report', 'divide', 'book']),
    );
    const forecast = data.operations.find(({ name }) => name === 'forecast');
    expect(Object.values(forecast?.outcomes ?? {}).reduce((sum, value) => sum + value, 0)).toBe(forecast?.calls);
    expect(forecast?.errors).toBe(
      (forecast?.outcomes['tool_error'] ?? 0) + (forecast?.outcomes['protocol_error'] ?? 0),
    );
    expect(forecast?.p50Ms).toBeLessThan(forecast?.p95Ms ?? 0);
    const states = data.breakers.find(({ name }) => name === 'weather-api')?.changes.map(({ state }) => state);
    expect(states).toEqual(['closed', 'open', 'half_open', 'closed']);
    expect(data.breakers.find(({ name }) => name === 'geocoder')?.now).toBe('closed');
    expect(data.health.map(({ name, now: state }) => [name, state])).toEqual([
      ['', 'healthy'],
      ['error_rate', 'healthy'],
      ['memory', 'healthy'],
    ]);
    expect(data.failures.length).toBeGreaterThan(4);
    const tool = await client.get<ToolView>(`/api/tools/forecast?from=${now - 900_000}&to=${now}&bins=30`);
    expect(tool.stats.calls).toBe(forecast?.calls);
    expect(tool.heatmap.counts.flat().reduce((sum, value) => sum + value, 0)).toBe(forecast?.calls);
    expect(tool.errors.map(({ code }) => code)).toEqual(expect.arrayContaining(['INTERNAL_ERROR', 'VALIDATION_ERROR']));
    expect(tool.slowest[0]?.durationMs).toBeGreaterThanOrEqual(tool.slowest[1]?.durationMs ?? 0);
    const { servers } = await client.get<{ servers: ServerView[] }>('/api/servers');
    expect(servers[0]).toMatchObject({ service: 'weather', protocolVersions: ['2026-07-28'], sessionCount: 5 });
    expect(servers[0]?.health).toHaveLength(3);
  });

  verifies(
    'api.overview',
    async () => {
      const { viewer, get } = await viewerClient();
      const startMs = Date.now() - 1_000;
      const seen = { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'far', 'toolspan.outcome': 'aborted' };
      await post(
        viewer.endpoint,
        'traces',
        spansBody([
          { traceId: traceId(), spanId: spanId(), name: 'x', kind: 3, startMs, durationMs: 5, attributes: seen },
        ]),
      );
      expect(await get<Overview>('/api/overview')).toMatchObject({ side: 'client', total: { calls: 1, errors: 1 } });
    },
    'as clients saw it where no server reports',
  );

  verifies('api.live', async () => {
    const { viewer, token } = await viewerClient();
    const changes: Change[] = [];
    const stream = httpRequest(
      `${viewer.endpoint}/api/events`,
      { headers: { authorization: `Bearer ${token}` } },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString('utf8');
          for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
            const data = /^event: change\ndata: (.+)$/.exec(text.slice(0, end))?.[1];
            if (data !== undefined) changes.push(JSON.parse(data) as Change);
            text = text.slice(end + 2);
          }
        });
      },
    );
    stream.on('error', () => {});
    const opened = new Promise((resolve) => stream.once('response', resolve));
    stream.end();
    await opened;
    const since = performance.now();
    const ids = Array.from({ length: 60 }, traceId);
    for (const id of ids) {
      await post(
        viewer.endpoint,
        'traces',
        spansBody([{ traceId: id, spanId: spanId(), name: 'x', kind: 2, startMs: Date.now(), durationMs: 1 }]),
      );
    }
    await eventually(
      'every trace was named',
      () => ids.every((id) => changes.some(({ traceIds }) => traceIds.includes(id))) || undefined,
    );
    const seconds = (performance.now() - since) / 1_000;
    // the requests were many more than the messages
    expect(changes.length).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 1);
    expect(changes.at(-1)).toMatchObject({ signals: ['traces'], spans: 60, traces: 60 });
    stream.destroy();
  });

  verifies('api.jaeger', async () => {
    expect(await client.get('/api/v3/services')).toEqual({ services: ['weather'] });
    const { operations } = await client.get<{ operations: { name: string; spanKind: string }[] }>(
      '/api/v3/operations?service=weather&span_kind=server',
    );
    expect(operations).toContainEqual({ name: 'tools/call forecast', spanKind: 'server' });
    const times = 'query.start_time_min=2020-01-01T00:00:00Z&query.start_time_max=2100-01-01T00:00:00.5Z';
    const find = async (query: string) => {
      const { result } = await client.get<{
        result: { resourceSpans: { scopeSpans: { spans: { traceId: string; name: string }[] }[] }[] };
      }>(`/api/v3/traces?${times}&${query}`);
      const spans = result.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
      return new Set(spans.map((span) => span.traceId)).size;
    };
    expect(await find('query.service_name=weather&query.num_traces=5')).toBe(5);
    expect(await find('query.serviceName=weather&query.searchDepth=3')).toBe(3);
    expect(await find('query.service_name=weather')).toBe(20);
    const slow = encodeURIComponent('tools/call report');
    expect(await find(`query.operation_name=${slow}&query.duration_min=1s&query.search_depth=1000`)).toBeLessThan(
      await find(`query.operation_name=${slow}&query.search_depth=1000`),
    );
    const attributes = encodeURIComponent('{"toolspan.error.code":"INTERNAL_ERROR","gen_ai.tool.name":"forecast"}');
    expect(await find(`query.attributes=${attributes}&query.search_depth=1000`)).toBe(
      (await client.get<TraceList>('/api/traces?error_code=INTERNAL_ERROR&tool=forecast')).total,
    );
    const one = await client.get<{ result: object }>(`/api/v3/traces/${failing()}`);
    expect(JSON.stringify(one.result)).toContain(failing());
    const nothing = await client.fetch(`/api/v3/traces?${times}&query.service_name=nobody`);
    expect(nothing.status).toBe(404);
    expect(await nothing.json()).toEqual({ error: { httpCode: 404, message: 'No traces found' } });
    for (const bad of [
      '',
      'query.start_time_min=x&query.start_time_max=y',
      `${times}&query.duration_min=long`,
      `${times}&query.search_depth=0`,
      `${times}&query.attributes=[]`,
    ]) {
      expect((await client.fetch(`/api/v3/traces?${bad}`)).status, bad).toBe(400);
    }
    expect((await client.fetch('/api/v3/operations')).status).toBe(400);
  });

  verifies('page.share', async () => {
    const response = await client.fetch(`/api/traces/${failing()}/share`);
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="trace-${failing()}.html"`);
    const html = await response.text();
    expect(html).not.toMatch(/(src|href)="?https?:/);
    expect(html.match(/<script/g)).toHaveLength(2);
  });

  verifies(
    'api.overview',
    async () => {
      const { viewer, get, fetch: send } = await viewerClient();
      await post(
        viewer.endpoint,
        'traces',
        spansBody([{ traceId: traceId(), spanId: spanId(), name: 'x', kind: 2, startMs: Date.now(), durationMs: 1 }]),
      );
      expect((await get<Status>('/api/status')).traces).toBe(1);
      expect((await send('/api/data', { method: 'DELETE' })).status).toBe(204);
      expect((await get<Status>('/api/status')).traces).toBe(0);
    },
    'until everything is forgotten',
  );
});
