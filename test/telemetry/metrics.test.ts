// The measurements of operations and sessions.
import { metrics, trace } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, onTestFinished } from 'vitest';
import { instrumentServer } from '../../src/index.ts';
import { protocolError } from '../../src/protocol/outcome.ts';
import { OperationKind } from '../../src/telemetry/kind.ts';
import { referenceServer } from '../fixtures/reference-server.ts';
import { connect, describeMatrix } from '../harness/matrix.ts';
import { eventually } from '../harness/poll.ts';
import { recorder, type Recorder } from '../harness/recorder.ts';
import { GENERATIONS, INITIALIZE, script, scriptReference, ScriptedTransport } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
const SERVER_OPERATION = 'mcp.server.operation.duration';

async function pointOf(recorded: Recorder, metric: string, wanted: Record<string, unknown>) {
  const points = await recorded.points(metric);
  const found = points.filter(({ attributes }) =>
    Object.entries(wanted).every(([key, value]) => attributes[key] === value),
  );
  expect(found, `${metric} ${JSON.stringify(wanted)} among ${JSON.stringify(points)}`).toHaveLength(1);
  return found[0];
}

describeMatrix(
  'measurements',
  (combination) => {
    const { peer, carrier } = combination;
    verifies('metrics.operation', async () => {
      const { call, close, recorder: recorded } = await connect(combination);
      await call('echo', { text: 'hi' });
      await call('echo', { text: 'hi' });
      await call('boom');
      await call('no such tool').catch(() => undefined);
      await close();
      if (recorded === undefined) throw new Error('in-process combinations only');
      const common = {
        'mcp.method.name': 'tools/call',
        'gen_ai.operation.name': 'execute_tool',
        'mcp.protocol.version': peer === 'v2 modern' ? '2026-07-28' : '2025-11-25',
        ...(carrier === 'http' && { 'network.transport': 'tcp', 'network.protocol.name': 'http' }),
      };
      const ok = await pointOf(recorded, SERVER_OPERATION, { 'gen_ai.tool.name': 'echo' });
      expect(ok?.attributes).toEqual({ ...common, 'gen_ai.tool.name': 'echo', 'toolspan.outcome': 'ok' });
      expect(ok?.value).toBe(2);
      const spans = recorded.spans().filter(({ name }) => name === 'tools/call echo');
      expect(ok?.sum).toBeCloseTo(
        spans.reduce((sum, { durationMs }) => sum + durationMs / 1_000, 0),
        5,
      );
      const failed = await pointOf(recorded, SERVER_OPERATION, { 'gen_ai.tool.name': 'boom' });
      expect(failed?.attributes).toEqual({
        ...common,
        'gen_ai.tool.name': 'boom',
        'toolspan.outcome': 'tool_error',
        'toolspan.error.code': 'INTERNAL_ERROR',
        'error.type': 'tool_error',
      });
      const unknown = await pointOf(recorded, SERVER_OPERATION, { 'gen_ai.tool.name': '_other' });
      expect(unknown?.attributes).toEqual({
        ...common,
        'gen_ai.tool.name': '_other',
        'toolspan.outcome': 'protocol_error',
        'toolspan.error.code': 'RESOURCE_NOT_FOUND',
        'rpc.response.status_code': '-32602',
      });
    });

    verifies('metrics.session', async () => {
      const { close, recorder: recorded, client } = await connect(combination);
      await client.listTools();
      await close();
      const points = (await recorded?.points('mcp.server.session.duration')) ?? [];
      // sessions ended with 2025-11-25, and stateless HTTP never had any
      if (peer === 'v2 modern' || (peer === 'v2 legacy' && carrier === 'http')) {
        expect(points).toEqual([]);
      } else if (carrier === 'memory') {
        expect(points.map(({ attributes, value }) => [attributes, value])).toEqual([
          [{ 'mcp.protocol.version': '2025-11-25' }, 1],
        ]);
        expect(points[0]?.sum).toBeGreaterThan(0);
      }
    });
  },
  ({ carrier }) => carrier !== 'stdio',
);

describe.each(GENERATIONS)('instruments on %s', (generation) => {
  verifies('metrics.buckets', async () => {
    const { recorder: recorded, transport, call } = await scriptReference(generation);
    call(1, 'think');
    const asked = await eventually('the server asks', () =>
      transport.sent.find(({ method }) => method === 'sampling/createMessage'),
    );
    transport.deliver({ jsonrpc: '2.0', id: asked['id'], error: { code: -1, message: 'no' } });
    await transport.answer(1);
    await transport.close();
    for (const name of [SERVER_OPERATION, 'mcp.client.operation.duration', 'mcp.server.session.duration']) {
      const metric = await recorded.metric(name);
      expect(metric?.descriptor).toMatchObject({ name, unit: 's' });
      expect(metric?.dataPointType).toBe(DataPointType.HISTOGRAM);
      expect(metric?.aggregationTemporality).toBe(AggregationTemporality.CUMULATIVE);
      expect((await recorded.points(name))[0]?.boundaries).toEqual(BUCKETS);
    }
    const [failed] = await recorded.points('mcp.client.operation.duration');
    expect(failed?.attributes).toMatchObject({ 'mcp.method.name': 'sampling/createMessage', 'error.type': '-1' });
  });

  verifies('metrics.active', async () => {
    const active = async (recorded: Recorder) => {
      const points = await recorded.points('toolspan.server.active_requests');
      return Object.fromEntries(points.map(({ attributes, value }) => [String(attributes['mcp.method.name']), value]));
    };
    const { recorder: recorded, transport, call } = await scriptReference(generation);
    call(1, 'hang');
    call(2, 'hang');
    expect(await active(recorded)).toMatchObject({ 'tools/call': 2, initialize: 0 });
    transport.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    expect(await active(recorded)).toMatchObject({ 'tools/call': 1 });
    await transport.close();
    expect(await active(recorded)).toMatchObject({ 'tools/call': 0 });
  });
});

describe('a client', () => {
  verifies(
    'metrics.session',
    async () => {
      const agent = recorder();
      const { tracerProvider, meterProvider } = agent;
      const { call, close } = await connect(
        { peer: 'v2 legacy', carrier: 'memory' },
        { client: { tracerProvider, meterProvider } },
      );
      await call('echo', { text: 'hi' });
      await close();
      const session = await pointOf(agent, 'mcp.client.session.duration', {});
      expect(session?.value).toBe(1);
      expect(session?.boundaries).toEqual(BUCKETS);
      const operation = await pointOf(agent, 'mcp.client.operation.duration', { 'mcp.method.name': 'tools/call' });
      expect(operation?.attributes).toMatchObject({ 'gen_ai.tool.name': 'echo', 'toolspan.outcome': 'ok' });
    },
    'on the client side',
  );
});

describe('providers that come late', () => {
  verifies('metrics.late-provider', async () => {
    onTestFinished(() => {
      trace.disable();
      metrics.disable();
    });
    const server = instrumentServer(referenceServer('v2') as McpServer);
    const transport = new ScriptedTransport();
    await server.connect(transport);
    transport.deliver(INITIALIZE);
    await transport.answer('init');
    const call = async (id: number) => {
      transport.deliver({
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name: 'echo', arguments: { text: 'hi' } },
      });
      await transport.answer(id);
    };
    await call(1);
    const first = recorder();
    trace.setGlobalTracerProvider(first.tracerProvider);
    metrics.setGlobalMeterProvider(first.meterProvider);
    await call(2);
    expect(first.spans().map(({ name }) => name)).toEqual(['tools/call echo']);
    expect((await pointOf(first, SERVER_OPERATION, { 'gen_ai.tool.name': 'echo' }))?.value).toBe(1);
    expect(await first.points('toolspan.server.active_requests')).not.toEqual([]);
    trace.disable();
    metrics.disable();
    const second = recorder();
    trace.setGlobalTracerProvider(second.tracerProvider);
    metrics.setGlobalMeterProvider(second.meterProvider);
    await call(3);
    expect(first.spans()).toHaveLength(1);
    expect(second.spans().map(({ name }) => name)).toEqual(['tools/call echo']);
    expect((await pointOf(second, SERVER_OPERATION, { 'gen_ai.tool.name': 'echo' }))?.value).toBe(1);
  });
});

describe('labels', () => {
  verifies('labels.bounded', async () => {
    const { recorder: recorded, transport, call } = await scriptReference('v2');
    for (let id = 0; id < 300; id++) {
      call(`t${id}`, `made up ${id}`);
      transport.deliver({ jsonrpc: '2.0', id: `m${id}`, method: `made/up/${id}` });
      transport.deliver({ jsonrpc: '2.0', id: `p${id}`, method: 'prompts/get', params: { name: `made up ${id}` } });
      transport.deliver({ jsonrpc: '2.0', id: `r${id}`, method: 'resources/read', params: { uri: `memo://${id}` } });
      transport.deliver({
        jsonrpc: '2.0',
        id: `v${id}`,
        method: 'ping',
        params: { _meta: { 'io.modelcontextprotocol/protocolVersion': `9${id}` } },
      });
    }
    await transport.answer('v299');
    await Promise.all(['t299', 'm299', 'p299', 'r299'].map((id) => transport.answer(id)));
    const points = await recorded.points(SERVER_OPERATION);
    const names = new Set(recorded.spans().map(({ name }) => name));
    expect(points.length).toBeLessThan(10);
    expect(names).toEqual(
      new Set(['initialize', 'tools/call _other', '_other', 'prompts/get _other', 'resources/read', 'ping']),
    );
    expect(JSON.stringify(points.map(({ attributes }) => attributes))).not.toMatch(/made|memo|t29|9\d\d/);
    // what was sent stands on the span alone
    const sent = recorded
      .spans()
      .map(({ attributes }) => attributes['gen_ai.tool.name'] ?? attributes['mcp.method.name']);
    expect(sent).toEqual(expect.arrayContaining(['made up 299', 'made/up/299']));
  });

  verifies(
    'labels.bounded',
    async () => {
      const server = new McpServer({ name: 'growing', version: '1' }, { capabilities: { tools: {} } });
      const { recorder: recorded, transport, call } = await script(server);
      for (let id = 0; id < 1_100; id++) {
        const tool = server.registerTool(`tool ${id}`, {}, () => ({ content: [] }));
        call(id, `tool ${id}`);
        await transport.answer(id);
        tool.remove();
      }
      const points = await recorded.points(SERVER_OPERATION);
      expect(points.length).toBeLessThanOrEqual(1_002);
      expect(recorded.spans().findLast(({ name }) => name.startsWith('tools/call'))?.name).toBe('tools/call _other');
    },
    'also where tools are registered without end',
  );

  verifies(
    'labels.bounded',
    () => {
      const kind = new OperationKind('tools/call', 'echo', { transport: undefined, protocol: undefined });
      const sets = new Set<object>();
      for (let code = 0; code < 1_000; code++) {
        sets.add(kind.labelsFor(protocolError(code, undefined, false), '2025-11-25'));
        sets.add(kind.labelsFor({ outcome: 'aborted', errorType: `Made${code}Up` }, `made up ${code}`));
      }
      expect(sets.size).toBeLessThan(80);
      // equal labels are one object: what aggregates them goes by its identity
      const again = { outcome: 'aborted', errorType: 'YetAnother' } as const;
      expect(kind.labelsFor(again, '2025-11-25')).toBe(kind.labelsFor(again, '2025-11-25'));
    },
    'also where error types and status codes come without end',
  );

  verifies('labels.learned', async () => {
    const { server } = referenceServer('v2') as McpServer;
    const { recorder: recorded, transport, call } = await script(server, { serverName: `learned ${process.pid}` });
    call(1, 'fails');
    call(2, 'echo', { text: 'hi' });
    await Promise.all([1, 2].map((id) => transport.answer(id)));
    const names = () => recorded.spans().map(({ name }) => name);
    expect(names()).toContain('tools/call _other');
    expect(names()).toContain('tools/call echo');
    transport.deliver({ jsonrpc: '2.0', id: 3, method: 'tools/list' });
    await transport.answer(3);
    call(4, 'fails');
    call(5, 'made up');
    await Promise.all([4, 5].map((id) => transport.answer(id)));
    expect(names().slice(-2).toSorted()).toEqual(['tools/call _other', 'tools/call fails']);
    const labels = (await recorded.points(SERVER_OPERATION)).map(({ attributes }) => attributes['gen_ai.tool.name']);
    expect(new Set(labels)).toEqual(new Set([undefined, '_other', 'echo', 'fails']));
  });

  verifies('labels.sizes', async () => {
    const { recorder: recorded, transport, call } = await scriptReference('v2');
    const huge = '🦩'.repeat(50_000);
    const names = [huge, '\u0000\u0007', '\ud800', 'ツール', '__proto__', 'constructor', 'toString', ''];
    names.forEach((name, index) =>
      call(`${index}${huge}`, name, {}, { traceparent: huge, tracestate: huge, baggage: huge }),
    );
    transport.deliver({ jsonrpc: huge, id: 'x', method: huge, params: { uri: huge } });
    transport.deliver({ jsonrpc: '2.0', id: 'y', method: 'resources/read', params: { uri: huge } });
    await transport.answer('y');
    const spans = recorded.spans();
    expect(spans.filter(({ name }) => name === 'tools/call _other')).toHaveLength(names.length);
    for (const { name, attributes } of spans) {
      expect(name.length).toBeLessThan(200);
      for (const value of Object.values(attributes)) expect(String(value).length).toBeLessThanOrEqual(512);
    }
    const cut = spans.find(({ attributes }) => String(attributes['gen_ai.tool.name']).startsWith('🦩'));
    // never half of a surrogate pair
    expect(String(cut?.attributes['gen_ai.tool.name']).isWellFormed()).toBe(true);
    expect(JSON.stringify(await recorded.points(SERVER_OPERATION))).not.toContain('🦩');
  });
});
