// Which policies are around which tool, and whose functions they ask, on both generations of the SDK.
import { Server as LowLevelV1 } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Server as LowLevelV2 } from '@modelcontextprotocol/server';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { instrumentServer, registerObservabilityTools, type ToolPolicyMap } from '../../src/index.ts';
import { announcedPolicies, breakerSnapshots } from '../../src/resilience/index.ts';
import { ManualClock } from '../harness/manual-clock.ts';
import { down, freshName } from '../harness/policy.ts';
import { GENERATIONS, script } from '../harness/scripted.ts';
import { bareServer, caller, serverOf, text, timed } from '../harness/tool-server.ts';
import { verifies } from '../harness/verifies.ts';

/** What is said on stderr while the test runs. */
function stderr(): string[] {
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0);
  onTestFinished(() => spy.mockRestore());
  return said;
}

const limitsOf = (policy: string) =>
  announcedPolicies()
    .find(({ name }) => name === policy)
    ?.describe()
    .map(({ policy: kind, scope, limitMs }) =>
      limitMs === undefined ? kind : `${kind} ${scope as string} ${Number(limitMs)}`,
    );

describe.each(GENERATIONS)('a server of %s', (generation) => {
  const serve = serverOf(generation);
  const failing = { run: () => Promise.reject(down()), annotations: { readOnlyHint: true } };

  verifies('tools.own-code', async () => {
    const name = freshName('server');
    const forUser = (user: string) =>
      serve({ t: { breaker: { failures: 2 }, fallback: () => text(`cached data of ${user}`) } }, { t: failing }, name);
    for (const user of ['alice', 'bob', 'carol', 'alice']) {
      expect(await (await forUser(user)).ask('t')).toBe(`cached data of ${user}`);
    }
    // the state is that of the name
    expect(breakerSnapshots().filter((breaker) => breaker.name === `${name}/t`)).toMatchObject([
      { state: 'open', failures: 2 },
    ]);
  });

  verifies(
    'tools.own-code',
    async () => {
      const name = freshName('server');
      let runs = 0;
      const run = () => {
        runs++;
        throw down();
      };
      for (const retries of [true, false]) {
        const { ask } = await serve(
          { t: { retry: { initialDelayMs: 0, force: true, when: () => retries }, breaker: { when: () => !retries } } },
          { t: { run } },
          name,
        );
        await ask('t');
      }
      expect(runs).toBe(4);
      expect(breakerSnapshots().find((breaker) => breaker.name === `${name}/t`)?.failures).toBe(1);
    },
    'predicates too',
  );

  verifies(
    'tools.own-code',
    async () => {
      const said = stderr();
      const name = freshName('server');
      const forUser = (user: string, more: ToolPolicyMap[string]) =>
        serve({ t: { fallback: () => text(`cached data of ${user}`), ...more } }, { t: failing }, name);
      expect(await (await forUser('alice', { breaker: { failures: 5 } })).ask('t')).toBe('cached data of alice');
      expect(await (await forUser('bob', { breaker: { failures: 6 } })).ask('t')).toBe('cached data of bob');
      // who has no fallback is answered by none
      expect(await (await forUser('carol', { fallback: undefined })).ask('t')).toMatch(/^error: UNAVAILABLE: down/);
      expect(said.filter((line) => line.includes(`of tool "t" of server "${name}" differ`))).toHaveLength(1);
    },
    'where options differ from those of an earlier server',
  );

  verifies('tools.own-tools', async () => {
    const name = freshName('server');
    const server = bareServer(generation, name);
    server.registerTool('search', {}, () => text('ok'));
    await registerObservabilityTools(server);
    const limited = { rateLimit: { permits: 1, perMs: 60_000 } };
    const tools = { '*': limited, '@readOnlyHint': limited, get_recent_errors: { bulkhead: {} } };
    const { ask } = caller(await script(server, { tools }));
    for (let times = 0; times < 3; times++) {
      expect(await ask('get_server_health')).not.toMatch(/^error/);
      expect(await ask('get_recent_errors')).not.toMatch(/^error/);
    }
    expect([await ask('search'), await ask('search')]).toEqual(['ok', expect.stringContaining('none is left')]);
    const mine = announcedPolicies().filter((policy) => policy.name.startsWith(`${name}/`));
    expect(mine.map((policy) => [policy.name, policy.describe().map((step) => step.policy)])).toEqual([
      [`${name}/get_recent_errors`, ['bulkhead']],
      [`${name}/search`, ['rate_limit']],
    ]);
  });

  const contradicting = {
    '*': { timeoutMs: 5_000 },
    '@readOnlyHint': { attemptTimeoutMs: 4_000 },
    x: { timeoutMs: 2_000 },
  };

  verifies('tools.contradiction', () => {
    const server = bareServer(generation, freshName('server'));
    server.registerTool('x', { annotations: { readOnlyHint: true } }, () => text('ok'));
    expect(() => instrumentServer(server, { tools: contradicting })).toThrow(
      new RangeError(
        'instrumentServer: tools: all that is for "x": option "attemptTimeoutMs" must be at most "timeoutMs" (2000), got 4000 (number)',
      ),
    );
    // one that writes has no part in it
    const other = bareServer(generation, freshName('server'));
    other.registerTool('x', { annotations: { readOnlyHint: false } }, () => text('ok'));
    expect(instrumentServer(other, { tools: contradicting })).toBe(other);
  });

  verifies(
    'tools.contradiction',
    async () => {
      const said = stderr();
      const name = freshName('server');
      const server = bareServer(generation, name);
      server.registerTool('y', { annotations: { readOnlyHint: true } }, () => text('ok'));
      const { ask } = caller(await script(server, { tools: contradicting }));
      server.registerTool('x', { annotations: { readOnlyHint: true } }, () => text('ok'));
      expect([await ask('x'), await ask('x'), await ask('y')]).toEqual(['ok', 'ok', 'ok']);
      expect(limitsOf(`${name}/x`)).toEqual(['timeout total 2000']);
      expect(limitsOf(`${name}/y`)).toEqual(['timeout total 5000', 'timeout attempt 4000']);
      expect(said.filter((line) => line.includes('contradict each other'))).toEqual([
        expect.stringContaining(
          `the policies of tool "x" of server "${name}" contradict each other, so it runs without attemptTimeoutMs: 4000 (number)`,
        ),
      ]);
    },
    'of a tool that comes later only the contradicting part',
  );

  verifies('tools.fallback-shape', async () => {
    const said = stderr();
    const wrong = (() => 'str') as never;
    const { ask, recorder, name } = await serve(
      { wrong: { fallback: wrong }, late: { fallback: () => Promise.resolve(text('cached')) } },
      { wrong: failing, late: failing },
    );
    for (let times = 0; times < 2; times++) {
      expect(await ask('wrong')).toMatch(/^error: UNAVAILABLE: .* failed, and so did its fallback/);
    }
    expect(await ask('late')).toBe('cached');
    const about = said.filter((line) => line.includes('fallback of tool "wrong"'));
    expect(about).toEqual([
      `toolspan: the fallback of tool "wrong" of server "${name}" must return a tool result, an object with a list "content", got "str" (string); the call failed.\n`,
    ]);
    expect(recorder.spans().filter(({ status }) => status.code === 2)).toHaveLength(2);
  });

  verifies('tools.unknown-name', async () => {
    const said = stderr();
    const tools = { '*': { bulkhead: {} }, '@readOnlyHint': {}, serach: { breaker: {} }, search: { breaker: {} } };
    for (const first of ['call', 'list']) {
      const { name, ask, list } = await serve(tools, { search: { run: () => text('ok') } });
      expect(said.filter((line) => line.includes(name))).toEqual([]);
      if (first === 'list') await list();
      for (let times = 0; times < 2; times++) expect(await ask('search')).toBe('ok');
      await list();
      expect(said.filter((line) => line.includes(name))).toEqual([
        `toolspan: tools["serach"]: the server "${name}" has no tool of this name by now; it has search. Please check the name.\n`,
      ]);
    }
  });
});

describe.each(GENERATIONS)('a low-level server of %s', (generation) => {
  const listed = [
    { name: 'q', inputSchema: { type: 'object' as const }, annotations: { readOnlyHint: true } },
    { name: 'w', inputSchema: { type: 'object' as const } },
  ];

  async function serve(tools: ToolPolicyMap, run: (tool: string) => object, name = freshName('server')) {
    const info = { name, version: '1' };
    const capabilities = { capabilities: { tools: {} } };
    const answer = (request: { params: { name: string } }) => run(request.params.name);
    const server = generation === 'v1' ? new LowLevelV1(info, capabilities) : new LowLevelV2(info, capabilities);
    if (generation === 'v1') {
      (server as LowLevelV1).setRequestHandler(CallToolRequestSchema, answer);
      (server as LowLevelV1).setRequestHandler(ListToolsRequestSchema, () => ({ tools: listed }));
    } else {
      (server as LowLevelV2).setRequestHandler('tools/call', answer as never);
      (server as LowLevelV2).setRequestHandler('tools/list', () => Promise.resolve({ tools: listed }));
    }
    return { name, ...caller(await script(server, { tools: timed(tools, new ManualClock()) })) };
  }

  const unknownThrows = (tool: string) => {
    if (tool !== 'q' && tool !== 'w') throw new Error(`no tool ${tool}`);
    return text(tool);
  };

  verifies('tools.made-up', async () => {
    const { name, ask, list } = await serve({ '*': { breaker: { failures: 2 }, bulkhead: {} } }, unknownThrows);
    const bogus = async () => {
      for (let index = 0; index < 5; index++) await ask(`bogus ${index}`);
    };
    await bogus();
    expect(await ask('q')).toBe('q');
    await list();
    await bogus();
    expect(await ask('q')).toBe('q');
    const states = breakerSnapshots().filter((breaker) => breaker.name.startsWith(`${name}/`));
    expect(states.map((breaker) => [breaker.name, breaker.state])).toEqual([[`${name}/q`, 'closed']]);
    expect(
      announcedPolicies()
        .find((policy) => policy.name === `${name}/*`)
        ?.snapshot().calls,
    ).toMatchObject({
      failure: 10,
      success: 1,
    });
  });

  verifies('tools.listed', async () => {
    const runs: string[] = [];
    const tools = {
      '*': { breaker: { failures: 100 }, retry: { initialDelayMs: 0 } },
      '@readOnlyHint': { timeoutMs: 2_000 },
    };
    const flaky = (tool: string) => {
      runs.push(tool);
      throw down();
    };
    const { name, ask, list } = await serve(tools, flaky);
    await list();
    for (const tool of ['q', 'w']) await ask(tool);
    // only what its annotations allow is retried
    expect(runs).toEqual(['q', 'q', 'q', 'w']);
    expect(limitsOf(`${name}/q`)).toEqual(['timeout total 2000', 'retry', 'circuit_breaker']);
    expect(limitsOf(`${name}/w`)).toEqual(['retry', 'circuit_breaker']);
    // a server that is made for the next request knows what the first has listed
    const next = await serve(tools, flaky, name);
    await next.ask('q');
    expect(runs).toHaveLength(7);
  });

  verifies(
    'tools.listed',
    async () => {
      const said = stderr();
      const { name, ask, list } = await serve(
        { '@readOnlyHint': { timeoutMs: 2_000 }, q: { breaker: { failures: 100 } }, w: { bulkhead: {} } },
        unknownThrows,
      );
      await ask('q');
      await list();
      await ask('q');
      expect(limitsOf(`${name}/q (not listed)`)).toEqual(['circuit_breaker']);
      expect(limitsOf(`${name}/q`)).toEqual(['timeout total 2000', 'circuit_breaker']);
      expect(said).toEqual([]);
    },
    'one that is named before it is listed, as it is named',
  );
});
