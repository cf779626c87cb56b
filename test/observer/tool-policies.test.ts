// Policies around whole tools, on both generations of the SDK.
import { Server as LowLevelV1 } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Server as LowLevelV2 } from '@modelcontextprotocol/server';
import { afterEach, describe, expect, vi } from 'vitest';
import type { ToolPolicyMap } from '../../src/index.ts';
import { announcedPolicies, breakerSnapshots, policy } from '../../src/resilience/index.ts';
import { disableTelemetry } from '../harness/disabled.ts';
import { settled } from '../harness/manual-clock.ts';
import { down, freshName } from '../harness/policy.ts';
import { eventually } from '../harness/poll.ts';
import { GENERATIONS, script, type Json } from '../harness/scripted.ts';
import { caller, serverOf, text, type Tool } from '../harness/tool-server.ts';
import { verifies } from '../harness/verifies.ts';

const DOWN = 'error: UNAVAILABLE: down. Wait, then call again.';
let made = 0;

const signalIn = (extra: Parameters<Tool>[0]) => extra.mcpReq?.signal ?? extra.signal;

afterEach(() => vi.restoreAllMocks());

describe.each(GENERATIONS)('a tool of %s', (generation) => {
  const serve = serverOf(generation);

  verifies('tools.retry', async () => {
    const runs: string[] = [];
    const flaky = (name: string) => () => {
      runs.push(name);
      return runs.filter((run) => run === name).length < 3 ? Promise.reject(down()) : text('there');
    };
    const { ask, recorder } = await serve(
      {
        '*': { retry: { initialDelayMs: 0 } },
        forced: { retry: { initialDelayMs: 0, force: true } },
        off: { retry: false },
      },
      {
        plain: { run: flaky('plain') },
        'read-only': { run: flaky('read-only'), annotations: { readOnlyHint: true } },
        idempotent: { run: flaky('idempotent'), annotations: { idempotentHint: true } },
        destructive: { run: flaky('destructive'), annotations: { destructiveHint: true, readOnlyHint: false } },
        forced: { run: flaky('forced') },
        off: { run: flaky('off'), annotations: { readOnlyHint: true } },
      },
    );
    expect([await ask('plain'), await ask('destructive'), await ask('off')]).toEqual([DOWN, DOWN, DOWN]);
    expect([await ask('read-only'), await ask('idempotent'), await ask('forced')]).toEqual(['there', 'there', 'there']);
    const counts = Object.fromEntries(runs.map((name) => [name, runs.filter((run) => run === name).length]));
    expect(counts).toEqual({ plain: 1, destructive: 1, off: 1, 'read-only': 3, idempotent: 3, forced: 3 });
    // a call that recovered is no error, and shows what it took
    const span = recorder.spans().find(({ name }) => name === 'tools/call read-only');
    expect([span?.status.code, span?.attributes['error.type'], span?.events.map(({ name }) => name)]).toEqual([
      0,
      undefined,
      ['toolspan.retry', 'toolspan.retry'],
    ]);
    const failed = recorder.spans().find(({ name }) => name === 'tools/call plain');
    expect([failed?.status.code, failed?.events.map(({ name }) => name)]).toEqual([2, ['exception']]);
  });

  verifies('tools.binding', async () => {
    const { ask, name, handles } = await serve(
      {
        '*': { bulkhead: { concurrency: 3 }, timeoutMs: 1_000 },
        '@readOnlyHint': { timeoutMs: 2_000 },
        '@openWorldHint': { bulkhead: { concurrency: 7 } },
        special: { timeoutMs: 3_000, bulkhead: false },
      },
      {
        plain: { run: () => text('ok') },
        reads: { run: () => text('ok'), annotations: { readOnlyHint: true, openWorldHint: false } },
        open: { run: () => text('ok'), annotations: { readOnlyHint: true, openWorldHint: true } },
        special: { run: () => text('ok'), annotations: { readOnlyHint: true } },
      },
    );
    for (const tool of ['plain', 'reads', 'open', 'special']) expect(await ask(tool)).toBe('ok');
    const described = (tool: string) =>
      announcedPolicies()
        .find((announced) => announced.name === `${name}/${tool}`)
        ?.describe()
        .map(({ policy: kind, limitMs, concurrency }) => `${kind} ${Number(limitMs ?? concurrency)}`);
    expect(described('plain')).toEqual(['timeout 1000', 'bulkhead 3']);
    expect(described('reads')).toEqual(['timeout 2000', 'bulkhead 3']);
    expect(described('open')).toEqual(['timeout 2000', 'bulkhead 7']);
    expect(described('special')).toEqual(['timeout 3000']);
    // tools that are updated or renamed later count too
    handles[0]?.update({ callback: () => text('updated') });
    expect(await ask('plain')).toBe('updated');
    handles[0]?.update({ name: 'renamed' });
    expect([await ask('renamed'), described('renamed')]).toEqual(['updated', ['timeout 1000', 'bulkhead 3']]);
  });

  verifies('tools.keyed', async () => {
    const name = freshName('server');
    let runs = 0;
    const tool = {
      search: {
        run: () => {
          runs++;
          throw down();
        },
      },
    };
    const rules = { search: { breaker: { failures: 2 } } };
    // some hosts make a server for each request
    for (let requests = 0; requests < 4; requests++) {
      const { ask } = await serve(rules, tool, name);
      expect(await ask('search')).toBe(
        requests < 2
          ? DOWN
          : `error: UNAVAILABLE: ${name}/search is unavailable, its circuit breaker is open. Call again in 33 s.`,
      );
    }
    expect(runs).toBe(2);
    expect(breakerSnapshots().filter((breaker) => breaker.name.startsWith(name))).toMatchObject([
      { name: `${name}/search`, state: 'open', failures: 2 },
    ]);
    const other = await serve(rules, tool);
    expect(await other.ask('search')).toBe(DOWN);
  });

  verifies('tools.abort', async () => {
    const inner = policy(`inner ${++made}`, { timeoutMs: false });
    const seen: { signal?: AbortSignal | undefined; ended: string[] } = { ended: [] };
    const hang: Tool = async (extra) => {
      seen.signal = signalIn(extra);
      try {
        await inner.run(() => new Promise(() => {}));
      } catch (error) {
        seen.ended.push(error === seen.signal?.reason ? 'with the call' : String(error));
        throw error;
      }
    };
    for (const options of [{ bulkhead: {} }, { timeoutMs: 60_000 }, {}] satisfies ToolPolicyMap[string][]) {
      const { transport, call } = await serve({ hang: options }, { hang: { run: hang } });
      seen.signal = undefined;
      call(1, 'hang');
      await eventually('the tool runs', () => seen.signal);
      transport.deliver({
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: 1, reason: 'enough' },
      });
      await settled();
      expect((seen.signal as AbortSignal | undefined)?.aborted, JSON.stringify(options)).toBe(true);
      expect(transport.sent.some(({ id }) => id === 1)).toBe(false);
    }
    expect(seen.ended).toEqual(['with the call', 'with the call', 'with the call']);
  });

  verifies('tools.timeout', async () => {
    const inner = policy(`inner ${++made}`, { timeoutMs: false });
    const signals: (AbortSignal | undefined)[] = [];
    const { ask, clock, name, recorder } = await serve(
      { hang: { timeoutMs: 1_000 } },
      {
        hang: {
          run: (extra) => {
            signals.push(signalIn(extra));
            return inner.run(() => new Promise(() => {}));
          },
        },
      },
    );
    const answer = ask('hang');
    await eventually('the tool runs', () => signals[0]);
    await clock.pass(1_000);
    expect(await answer).toBe(
      `error: TIMEOUT: ${name}/hang did not answer within 1000 ms. Try again later, or ask for less.`,
    );
    expect(signals[0]?.reason).toMatchObject({ code: 'TIMEOUT' });
    const span = recorder.spans().find(({ name: called }) => called === 'tools/call hang');
    expect(span?.events.map(({ name: event }) => event)).toEqual(['toolspan.timeout', 'exception']);
  });

  verifies('tools.rate-limit', async () => {
    const limited = (per?: 'session' | 'caller' | 'all') => ({
      search: { rateLimit: { permits: 1, perMs: 60_000, ...(per && { per }) } },
    });
    const tool = { search: { run: () => text('ok') } };
    const by = (clientId: string, sub?: string) => ({ authInfo: { token: 't', clientId, scopes: [], extra: { sub } } });
    const shared = await serve(limited(), tool);
    expect([await shared.ask('search'), await shared.ask('search')]).toEqual([
      'ok',
      `error: RATE_LIMIT_EXCEEDED: ${shared.name}/search takes 1 call in 60000 ms, and none is left. Call again in 60 s.`,
    ]);
    const callers = await serve(limited(), tool);
    const ask = async (extra: Json) => (await callers.ask('search', extra)) === 'ok';
    expect([
      await ask(by('a')),
      await ask(by('a')),
      await ask(by('b')),
      await ask(by('a', 'ann')),
      await ask(by('a', 'bob')),
    ]).toEqual([true, false, true, true, true]);
    const sessions = await serve(limited(), tool);
    sessions.transport.sessionId = 'first';
    expect([await sessions.ask('search', by('a')), await sessions.ask('search', by('b'))]).toEqual([
      'ok',
      expect.stringContaining('none is left'),
    ]);
    sessions.transport.sessionId = 'second';
    expect(await sessions.ask('search', by('a'))).toBe('ok');
    const together = await serve(limited('all'), tool);
    expect([await together.ask('search', by('a')), await together.ask('search', by('b'))]).toEqual([
      'ok',
      expect.stringContaining('none is left'),
    ]);
    const perCaller = await serve(limited('caller'), tool);
    perCaller.transport.sessionId = 'first';
    expect(await perCaller.ask('search', by('a'))).toBe('ok');
    perCaller.transport.sessionId = 'second';
    expect(await perCaller.ask('search', by('a'))).toContain('none is left');
    // who calls is in no telemetry
    const recorded = callers.recorder;
    expect(JSON.stringify(recorded.spans())).not.toMatch(/ann|bob/);
    expect(JSON.stringify(await recorded.points('toolspan.policy.calls'))).not.toMatch(/ann|bob/);
  });

  verifies('tools.refusal', async () => {
    const { transport, call } = await serve(
      {
        limited: { rateLimit: { permits: 1, perMs: 8_000 } },
        broken: { breaker: { failures: 1, resetAfterMs: 5_000, resetJitter: 0 } },
      },
      { limited: { run: () => text('ok') }, broken: { run: () => Promise.reject(down()) } },
    );
    for (const [index, tool] of ['limited', 'limited', 'broken', 'broken'].entries()) {
      call(index, tool);
      await transport.answer(index);
    }
    const told = async (id: number) => {
      const { result } = await transport.answer(id);
      return (result as { _meta?: Record<string, unknown> })._meta?.['toolspan/error'];
    };
    expect(await told(1)).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', retryable: true, retry_after_ms: 8_000 });
    expect(await told(3)).toMatchObject({ code: 'UNAVAILABLE', retryable: true, retry_after_ms: 5_000 });
  });

  verifies('tools.results', async () => {
    const coded = (code: string, more = {}) => ({
      ...text(code),
      isError: true,
      _meta: { 'toolspan/error': { code, ...more } },
    });
    const answers: Record<string, { run: Tool; annotations: object }> = {};
    const runs: Record<string, number> = {};
    const results = {
      answer: { ...text('no such city'), isError: true },
      mistake: coded('VALIDATION_ERROR'),
      outage: coded('UNAVAILABLE', { retryable: true, retry_after_ms: 0 }),
      hopeless: coded('UNAVAILABLE', { retryable: false }),
      nonsense: coded('NO_SUCH_CODE'),
    };
    for (const [tool, result] of Object.entries(results)) {
      const run = () => {
        runs[tool] = (runs[tool] ?? 0) + 1;
        return result;
      };
      answers[tool] = { run, annotations: { readOnlyHint: true } };
    }
    const { ask, name } = await serve({ '*': { retry: { initialDelayMs: 0 }, breaker: { failures: 3 } } }, answers);
    for (const tool of Object.keys(results)) expect(await ask(tool)).toMatch(/^error: /);
    expect(runs).toEqual({ answer: 1, mistake: 1, outage: 3, hopeless: 1, nonsense: 1 });
    const states = breakerSnapshots().filter((breaker) => breaker.name.startsWith(name));
    expect(states.map(({ name: tool, state, failures }) => [tool.split('/')[1], state, failures])).toEqual([
      ['answer', 'closed', 0],
      ['mistake', 'closed', 0],
      ['outage', 'open', 3],
      ['hopeless', 'closed', 1],
      ['nonsense', 'closed', 0],
    ]);
  });

  verifies('tools.fallback', async () => {
    let runs = 0;
    const asksForUrl = () => {
      runs++;
      throw Object.assign(new Error('go there'), { name: 'McpError', code: -32_042 });
    };
    const { ask } = await serve(
      {
        '*': {
          fallback: text('cached'),
          retry: { when: () => true, initialDelayMs: 0, force: true },
          breaker: { failures: 1 },
        },
      },
      {
        fails: {
          run: () => {
            throw down();
          },
        },
        asks: { run: asksForUrl },
      },
    );
    expect(await ask('fails')).toBe('cached');
    // what a tool throws to ask for something is no failure
    for (let times = 0; times < 3; times++) expect(await ask('asks')).toContain('go there');
    expect(runs).toBe(3);
  });

  verifies('tools.low-level', async () => {
    const name = freshName('server');
    const info = { name, version: '1' };
    const capabilities = { capabilities: { tools: {} } };
    const server = generation === 'v1' ? new LowLevelV1(info, capabilities) : new LowLevelV2(info, capabilities);
    const handle = (request: { params: { name: string } }) => {
      if (request.params.name === 'search') throw down();
      return text(request.params.name);
    };
    if (generation === 'v1') (server as LowLevelV1).setRequestHandler(CallToolRequestSchema, handle);
    else (server as LowLevelV2).setRequestHandler('tools/call', handle);
    const breaker = { failures: 2 };
    const scripted = await script(server, { tools: { search: { breaker }, '*': { bulkhead: {} } } });
    const { ask } = caller(scripted);
    await ask('search');
    await ask('search');
    expect(await ask('search')).toContain('circuit breaker is open');
    for (let index = 0; index < 30; index++) expect(await ask(`made up ${index}`)).toBe(`made up ${index}`);
    // names that clients make up have one policy together
    const names = announcedPolicies().map((announced) => announced.name);
    expect(names.filter((announced) => announced.startsWith(name))).toEqual([`${name}/search`, `${name}/*`]);
  });

  verifies('tools.disabled', async () => {
    disableTelemetry();
    const seen: { signal?: AbortSignal | undefined } = {};
    const { ask, recorder, transport, call } = await serve(
      { '*': { breaker: { failures: 1 } } },
      {
        search: {
          run: () => {
            throw down();
          },
        },
        hang: {
          run: (extra) => {
            seen.signal = signalIn(extra);
            return new Promise(() => {});
          },
        },
      },
    );
    expect(await ask('search')).toBe(DOWN);
    expect(await ask('search')).toContain('circuit breaker is open');
    call(99, 'hang');
    await eventually('the tool runs', () => seen.signal);
    transport.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 99 } });
    await settled();
    expect(seen.signal?.aborted).toBe(true);
    await transport.close();
    expect(recorder.spans()).toEqual([]);
    expect(await recorder.points('toolspan.policy.calls')).toEqual([]);
  });
});
