// What handlers throw: recorded once, whatever was thrown and whenever the handler was registered.
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { Server as LowLevelV1 } from '@modelcontextprotocol/sdk/server/index.js';
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { McpServer, Server } from '@modelcontextprotocol/server';
import * as fc from 'fast-check';
import { describe, expect, vi } from 'vitest';
import { exceptionAttributes } from '../../src/telemetry/exception.ts';
import { GENERATIONS, script, type Scripted } from '../harness/scripted.ts';
import { verifies } from '../harness/verifies.ts';

const fail = (message: string) => () => {
  throw new RangeError(message);
};

async function exceptionsOf({ transport, recorder, call }: Scripted, id: number, name: string): Promise<unknown[]> {
  const before = recorder.spans().length;
  call(id, name);
  await transport.answer(id);
  return recorder
    .spans()
    .slice(before)
    .filter((span) => span.name === `tools/call ${name}`)
    .flatMap(({ events }) => events.map(({ attributes }) => attributes['exception.message']));
}

describe.each(GENERATIONS)('registration on %s', (generation) => {
  verifies('exception.any-registration', async () => {
    const info = { name: 's', version: '1' };
    // the calls made here are the same on both, their types are not
    const server = generation === 'v1' ? (new ServerV1(info) as unknown as McpServer) : new McpServer(info);
    const before = server.registerTool('before', {}, fail('registered before'));
    const scripted = await script(server);
    expect(await exceptionsOf(scripted, 1, 'before')).toEqual(['registered before']);
    const after = server.registerTool('after', {}, fail('registered after'));
    expect(await exceptionsOf(scripted, 2, 'after')).toEqual(['registered after']);
    before.update({ callback: fail('updated') });
    expect(await exceptionsOf(scripted, 3, 'before')).toEqual(['updated']);
    before.disable();
    expect(await exceptionsOf(scripted, 4, 'before')).toEqual([]);
    before.enable();
    expect(await exceptionsOf(scripted, 5, 'before')).toEqual(['updated']);
    after.remove();
    scripted.call(6, 'after');
    await scripted.transport.answer(6);
    expect(scripted.recorder.spans().at(-1)?.name).toBe('tools/call _other');
    server.registerTool('after', {}, fail('registered again'));
    expect(await exceptionsOf(scripted, 7, 'after')).toEqual(['registered again']);
    before.update({ name: 'renamed' });
    expect(await exceptionsOf(scripted, 8, 'renamed')).toEqual(['updated']);
  });

  verifies('exception.low-level', async () => {
    const info = { name: 'low', version: '1' };
    const capabilities = { capabilities: { tools: {} } };
    const server = generation === 'v1' ? new LowLevelV1(info, capabilities) : new Server(info, capabilities);
    const handle = (message: string) =>
      generation === 'v1'
        ? (server as LowLevelV1).setRequestHandler(CallToolRequestSchema, fail(message))
        : (server as Server).setRequestHandler('tools/call', fail(message));
    handle('set before');
    const { transport, recorder, call } = await script(server);
    call(1, 'any');
    await transport.answer(1);
    handle('set after');
    call(2, 'any');
    await transport.answer(2);
    const events = recorder.spans().flatMap((span) => span.events);
    expect(events.map(({ attributes }) => attributes['exception.message'])).toEqual(['set before', 'set after']);
    expect(events.map(({ attributes }) => attributes['exception.type'])).toEqual(['RangeError', 'RangeError']);
  });
});

describe('tool() of SDK v1', () => {
  verifies('exception.any-registration', async () => {
    const server = new ServerV1({ name: 's', version: '1' });
    server.tool('old_style', fail('by tool()'));
    expect(await exceptionsOf(await script(server), 1, 'old_style')).toEqual(['by tool()']);
  });
});

describe('an SDK of another shape', () => {
  verifies('exception.unknown-shape', async () => {
    const said: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0);
    const server = new McpServer({ name: 'next', version: '1' });
    server.registerTool('boom', {}, fail('unseen'));
    Object.assign(server, { _registeredTools: undefined });
    for (const id of [1, 2]) {
      const { transport, recorder, call } = await script(new McpServer({ name: `next ${id}`, version: '1' }));
      expect(recorder.spans().map(({ name }) => name)).toContain('initialize');
      call(id, 'none');
      await transport.answer(id);
    }
    const shapeless = { server: server.server, registerTool: () => {} } as unknown as McpServer;
    const again = { server: new McpServer({ name: 'x', version: '1' }).server } as unknown as McpServer;
    for (const odd of [shapeless, again]) {
      const { recorder } = await script(
        Object.assign(odd, { connect: (transport: never) => odd.server.connect(transport) }),
      );
      expect(recorder.spans().map(({ name }) => name)).toContain('initialize');
    }
    vi.restoreAllMocks();
    expect(said.filter((line) => line.includes('keeps its tools where toolspan does not find them'))).toHaveLength(1);
  });
});

describe('anything that can be thrown', () => {
  verifies('exception.any-value', () => {
    class PaymentRefused extends Error {}
    const looped = new Error('round');
    looped.cause = new Error('and round', { cause: looped });
    const rude = new Proxy(new Error('rude'), {
      get() {
        throw new Error('not telling');
      },
    });
    const type = (value: unknown) => exceptionAttributes(value)['exception.type'];
    expect(
      [new PaymentRefused(), new TypeError(), 'text', 7, null, undefined, Symbol('s'), {}, () => {}].map(type),
    ).toEqual(['PaymentRefused', 'TypeError', 'string', 'number', 'null', 'undefined', 'symbol', 'object', 'function']);
    expect(exceptionAttributes('text')['exception.message']).toBe('text');
    expect(String(exceptionAttributes(looped)['exception.stacktrace']).match(/Caused by/g)).toHaveLength(1);
    expect(type(rude)).toBe('Error');
    expect(
      exceptionAttributes(Object.assign(new Error('m'), { stack: 'x'.repeat(1e6) }))['exception.stacktrace'],
    ).toHaveLength(8_192);
    expect(exceptionAttributes(new Error('m'.repeat(1e6)))['exception.message']).toHaveLength(1_024);
  });

  verifies(
    'exception.any-value',
    () => {
      fc.assert(
        fc.property(fc.anything(), fc.string(), fc.anything(), (thrown, message, cause) => {
          for (const value of [
            thrown,
            new Error(message, { cause }),
            Object.assign(new Error(message), { name: thrown, stack: cause }),
          ]) {
            for (const attribute of Object.values(exceptionAttributes(value))) expect(typeof attribute).toBe('string');
          }
        }),
      );
    },
    'by chance',
  );
});

describe('handlers that the SDK does not know of, or calls in another way', () => {
  verifies(
    'exception.low-level',
    async () => {
      const server = new ServerV1({ name: `custom ${process.pid}`, version: '1' }, { capabilities: { tools: {} } });
      server.server.setRequestHandler(CallToolRequestSchema, fail('by my own handler'));
      const { transport, recorder, call } = await script(server);
      call(1, 'any');
      await transport.answer(1);
      const span = recorder.spans().find(({ name }) => name.startsWith('tools/call'));
      expect(span?.events.map(({ attributes }) => attributes['exception.message'])).toEqual(['by my own handler']);
    },
    'set on the server inside an McpServer',
  );

  verifies(
    'exception.once',
    async () => {
      const server = new McpServer({ name: 's', version: '1' });
      const inner = server.registerTool('inner', {}, fail('caught by the one who called'));
      server.registerTool('outer', {}, (ctx) => {
        try {
          (inner as unknown as { handler: (ctx: unknown) => unknown }).handler(ctx);
        } catch {
          throw new TypeError('the failure of the call');
        }
        return { content: [] };
      });
      const scripted = await script(server);
      await exceptionsOf(scripted, 1, 'inner');
      expect(await exceptionsOf(scripted, 2, 'outer')).toEqual(['the failure of the call']);
    },
    'a handler that calls another',
  );

  verifies(
    'exception.any-registration',
    async () => {
      const server = new ServerV1(
        { name: 's', version: '1' },
        { capabilities: { tasks: { requests: { tools: { call: {} } } } }, taskStore: new InMemoryTaskStore() },
      );
      server.experimental.tasks.registerToolTask('job', { execution: { taskSupport: 'required' } } as never, {
        createTask: fail('no workers'),
        getTask: fail('never'),
        getTaskResult: fail('never'),
      });
      const { transport, recorder } = await script(server);
      transport.deliver({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'job', arguments: {}, task: { ttl: 1_000 } },
      });
      await transport.answer(1);
      const span = recorder.spans().find(({ name }) => name === 'tools/call job');
      expect(span?.status.code).toBe(2);
      expect(span?.events.map(({ attributes }) => attributes['exception.message'])).toEqual(['no workers']);
    },
    'a task of SDK v1',
  );
});
