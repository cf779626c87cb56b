// Sees to the wrapped server where this process is killed without a word (SIGKILL): its stdin ends then, and a server that does
// not end with it would stay. A shell waits for the end of a pipe that only this process holds.
import { spawn } from 'node:child_process';

// As long as a server whose client is gone has time in a proxy that lives.
const SCRIPT = 'read -r _ && exit; sleep 2; kill -TERM "-$0"; sleep 1; kill -KILL "-$0"';

/**
 * Watches over a process group until it is told that it has ended.
 *
 * @param group the leader of the group.
 * @returns ends the watch. Where there is no shell, as on Windows, nothing is watched.
 */
export function watchOver(group: number): () => void {
  if (process.platform === 'win32') return () => {};
  const shell = spawn('/bin/sh', ['-c', SCRIPT, String(group)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/bin:/bin' },
    // what is sent to the group of this process is not for it
    detached: true,
  });
  const { stdin } = shell;
  shell.on('error', () => {});
  stdin.on('error', () => {});
  shell.unref();
  // a pipe of a child is a socket, which keeps the process alive otherwise
  (stdin as unknown as { unref(): void }).unref();
  return () => void stdin.end('over\n');
}
