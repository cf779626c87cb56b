// Ports for programs that cannot choose one themselves.
import { once } from 'node:events';
import { createServer } from 'node:net';

// below those that the system gives away: nothing else takes one between this look and the start of the program
const FROM = 10_000;
const TO = 32_000;

/** Ports on loopback that are free, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM));
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
