// Policies around the tools that a client calls, on both generations of the SDK.
import { InMemoryTransport as MemoryV1 } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { InMemoryTransport as MemoryV2 } from '@modelcontextprotocol/client';
import { McpServer as ServerV2 } from '@modelcontextprotocol/server';
import { context, trace } from '@opentelemetry/api';
import { describe, expect } from 'vitest';
import { errorResult } from '../../src/errors/error-result.ts';
import { ToolError } from '../../src/errors/tool-error.ts';
import { instrumentClient, type ToolPolicyMap } from '../../src/index.ts';
import { showPolicyEvents } from '../../src/telemetry/resilience.ts';
import { announcedPolicies } from '../../src/resilience/index.ts';
import { disableTelemetry } from '../harness/disabled.ts';
import { ManualClock, settled } from '../harness/manual-clock.ts';
import { newClient, type ToolResult } from '../harness/matrix.ts';
import { recorder } from '../harness/recorder.ts';
import { GENERATIONS } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
const down = () => errorResult(new ToolError('UNAVAILABLE', 'down'));

type Tool = (extra: { signal?: AbortSignal; mcpReq?: { signal: AbortSignal } }) => unknown;
let made = 0;

describe.each(GENERATIONS)('a client of %s', (generation) => {
  /** A client with policies, connected to a server with these tools, in time that the test lets pass. */
  async function connected(
    tools: ToolPolicyMap,
    registered: Record<string, { run: Tool; annotations?: object }>,
    client = newClient(generation === 'v1' ? 'v1' : 'v2 legacy'),
  ) {
    const name = `called ${++made}`;
    const clock = new ManualClock();
    const info = { name, version: '1' };
    // the calls made here are the same on both, their types are not
    const server = generation === 'v1' ? (new ServerV1(info) as unknown as ServerV2) : new ServerV2(info);
    for (const [tool, { run, annotations = {} }] of Object.entries(registered)) {
      server.registerTool(tool, { annotations }, run as never);
    }
    const timed = Object.fromEntries(
      Object.entries(tools).map(([key, options]) => [key, { clock, random: () => 1, ...options }]),
    );
    const recorded = recorder();
    const { tracerProvider, meterProvider } = recorded;
    const given = { tracerProvider, meterProvider, tools: timed };
    expect(instrumentClient(instrumentClient(client, given), given)).toBe(client);
    const [ours, theirs] = (generation === 'v1' ? MemoryV1 : MemoryV2).createLinkedPair();
    await server.connect(theirs);
    await client.connect(ours as never);
    const call = (tool: string, options: object = {}): Promise<ToolResult> =>
      generation === 'v1'
        ? client.callTool({ name: tool }, undefined, options)
        : client.callTool({ name: tool }, options);
    return { client, call, clock, name, recorded };
  }

  const flaky =
    (runs: string[], name: string): Tool =>
    () => {
      runs.push(name);
      return runs.filter((run) => run === name).length < 3 ? down() : text('there');
    };

  verifies(
    'client.policies',
    async () => {
      const runs: string[] = [];
      const { client, call, recorded } = await connected(
        { '*': { retry: { initialDelayMs: 0 } }, forced: { retry: { initialDelayMs: 0, force: true } } },
        {
          plain: { run: flaky(runs, 'plain') },
          reads: { run: flaky(runs, 'reads'), annotations: { readOnlyHint: true } },
          repeats: { run: flaky(runs, 'repeats'), annotations: { idempotentHint: true } },
          forced: { run: flaky(runs, 'forced') },
        },
      );
      // nobody has said yet that it may be called twice
      expect((await call('reads')).isError).toBe(true);
      await client.listTools();
      const answers = [await call('plain'), await call('repeats'), await call('forced')];
      expect(answers.map(({ isError }) => isError === true)).toEqual([true, false, false]);
      expect((await call('reads')).content).toEqual(text('there').content);
      const times = (name: string) => runs.filter((run) => run === name).length;
      expect(['plain', 'repeats', 'forced', 'reads'].map(times)).toEqual([1, 3, 3, 3]);
      // each attempt is a request, and a span, of its own
      const spans = recorded.spans().filter(({ name }) => name === 'tools/call repeats');
      expect(spans.map(({ attributes }) => attributes['toolspan.outcome'])).toEqual(['tool_error', 'tool_error', 'ok']);
      await client.close();
    },
    `${generation}: a retry, where the annotations allow it`,
  );

  verifies(
    'client.policies',
    async () => {
      const runs: string[] = [];
      const failing =
        (tool: string): Tool =>
        () => {
          runs.push(tool);
          return { ...text('down'), isError: true };
        };
      const retry = { attempts: 2, initialDelayMs: 0, force: true };
      const failOn = (result: unknown) => (result as ToolResult).isError === true;
      const { client, call } = await connected(
        { answers: { retry }, fails: { retry, failOn } },
        { answers: { run: failing('answers') }, fails: { run: failing('fails') } },
      );
      await call('answers');
      await call('fails');
      expect(runs).toEqual(['answers', 'fails', 'fails']);
      await client.close();
    },
    `${generation}: a result that says isError and no code failed where \`failOn\` says so`,
  );

  verifies(
    'client.policies',
    async () => {
      let runs = 0;
      const { client, call, clock, name } = await connected(
        { fails: { breaker: { failures: 2, resetAfterMs: 1_000, resetJitter: 0 } } },
        { fails: { run: () => (++runs, down()) } },
      );
      await client.listTools();
      await call('fails');
      await call('fails');
      await expect(call('fails')).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
      expect(runs).toBe(2);
      expect(announcedPolicies().map((each) => each.name)).toContain(`client:${name}/fails`);
      await clock.pass(1_000);
      await call('fails');
      expect(runs).toBe(3);
      await client.close();
    },
    `${generation}: a breaker`,
  );

  verifies(
    'client.policies',
    async () => {
      const signals: AbortSignal[] = [];
      const hang: Tool = ({ signal, mcpReq }) => {
        const given = mcpReq?.signal ?? signal;
        if (given !== undefined) signals.push(given);
        return new Promise(() => {});
      };
      const { client, call, clock, recorded } = await connected({ hang: { timeoutMs: 500 } }, { hang: { run: hang } });
      showPolicyEvents();
      const agent = recorded.tracerProvider.getTracer('an agent').startSpan('agent');
      const late = context.with(trace.setSpan(context.active(), agent), () => call('hang'));
      const ended = expect(late).rejects.toMatchObject({ code: 'TIMEOUT' });
      await settled();
      await clock.pass(500);
      await ended;
      agent.end();
      await settled();
      // the server is told, and the span says so
      expect(signals[0]?.aborted).toBe(true);
      const outcomes = recorded
        .spans()
        .map(({ name, attributes, events }) => [
          name,
          attributes['toolspan.outcome'],
          events.map((event) => event.name),
        ]);
      expect(outcomes).toContainEqual(['tools/call _other', 'cancelled', []]);
      expect(outcomes).toContainEqual(['agent', undefined, ['toolspan.timeout']]);
      // the caller's own withdrawal is not a time limit
      const controller = new AbortController();
      const withdrawn = call('hang', { signal: controller.signal });
      const gone = expect(withdrawn).rejects.not.toMatchObject({ code: 'TIMEOUT' });
      await settled();
      controller.abort(new Error('never mind'));
      await gone;
      await client.close();
    },
    `${generation}: a time limit`,
  );

  verifies(
    'client.policies',
    async () => {
      const { promise, resolve } = Promise.withResolvers<object>();
      let running = 0;
      const { client, call } = await connected(
        { waits: { bulkhead: { concurrency: 1, queue: 0 } }, limited: { rateLimit: { permits: 1, perMs: 60_000 } } },
        { waits: { run: () => (++running, promise) }, limited: { run: () => text('ok') } },
      );
      const first = call('waits');
      await expect(call('waits')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      resolve(text('done'));
      expect((await first).content).toEqual(text('done').content);
      expect(running).toBe(1);
      await call('limited');
      await expect(call('limited')).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
      await client.close();
    },
    `${generation}: a bulkhead and a rate limit`,
  );

  verifies(
    'client.policies',
    async () => {
      disableTelemetry();
      const { client, call, recorded } = await connected(
        { limited: { rateLimit: { permits: 1, perMs: 60_000 } } },
        { limited: { run: () => text('ok') }, free: { run: () => text('ok') } },
      );
      await call('limited');
      await expect(call('limited')).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
      expect((await call('free')).content).toEqual(text('ok').content);
      expect(recorded.spans()).toEqual([]);
      await client.close();
    },
    `${generation}: without telemetry`,
  );

  verifies(
    'client.policies',
    () => {
      const client = newClient(generation === 'v1' ? 'v1' : 'v2 legacy');
      expect(() => instrumentClient(client, { tools: { echo: { timeoutMs: 0 } } })).toThrow(
        new RangeError(
          'instrumentClient: tools["echo"]: option "timeoutMs" must be a number of milliseconds from 1 to 2147483647, or false, got 0 (number)',
        ),
      );
    },
    `${generation}: a bad option`,
  );
});
