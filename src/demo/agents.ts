// Simulated agents: SDK clients that call the demo's server over the wire, rightly and wrongly.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { instrumentClient } from '../index.ts';
import { VERSION } from '../version.ts';

/** What an agent may do next; each is one call, or one that is withdrawn. */
type Move = (client: Client, signal: AbortSignal) => Promise<unknown>;

const CITIES = ['Paris', 'Oslo', 'Lima'];
const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;
const call = (client: Client, name: string, args: Record<string, unknown>, signal: AbortSignal) =>
  client.callTool({ name, arguments: args }, { signal });

const succeed: Move = (client, signal) => call(client, 'forecast', { city: pick(CITIES) }, signal);
const miss: Move = (client, signal) => call(client, 'forecast', { city: 'Atlantis' }, signal);
const misuse: Move = (client, signal) => call(client, 'forecast', { town: 'Paris' }, signal);
const invent: Move = (client, signal) => call(client, 'teleport', { to: 'Mars' }, signal);
const process: Move = (client, signal) => call(client, 'robust_operation', { input_data: 'hello' }, signal);
const offend: Move = (client, signal) => call(client, 'robust_operation', { input_data: 'invalid data' }, signal);
const shout: Move = (client, signal) => call(client, 'instrumented_tool', { input_data: 'hello' }, signal);
const mumble: Move = (client, signal) => call(client, 'instrumented_tool', {}, signal);
const crash: Move = (client, signal) => call(client, 'divide', { a: 1, b: 0 }, signal);
const wait: Move = (client, signal) => call(client, 'report', { seconds: 0.3 + Math.random() * 0.5 }, signal);
const giveUp: Move = (client, signal) =>
  call(client, 'report', { seconds: 30 }, AbortSignal.any([signal, AbortSignal.timeout(250)]));
const book: Move = (client, signal) => call(client, 'book', { to: pick(CITIES) }, signal);

const operate =
  (input: string): Move =>
  (client, signal) =>
    call(client, 'resilient_operation_with_fallback', { input_data: input }, signal);
const callOut =
  (url: string): Move =>
  (client, signal) =>
    call(client, 'resilient_external_call', { url }, signal);
const snoop = callOut('http://localhost/');
// as many failures in a row as open the circuit breaker, then the fallback answers; later calls close it again
const outage: readonly Move[] = Array<Move>(6).fill(operate('order fail_primary'));

// the first moves show everything once; after them, mostly success
const OPENING: readonly Move[] = [crash, giveUp, offend, shout, miss, wait, misuse, mumble, process, invent];
const FAILURES: readonly Move[] = [miss, crash, giveUp, misuse, invent, offend, mumble];
const LATER: readonly Move[] = [...Array<Move>(8).fill(succeed), process, process, shout, shout, wait, ...FAILURES];
const openingOf = (service: string): readonly Move[] => [
  ...OPENING,
  callOut(`${service}/flaky`),
  operate('an order'),
  snoop,
];
const laterOf = (service: string): readonly Move[] => [
  ...LATER,
  ...Array<Move>(4).fill(operate('an order')),
  ...Array<Move>(3).fill(callOut(`${service}/flaky`)),
  callOut(`${service}/flapping`),
  operate('order fail_primary'),
];

/** A running agent. */
export interface Agent {
  stop(): Promise<void>;
}

/**
 * Starts an agent.
 *
 * @param modern whether it speaks revision 2026-07-28, in which a server can ask back in rounds.
 * @param service what it has the server call, base URL.
 */
export async function startAgent(url: string, modern: boolean, service: string): Promise<Agent> {
  const client = new Client(
    { name: modern ? 'modern-agent' : 'legacy-agent', version: VERSION },
    { capabilities: { elicitation: {} }, ...(modern && { versionNegotiation: { mode: { pin: '2026-07-28' } } }) },
  );
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { confirm: true } }));
  instrumentClient(client);
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  // as any agent does; from then on the names of the tools are known
  await client.listTools();
  const stopping = new AbortController();
  const first = modern ? [succeed, book] : [succeed, ...outage];
  const last = modern ? [book] : [];
  const done = act(client, stopping.signal, [...first, ...openingOf(service)], [...laterOf(service), ...last]);
  return {
    async stop() {
      stopping.abort();
      await done;
      await client.close();
    },
  };
}

async function act(
  client: Client,
  signal: AbortSignal,
  opening: readonly Move[],
  later: readonly Move[],
): Promise<void> {
  for (let index = 0; !signal.aborted; index++) {
    const move = opening[index] ?? pick(later);
    // mistakes and failures are what the demo is there to show
    await move(client, signal).catch(() => undefined);
    await rest(150 + Math.random() * 450, signal);
  }
}

/** Waits, or until the signal. */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
