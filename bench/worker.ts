// One server of one variant in a process of its own: `worker.ts <transport> <variant> <generation>`. It reports its CPU
// time when asked; in memory it also makes the calls.
import { Client as ClientV2, InMemoryTransport as MemoryV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport as MemoryV1 } from '@modelcontextprotocol/sdk/inMemory.js';
import type { McpServer as ServerV2 } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { prepare, type Generation, type Transport, type Variant } from './variants.ts';

const [transport, variant, generation] = process.argv.slice(2) as [Transport, Variant, Generation];
const make = await prepare(variant, generation);
const CONCURRENCY = 64;

type Call = (params: { name: string; arguments: Record<string, unknown> }) => Promise<unknown>;
let call: Call = () => Promise.reject(new Error('calls come from outside'));

if (transport === 'memory') {
  const server = make();
  const [ours, theirs] = (generation === 'v1' ? MemoryV1 : MemoryV2).createLinkedPair();
  const info = { name: 'bench', version: '1' };
  const client = generation === 'v1' ? new ClientV1(info) : new ClientV2(info);
  await Promise.all([(server as ServerV2).connect(theirs as never), (client as ClientV2).connect(ours as never)]);
  call = (params) => (client as ClientV2).callTool(params);
} else {
  await (make() as ServerV2).connect(new StdioServerTransport());
}

// in turns of the event loop, as calls from outside would come: export has its chance too
async function callInTurns(calls: number): Promise<void> {
  for (let left = calls; left > 0; left -= CONCURRENCY) {
    await Promise.all(Array.from({ length: CONCURRENCY }, () => call({ name: 'echo', arguments: { text: 'hello' } })));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Ask {
  readonly do: 'cpu' | 'calls' | 'heap';
  readonly calls?: number;
}

process.on('message', (ask: Ask) => {
  void (async () => {
    if (ask.do === 'calls') {
      const before = process.cpuUsage();
      await callInTurns(ask.calls ?? 0);
      const { user, system } = process.cpuUsage(before);
      process.send?.({ micros: user + system });
    } else if (ask.do === 'heap') {
      for (let round = 0; round < 3; round++) {
        globalThis.gc?.();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      process.send?.({ bytes: process.memoryUsage().heapUsed });
    } else {
      const { user, system } = process.cpuUsage();
      process.send?.({ micros: user + system });
    }
  })();
});
process.send?.({});
