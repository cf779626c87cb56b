// One thing for each server of a process, by name; names without end take no memory without end.

const MAX_SERVERS = 100;
const OTHER_SERVER = '_other';

/** What is kept of a server, made where there is none yet. Beyond a hundred names, servers share one. */
export function ofServer<T>(all: Map<string, T>, server: string, make: () => T): T {
  const name = all.has(server) || all.size < MAX_SERVERS ? server : OTHER_SERVER;
  const found = all.get(name) ?? make();
  all.set(name, found);
  return found;
}
