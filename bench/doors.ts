// What the doors that need no code cost: the start of a server with register, and what `toolspan wrap` adds to each message.
// All figures are of the package as it is built, taken in turns with the bare server.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { median } from './median.ts';
import { Forked } from './process.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const REGISTER = here('../dist/register/index.js');
const MAIN = here('../dist/cli/main.js');
const ECHO = here('echo-server.ts');
const STARTS = 15;
const PINGS = 3_000;
const WINDOW = 64;

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
};
const call = (id: number) =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":{"text":"hello"}}}\n`;

/** What was measured. */
export interface DoorFigures {
  /** Median ms from spawn to the first answer of a public server: bare, with register, and again with a compile cache. */
  readonly start: Readonly<Record<'bare' | 'register' | 'bareWithCache' | 'wrap', number>>;
  /** Median round trip in ms of one call at a time. */
  readonly roundTrip: Readonly<Record<'bare' | 'wrap', number>>;
  /** Messages a second that one core carries through wrap, by the CPU time of the proxy. */
  readonly messagesPerSecond: number;
}

/** Measures all of it. */
export async function measureDoors(): Promise<DoorFigures> {
  const [sink, { port }] = await Forked.start<{ port: number }>('sink.ts');
  const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  try {
    return {
      start: await starts(env),
      roundTrip: await roundTrips(env),
      messagesPerSecond: await throughput(env),
    };
  } finally {
    sink.stop();
  }
}

async function starts(env: NodeJS.ProcessEnv): Promise<DoorFigures['start']> {
  const server = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-memory/dist/index.js');
  const memory = { ...env, MEMORY_FILE_PATH: '/tmp/toolspan-bench-memory.jsonl' };
  const variants = {
    bare: [[server], memory],
    register: [['--import', REGISTER, server], memory],
    bareWithCache: [[server], { ...memory, NODE_COMPILE_CACHE: '/tmp/toolspan-bench-cache' }],
    wrap: [[MAIN, 'wrap', '--', process.execPath, server], memory],
  } as const;
  const names = Object.keys(variants) as (keyof typeof variants)[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    keyof typeof variants,
    number[]
  >;
  for (let round = 0; round <= STARTS; round++) {
    for (const name of names) {
      const [args, environment] = variants[name];
      const ms = await firstAnswer(args, environment);
      // the first fills the caches
      if (round > 0) times[name].push(ms);
    }
  }
  return {
    bare: median(times.bare),
    register: median(times.register),
    bareWithCache: median(times.bareWithCache),
    wrap: median(times.wrap),
  };
}

async function firstAnswer(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const since = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
  await once(child.stdout, 'data');
  const ms = performance.now() - since;
  child.stdin.end();
  await once(child, 'close');
  return ms;
}

function echo(wrapped: boolean, env: NodeJS.ProcessEnv): ChildProcess {
  const args = wrapped ? [MAIN, 'wrap', '--', process.execPath, ECHO] : [ECHO];
  return spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
}

async function roundTrips(env: NodeJS.ProcessEnv): Promise<DoorFigures['roundTrip']> {
  const children = { bare: echo(false, env), wrap: echo(true, env) };
  const times = { bare: [] as number[], wrap: [] as number[] };
  for (let round = 0; round < PINGS; round++) {
    for (const name of ['bare', 'wrap'] as const) {
      const { stdin, stdout } = children[name];
      const since = performance.now();
      stdin?.write(call(round));
      await once(stdout as NodeJS.ReadableStream, 'data');
      if (round > PINGS / 3) times[name].push(performance.now() - since);
    }
  }
  for (const child of Object.values(children)) await ended(child);
  return { bare: median(times.bare), wrap: median(times.wrap) };
}

async function throughput(env: NodeJS.ProcessEnv): Promise<number> {
  const child = echo(true, env);
  await exchange(child, 20_000);
  const before = cpuSeconds(child.pid);
  await exchange(child, 60_000);
  const seconds = cpuSeconds(child.pid) - before;
  await ended(child);
  // a call and its answer
  return (2 * 60_000) / seconds;
}

async function exchange({ stdin, stdout }: ChildProcess, calls: number): Promise<void> {
  let answers = 0;
  let sent = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const sendMore = () => {
    let text = '';
    while (sent < calls && sent - answers < WINDOW) text += call(sent++);
    if (text !== '') stdin?.write(text);
  };
  const count = (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 0x0a) answers++;
    if (answers >= calls) resolve();
    else sendMore();
  };
  stdout?.on('data', count);
  sendMore();
  await promise;
  stdout?.removeListener('data', count);
}

// User and system time, in the ticks of Linux: a hundred a second.
function cpuSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function ended(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  child.stdout?.resume();
  await once(child, 'close');
}
