// HTTP servers of the demo, on loopback unless a container says otherwise.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that listens. */
export interface Listening {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Listens on a port.
 *
 * @param port 0 for any that is free.
 * @param host the address to listen on; 127.0.0.1 without one.
 * @throws {Error} where the port is taken.
 */
export async function listen(handle: RequestListener, port = 0, host = '127.0.0.1'): Promise<Listening> {
  const server: Server = createServer(handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
