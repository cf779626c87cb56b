// How full the disks are, as df shows it.
import { statfs } from 'node:fs/promises';

/** One filesystem, by a path on it. */
export interface DiskReading {
  readonly path: string;
  readonly usedBytes: number;
  /** What an ordinary user may still fill. */
  readonly freeBytes: number;
  /** What is kept for the superuser. */
  readonly reservedBytes: number;
  /** Used, as a share of what an ordinary user can use: 0..1. */
  readonly utilization: number;
}

/** The part of `fs.statfs` that is read; `frsize` is there since Node 24. */
export interface FilesystemFigures {
  readonly bsize: number;
  readonly frsize?: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
}

/** What the figures of a filesystem say. */
export function diskReading(path: string, figures: FilesystemFigures): DiskReading {
  const { bsize, frsize, blocks, bfree, bavail } = figures;
  const unit = frsize === undefined || frsize === 0 ? bsize : frsize;
  const usedBytes = (blocks - bfree) * unit;
  const freeBytes = bavail * unit;
  const usable = usedBytes + freeBytes;
  const reservedBytes = (bfree - bavail) * unit;
  return { path, usedBytes, freeBytes, reservedBytes, utilization: usable > 0 ? usedBytes / usable : 0 };
}

// A filesystem on a network may take for ever: a sample does not wait for it, and the very first one not long.
const WAIT_MS = 100;
const FIRST_WAIT_MS = 1_000;

/** Reads filesystems, one reading of all at a time. */
export class Disks {
  readonly #paths: readonly string[];
  #latest: readonly DiskReading[] | undefined;
  #reading: Promise<void> | undefined;

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** The readings of now, or the latest where that takes too long; a path that cannot be read is left out. */
  async read(): Promise<readonly DiskReading[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#latest === undefined ? FIRST_WAIT_MS : WAIT_MS);
    timer.unref();
    await Promise.race([this.#reading, late]);
    clearTimeout(timer);
    return this.#latest ?? [];
  }

  async #read(): Promise<void> {
    const read = await Promise.all(this.#paths.map(readDisk));
    this.#latest = read.filter((reading) => reading !== undefined);
  }
}

async function readDisk(path: string): Promise<DiskReading | undefined> {
  try {
    return diskReading(path, await statfs(path));
  } catch {
    return undefined;
  }
}
