// Listening where only this machine can connect: on 127.0.0.1 and ::1 both, since `localhost` means either.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A port that is open. */
export interface OpenPort {
  readonly port: number;
  /** Addresses that it listens on. */
  readonly addresses: readonly string[];
  /** Ends every connection and closes the port. */
  close(): Promise<void>;
}

const BOTH = ['127.0.0.1', '::1'];
const ATTEMPTS = 10;
const NO_SUCH_FAMILY = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/**
 * Opens a port on both loopback addresses; on a machine without IPv6, on the one there is.
 *
 * @param port 0 for any that is free on both.
 * @param host listen there instead; the caller has warned whoever asked for it.
 * @throws {Error} with the code EADDRINUSE where the port is taken.
 */
export async function openPort(handle: RequestListener, port: number, host?: string): Promise<OpenPort> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(handle, port, host === undefined ? BOTH : [host]);
    } catch (error) {
      // a port that the system chose for the first address may be taken on the second
      if (port !== 0 || attempt === ATTEMPTS || !isAddressInUse(error)) throw error;
    }
  }
}

/** True for what `openPort` throws where somebody else listens there. */
export function isAddressInUse(error: unknown): boolean {
  return codeOf(error) === 'EADDRINUSE';
}

async function open(handle: RequestListener, wanted: number, hosts: readonly string[]): Promise<OpenPort> {
  const servers: Server[] = [];
  const addresses: string[] = [];
  let port = wanted;
  const close = async () => {
    await Promise.all(servers.map(closeServer));
  };
  for (const host of hosts) {
    const server = createServer({ requestTimeout: 60_000, headersTimeout: 15_000 }, handle);
    try {
      await listen(server, port, host);
    } catch (error) {
      if (servers.length > 0 && NO_SUCH_FAMILY.has(codeOf(error) ?? '')) continue;
      await close();
      throw error;
    }
    servers.push(server);
    addresses.push(host);
    ({ port } = server.address() as AddressInfo);
  }
  return { port, addresses, close };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.removeListener('error', reject);
      // a connection that fails is its peer's concern
      server.on('error', () => {});
      resolve();
    });
  });
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
