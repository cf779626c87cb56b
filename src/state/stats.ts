// The figures of the servers of this process, by name: they outlive the instances of a server.
import { ServerStats } from '../stats/server-stats.ts';
import { shared } from './shared.ts';

const MAX_SERVERS = 100;
const OTHER_SERVER = '_other';
const byName = shared('stats', () => new Map<string, ServerStats>());

/** The figures of a server. Beyond a hundred names, servers share one. */
export function statsOf(server: string): ServerStats {
  const name = byName.has(server) || byName.size < MAX_SERVERS ? server : OTHER_SERVER;
  let stats = byName.get(name);
  if (stats === undefined) {
    stats = new ServerStats(performance.now());
    byName.set(name, stats);
  }
  return stats;
}

/** The figures of all servers, with their names. */
export function allStats(): IterableIterator<[name: string, stats: ServerStats]> {
  return byName.entries();
}
