// Policies around tools: what may be asked of them, and what they share.
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { instrumentServer } from '../../src/index.ts';
import { announcedPolicies, circuitBreaker } from '../../src/resilience/index.ts';
import { script, type Scripted } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
let made = 0;

describe('options', () => {
  const server = () => new McpServer({ name: `server ${++made}`, version: '1' });

  verifies('tools.bad-option', () => {
    const bad: [unknown, string][] = [
      ['all', 'instrumentServer: option "tools" must be an object, got "all" (string)'],
      [[], 'instrumentServer: option "tools" must be an object, got a list of 0'],
      [{ search: true }, 'instrumentServer: tools["search"]: expected an object, got true (boolean)'],
      [
        { '@readOnly': {} },
        'instrumentServer: tools["@readOnly"]: expected the name of a tool, "*", or one of @readOnlyHint, @destructiveHint, @idempotentHint, @openWorldHint, got "@readOnly" (string)',
      ],
      [{ '*': { timeout: 1 } }, 'instrumentServer: tools["*"]: unknown option "timeout"; known options: timeoutMs, '],
      [
        { '*': { timeoutMs: 0 } },
        'instrumentServer: tools["*"]: option "timeoutMs" must be a number of milliseconds from 1',
      ],
      [
        { a: { retry: { force: 1 } } },
        'instrumentServer: tools["a"]: retry: option "force" must be true or false, got 1 (number)',
      ],
      [
        { a: { retry: { attempts: 0 } } },
        'instrumentServer: tools["a"]: retry: option "attempts" must be a whole number from 1',
      ],
      [
        { a: { rateLimit: { permits: 1, per: 'user' } } },
        'instrumentServer: tools["a"]: rateLimit: option "per" must be one of "session", "caller", "all", got "user" (string)',
      ],
      [{ a: { rateLimit: {} } }, 'instrumentServer: tools["a"]: rateLimit: option "permits" must be a whole number'],
      // what belongs together comes together in the narrower one
      [
        { '*': { timeoutMs: 1_000 }, a: { attemptTimeoutMs: 2_000 } },
        'instrumentServer: tools["a"]: option "attemptTimeoutMs" must be at most "timeoutMs" (1000), got 2000 (number)',
      ],
    ];
    for (const [tools, message] of bad) {
      expect(() => instrumentServer(server(), { tools: tools as never }), message).toThrow(message);
    }
  });

  verifies('tools.conflict', async () => {
    const said: string[] = [];
    onTestFinished(() => void vi.restoreAllMocks());
    vi.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0);
    const name = `server ${++made}`;
    for (const failures of [1, 2]) {
      const again = new McpServer({ name, version: '1' });
      again.registerTool('search', {}, () => text('ok'));
      const { transport, call } = await script(again, { tools: { search: { breaker: { failures } } } });
      call(1, 'search');
      // a contradiction is said, and no call suffers from it
      expect((await transport.answer(1))['result']).toMatchObject(text('ok'));
    }
    expect(said.filter((line) => line.includes(`of tool "search" of server "${name}" differ`))).toHaveLength(1);
    const stays = announcedPolicies().find((announced) => announced.name === `${name}/search`);
    expect([stays?.describe()[0]?.['failures'], stays?.snapshot().calls?.success]).toEqual([1, 2]);
    // narrower parts may contradict wider ones, which only shows when a tool has both
    const both = new McpServer({ name: `${name} again`, version: '1' });
    both.registerTool('search', { annotations: { readOnlyHint: true } }, () => text('ok'));
    const tools = { '@readOnlyHint': { timeoutMs: 1_000 }, search: { attemptTimeoutMs: 2_000 } };
    const { transport, call } = await script(both, { tools });
    call(1, 'search');
    expect((await transport.answer(1))['result']).toMatchObject(text('ok'));
    expect(said.filter((line) => line.includes('contradict each other, so it runs without'))).toHaveLength(1);
  });

  verifies('tools.shared-breaker', async () => {
    const breaker = circuitBreaker({ name: `shared ${++made}`, failures: 2 });
    const scripts: Scripted[] = [];
    for (let servers = 0; servers < 2; servers++) {
      const one = server();
      one.registerTool('search', {}, () => {
        throw new ToolError('UNAVAILABLE', 'down');
      });
      scripts.push(await script(one, { tools: { '*': { breaker } } }));
    }
    for (const { call, transport } of scripts) {
      call(1, 'search');
      await transport.answer(1);
    }
    expect(breaker.state).toBe('open');
    const points = await scripts[0]?.recorder.points('toolspan.circuit_breaker.state');
    const open = points?.filter(
      ({ attributes, value }) => attributes['toolspan.circuit_breaker.state'] === 'open' && value === 1,
    );
    expect(open?.filter(({ attributes }) => attributes['toolspan.policy.name'] === breaker.name)).toHaveLength(1);
  });

  verifies(
    'tools.low-level',
    async () => {
      const name = `server ${++made}`;
      const bare = new McpServer({ name, version: '1' }, { capabilities: { tools: {} } });
      const { transport, call } = await script(bare, { tools: { '*': { bulkhead: {} } } });
      call(1, 'none yet');
      await transport.answer(1);
      bare.registerTool('late', {}, () => text('ok'));
      call(2, 'late');
      expect((await transport.answer(2))['result']).toMatchObject(text('ok'));
      const mine = announcedPolicies().filter((announced) => announced.name.startsWith(`${name}/`));
      const counts = mine.map((announced) => [announced.name, Object.values(announced.snapshot().calls ?? {})]);
      expect(counts).toContainEqual([`${name}/late`, [1, 0, 0, 0, 0, 0]]);
      // what all tools would have shared has not seen it
      for (const [, calls] of counts.filter(([called]) => called === `${name}/*`)) {
        expect((calls as number[]).reduce((sum, count) => sum + count)).toBe(1);
      }
    },
    'and a server that gets its tools later has them for each tool, once',
  );

  verifies('tools.bounded', async () => {
    const name = `server ${++made}`;
    const endless = new McpServer({ name, version: '1' }, { capabilities: { tools: {} } });
    const { transport, call } = await script(endless, { tools: { '*': { bulkhead: {} } } });
    for (let index = 0; index < 550; index++) {
      const tool = endless.registerTool(`tool-${index}`, {}, () => text('ok'));
      call(index, `tool-${index}`);
      expect((await transport.answer(index))['result']).toMatchObject(text('ok'));
      tool.remove();
    }
    const mine = announcedPolicies().filter((announced) => announced.name.startsWith(`${name}/`));
    expect([mine.length, mine.at(-1)?.name]).toEqual([501, `${name}/_other`]);
    expect(mine.at(-1)?.snapshot().calls?.success).toBe(50);
  });
});
