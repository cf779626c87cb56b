// Node's cache of compiled code, for processes whose start is felt: most of what a start costs is compiling.
import { accessSync, constants } from 'node:fs';
import module_ from 'node:module';
import { tmpdir } from 'node:os';

/** Has Node keep what it compiles from now on, for this whole process and its next start. */
export function cacheCompiledCode(): void {
  try {
    // Node hangs where the folder cannot be made, so that is looked at first
    accessSync(tmpdir(), constants.W_OK);
    module_.enableCompileCache();
  } catch {
    // a start without the cache is slower, no more
  }
}
