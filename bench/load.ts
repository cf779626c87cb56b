// Load from outside: raw JSON-RPC over stdio or HTTP, 64 calls under way at any time, with as little work as possible here.
import { Agent, request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { ChildProcess } from 'node:child_process';

const CONCURRENCY = 64;
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'load', version: '1' } },
};
const call = (id: number) =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"}}}`;

/** Makes this many calls; settles when all are answered. */
export type Load = (calls: number) => Promise<void>;

export async function overStdio(child: ChildProcess): Promise<Load> {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the worker has no pipes');
  let answered: () => void = () => {};
  let lines = 0;
  let wanted = 1;
  let rest = '';
  // read as a client reads: one that only counts lines is woken by each write, and the slower server pays for the waking
  stdout.on('data', (chunk: Buffer) => {
    const read = (rest + chunk.toString('utf8')).split('\n');
    rest = read.pop() ?? '';
    for (const line of read) if ((JSON.parse(line) as { id?: unknown }).id !== undefined) lines++;
    if (lines >= wanted) answered();
  });
  const until = (count: number) => {
    wanted = lines + count;
    return new Promise<void>((resolve) => (answered = resolve));
  };
  let id = 0;
  const initialized = until(1);
  stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
  await initialized;
  return async (calls) => {
    for (let left = calls; left > 0; left -= CONCURRENCY) {
      const done = until(CONCURRENCY);
      stdin.write(`${Array.from({ length: CONCURRENCY }, () => call(id++)).join('\n')}\n`);
      await done;
    }
  };
}

/** Over HTTP, the answers only drained; where `inSession`, all in one session, else each on its own. */
export async function overHttp(port: number, inSession: boolean): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  let headers: OutgoingHttpHeaders = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const post = (body: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/mcp', headers }, (response) => {
        response.resume();
        response.on('end', () => resolve(response));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  if (inSession) {
    const { 'mcp-session-id': sessionId } = (await post(JSON.stringify(INITIALIZE))).headers;
    const { protocolVersion } = INITIALIZE.params;
    headers = { ...headers, 'mcp-session-id': sessionId, 'mcp-protocol-version': protocolVersion };
  }
  let id = 0;
  return async (calls) => {
    let left = calls;
    const lane = async () => {
      while (left-- > 0) await post(call(id++));
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  };
}
