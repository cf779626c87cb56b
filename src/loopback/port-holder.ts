// Who listens on a port that we wanted: asked over HTTP, and on Linux looked up among this user's processes.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { request } from 'node:http';

/** Header by which a port of ours says what it is. */
export const IDENTITY_HEADER = 'x-toolspan';

const TIMEOUT_MS = 500;
const LISTEN = '0A';

/** Names the program that listens on this port of loopback, as far as can be known; never throws. */
export async function portHolder(port: number): Promise<string | undefined> {
  const [ours, process] = await Promise.all([identity(port), listeningProcess(port).catch(() => undefined)]);
  if (ours !== undefined) return process === undefined ? ours : `${ours}, ${process}`;
  return process;
}

/** What the port says of itself. */
function identity(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path: '/healthz', timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      const header = response.headers[IDENTITY_HEADER];
      resolve(typeof header === 'string' && /^[\w ./-]{1,60}$/.test(header) ? `a toolspan ${header}` : undefined);
      asked.destroy();
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.on('close', () => resolve(undefined));
    asked.end();
  });
}

async function listeningProcess(port: number): Promise<string | undefined> {
  const inodes = new Set([...(await inodesOf('/proc/net/tcp', port)), ...(await inodesOf('/proc/net/tcp6', port))]);
  if (inodes.size === 0) return undefined;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const file of files) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode === undefined || !inodes.has(inode)) continue;
      const name = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
      return `process ${pid} (${name})`;
    }
  }
  return undefined;
}

// sl, local_address, rem_address, st, tx:rx, tr:tm, retrnsmt, uid, timeout, inode
async function inodesOf(file: string, port: number): Promise<string[]> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').map((line) => line.trim().split(/\s+/));
  return lines
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(`:${hex}`) === true)
    .map((fields) => fields[9] ?? '');
}
