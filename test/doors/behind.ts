// The reference server behind a door, as a process of its own, with a client of the SDK connected to it.
import { StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Child } from '../harness/child.ts';
import { newClient, type AnyClient, type Carrier as AnyCarrier, type Peer } from '../harness/matrix.ts';
import { eventually } from '../harness/poll.ts';
import { PATIENT } from '../harness/wrapped.ts';

const HERE = new URL('..', import.meta.url).pathname;
const SERVER = `${HERE}fixtures/plain-server.ts`;
const REGISTER = `${HERE}../src/register/index.ts`;
const MAIN = `${HERE}../src/cli/main.ts`;

export type Carrier = Exclude<AnyCarrier, 'memory'>;
export type Door = 'by hand' | 'register' | 'wrap' | 'register behind wrap';

export interface Behind {
  readonly client: AnyClient;
  readonly transport: { send(message: never): Promise<void> };
  /** Ends the processes that a client on HTTP does not end. */
  stop(): Promise<void>;
}

/** Connects a client of this kind to the server behind a door. */
export async function connectBehind(
  door: Door,
  peer: Peer,
  carrier: Carrier,
  settings: Readonly<Record<string, string>>,
): Promise<Behind> {
  const env = { PATH: process.env['PATH'] ?? '', ...PATIENT, ...settings };
  const client = newClient(peer);
  const processes: Child[] = [];
  const start = (args: string[]): Child => {
    const child = new Child(process.execPath, args, { env });
    processes.push(child);
    return child;
  };
  let transport: Behind['transport'];
  if (carrier === 'stdio') {
    const Stdio = peer === 'v1' ? StdioV1 : StdioV2;
    transport = new Stdio({ command: process.execPath, args: commandOf(door, peer, carrier), env, stderr: 'ignore' });
  } else {
    const server = start(commandOf(door, peer, carrier));
    let port = await eventually('the port of the server', () => /^\d+$/m.exec(server.stdout)?.[0]);
    if (door.endsWith('wrap')) {
      const proxy = start([MAIN, 'wrap', '--url', `http://127.0.0.1:${port}/mcp`, '--listen', '0']);
      port = await eventually('the port of the proxy', () => /127\.0\.0\.1:(\d+)/.exec(proxy.stderr)?.[1]);
    }
    const Http = peer === 'v1' ? HttpV1 : HttpV2;
    transport = new Http(new URL(`http://127.0.0.1:${port}/mcp`));
  }
  await client.connect(transport as never);
  return {
    client,
    transport,
    async stop() {
      for (const child of processes.toReversed()) await child.kill('SIGTERM');
    },
  };
}

/** The command line of a server behind this door; with HTTP it prints its port. */
function commandOf(door: Door, peer: Peer, carrier: Carrier): string[] {
  const generation = peer === 'v1' ? 'v1' : 'v2';
  const plain = [SERVER, generation, carrier, ...(door === 'by hand' ? ['instrumented'] : [])];
  const server = door.startsWith('register') ? ['--import', REGISTER, ...plain] : plain;
  return door.endsWith('wrap') && carrier === 'stdio' ? [MAIN, 'wrap', '--', process.execPath, ...server] : server;
}
