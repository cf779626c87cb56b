// The figures of the servers of this process, by name: they outlive the instances of a server.
import { ServerStats } from '../stats/server-stats.ts';
import { ofServer } from './by-server.ts';
import { shared } from './shared.ts';

const byName = shared('stats', () => new Map<string, ServerStats>());

/** The figures of a server. Beyond a hundred names, servers share one. */
export function statsOf(server: string): ServerStats {
  return ofServer(byName, server, () => new ServerStats(performance.now()));
}

/** The figures of all servers, with their names. */
export function allStats(): IterableIterator<[name: string, stats: ServerStats]> {
  return byName.entries();
}
