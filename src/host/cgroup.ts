// What the container allows this process and what it uses of it: control groups of Linux, version 1 and 2. Limits may stand
// anywhere between the group of the process and the root, and the tightest one counts. The files are the kernel's memory and no
// disk is behind them: to read one takes microseconds, and ten times that by way of a promise.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where the files are; tests have trees of their own. */
export interface CgroupRoots {
  /** @default /proc */
  readonly proc: string;
  /** @default /sys/fs/cgroup */
  readonly cgroup: string;
}

/** The place of the system. */
export const SYSTEM_ROOTS: CgroupRoots = { proc: '/proc', cgroup: '/sys/fs/cgroup' };

/** What a container allows, and what it uses; undefined where it has no such limit. */
export interface CgroupReadings {
  readonly cpu: { readonly limitCores: number; readonly usedSeconds: number } | undefined;
  readonly memory: { readonly limitBytes: number; readonly usedBytes: number } | undefined;
}

/** Files of one version: the limit and the usage of a directory, or undefined where it has none. */
interface Version {
  readonly cpu: (dir: string) => CgroupReadings['cpu'];
  readonly memory: (dir: string) => CgroupReadings['memory'];
}

/** Reads limits and usage of the control groups of this process. */
export class Cgroups {
  readonly #version: Version;
  readonly #cpuDirs: readonly string[];
  readonly #memoryDirs: readonly string[];

  private constructor(version: Version, cpuDirs: readonly string[], memoryDirs: readonly string[]) {
    this.#version = version;
    this.#cpuDirs = cpuDirs;
    this.#memoryDirs = memoryDirs;
  }

  /** Finds the control groups; undefined where there are none, as outside Linux. */
  static find(roots: CgroupRoots = SYSTEM_ROOTS): Cgroups | undefined {
    const groups = textOf(join(roots.proc, 'self/cgroup'));
    if (groups === undefined) return undefined;
    const unified = textOf(join(roots.cgroup, 'cgroup.controllers')) !== undefined;
    if (unified) {
      const dirs = upwards(roots.cgroup, pathOf(groups, ''));
      return new Cgroups(VERSION_2, dirs, dirs);
    }
    return new Cgroups(
      VERSION_1,
      upwards(join(roots.cgroup, 'cpu'), pathOf(groups, 'cpu')),
      upwards(join(roots.cgroup, 'memory'), pathOf(groups, 'memory')),
    );
  }

  /** Reads them now; never throws. */
  read(): CgroupReadings {
    return {
      cpu: tightest(
        this.#cpuDirs.map((dir) => this.#version.cpu(dir)),
        (cpu) => cpu.limitCores,
      ),
      memory: tightest(
        this.#memoryDirs.map((dir) => this.#version.memory(dir)),
        (memory) => memory.limitBytes,
      ),
    };
  }
}

// https://docs.kernel.org/admin-guide/cgroup-v2.html
const VERSION_2: Version = {
  cpu(dir) {
    const [quota, period] = (textOf(join(dir, 'cpu.max')) ?? '').trim().split(/\s+/).map(Number);
    if (!isLimit(quota) || !isLimit(period)) return undefined;
    const usedMicros = fieldOf(join(dir, 'cpu.stat'), 'usage_usec');
    return usedMicros === undefined ? undefined : { limitCores: quota / period, usedSeconds: usedMicros / 1e6 };
  },
  memory(dir) {
    return memoryOf(dir, 'memory.max', 'memory.current', 'inactive_file');
  },
};

// https://docs.kernel.org/admin-guide/cgroup-v1/
const VERSION_1: Version = {
  cpu(dir) {
    const quota = numberOf(join(dir, 'cpu.cfs_quota_us'));
    const period = numberOf(join(dir, 'cpu.cfs_period_us'));
    if (!isLimit(quota) || !isLimit(period)) return undefined;
    const accounting = dir.replace(/\/cpu(?=\/|$)/, '/cpuacct');
    const usedNanos = numberOf(join(dir, 'cpuacct.usage')) ?? numberOf(join(accounting, 'cpuacct.usage'));
    return usedNanos === undefined ? undefined : { limitCores: quota / period, usedSeconds: usedNanos / 1e9 };
  },
  memory(dir) {
    return memoryOf(dir, 'memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file');
  },
};

// What a file cache holds can be taken back at any time: it is no pressure, and container runtimes leave it out too.
function memoryOf(dir: string, limit: string, usage: string, cache: string): CgroupReadings['memory'] {
  const limitBytes = numberOf(join(dir, limit));
  const usedBytes = numberOf(join(dir, usage));
  if (!isLimit(limitBytes) || usedBytes === undefined) return undefined;
  const reclaimable = fieldOf(join(dir, 'memory.stat'), cache) ?? 0;
  return { limitBytes, usedBytes: Math.max(0, usedBytes - reclaimable) };
}

// "No limit" is -1, "max", or a number near 2^63, by version.
function isLimit(value: number | undefined): value is number {
  return value !== undefined && value > 0 && value < 2 ** 53;
}

function tightest<T>(readings: readonly (T | undefined)[], limitOf: (reading: T) => number): T | undefined {
  let least: T | undefined;
  for (const reading of readings) {
    if (reading !== undefined && (least === undefined || limitOf(reading) < limitOf(least))) least = reading;
  }
  return least;
}

// Lines are `id:controllers:path`; version 2 names no controllers.
function pathOf(groups: string, controller: string): string {
  for (const line of groups.split('\n')) {
    const [, controllers = '', ...path] = line.split(':');
    const named = controller === '' ? controllers === '' : controllers.split(',').includes(controller);
    if (named && path.length > 0) return path.join(':');
  }
  return '/';
}

// Inside a container the path may be the host's, of which only the root is there: what is missing is passed over.
function upwards(root: string, path: string): string[] {
  const dirs: string[] = [];
  for (let at = join('/', path); at !== '/'; at = dirname(at)) dirs.push(join(root, at));
  return [...dirs, root];
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // not there, or not ours to read: then it sets no limit that we know of
  }
}

function numberOf(file: string): number | undefined {
  const text = textOf(file)?.trim();
  return text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text);
}

function fieldOf(file: string, field: string): number | undefined {
  const line = textOf(file)
    ?.split('\n')
    .find((text) => text.startsWith(`${field} `));
  const value = line === undefined ? Number.NaN : Number(line.slice(field.length + 1));
  return Number.isFinite(value) ? value : undefined;
}
