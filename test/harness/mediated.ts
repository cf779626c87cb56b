// Calls, policies and tools for tests of what the proxy decides itself. The policies are as simple as their contract.
import { ToolError } from '../../src/errors/tool-error.ts';
import type { CallPolicy, LocalTools } from '../../src/proxy/mediation.ts';
import { whenRead } from './http-server.ts';
import type { Handle } from './http-wrap.ts';

export const call = (id: number, name: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: { a: 1 } },
});
export const result = (id: number, extra: object = {}) => ({ jsonrpc: '2.0', id, result: { content: [], ...extra } });
const TIMEOUT = new ToolError('TIMEOUT', 'too slow');

/** Ends calls when the test says so, as a time limit does. */
export function limit(): CallPolicy & { expire(): void; readonly failures: unknown[] } {
  const controller = new AbortController();
  const failures: unknown[] = [];
  return {
    failures,
    expire: () => controller.abort(TIMEOUT),
    async run(work, { signal }) {
      try {
        return await work({ signal: AbortSignal.any([signal, controller.signal]) });
      } catch (error) {
        failures.push(error);
        throw controller.signal.aborted ? TIMEOUT : error;
      }
    },
  };
}

/** Lets one call run at a time. */
export function oneAtATime(): CallPolicy {
  let last: Promise<unknown> = Promise.resolve();
  return {
    async run(work, { signal }) {
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await before;
      try {
        signal.throwIfAborted();
        return await work({ signal });
      } finally {
        resolve();
      }
    },
  };
}

export const refusing: CallPolicy = {
  run: () => Promise.reject(new ToolError('UNAVAILABLE', 'the breaker is open', { retryAfterMs: 500 })),
};

/** The names that the tools were told last. */
export let namedTools: readonly string[] = [];

export const tools: LocalTools = {
  definitions: [
    { name: 'get_server_health', inputSchema: { type: 'object' } },
    { name: 'echo', inputSchema: { type: 'object' } },
  ],
  named: (names) => (namedTools = names),
  call: (name, args) =>
    name === 'echo'
      ? Promise.reject(new ToolError('VALIDATION_ERROR', 'no'))
      : Promise.resolve({ content: [], asked: args }),
};

export const cancelled = (id: number) => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId: id },
});

/** A server that answers each message with what this gives, or never. */
export const answering =
  (answers: (id: number, method: string) => object | undefined, events = false): Handle =>
  (request, response) => {
    whenRead(request, (body) => {
      const { id, method } = JSON.parse(body.toString()) as { id: number; method: string };
      const answer = answers(id, method);
      if (events) response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': begun\n\n');
      if (answer === undefined) return;
      const text = JSON.stringify(answer);
      if (events) response.end(`data: ${text}\n\n`);
      else response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
    });
  };
