// Samples the host and this process: CPU, memory, disks, event loop. A reading is the share of what this process may use, so
// a container's limits come before the host's. A sample is taken in the background and never waited for by a call.
import { readdirSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { parse } from 'node:path';
import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Cgroups, SYSTEM_ROOTS, type CgroupReadings, type CgroupRoots } from './cgroup.ts';
import { Disks, type DiskReading } from './disks.ts';

/** One sample. Shares are 0..1; undefined where there is no reading (yet). */
export interface HostReadings {
  /** Reading of the monotonic clock, in ms. */
  readonly at: number;
  /** CPU used, as a share of the container's limit, else of the host. */
  readonly cpu: number | undefined;
  /** Memory used, as a share of the container's limit, else of the host. */
  readonly memory: number | undefined;
  /** Whether CPU and memory are measured against limits of a container. */
  readonly limitedBy: { readonly cpu: 'container' | 'host'; readonly memory: 'container' | 'host' };
  readonly disks: readonly DiskReading[];
  readonly eventLoopUtilization: number | undefined;
  /** 99th percentile of the delay since the last sample, in ms. */
  readonly eventLoopDelayMs: number | undefined;
  /** Heap used, as a share of its limit. */
  readonly heap: number;
  readonly process: ProcessReadings;
}

/** What this process uses. */
export interface ProcessReadings {
  /** Cores in use: 1 is one core busy all the time. */
  readonly cpuCores: number | undefined;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
  /** Open file descriptors; undefined outside Linux. */
  readonly fileDescriptors: number | undefined;
  readonly uptimeSeconds: number;
}

/** What a sampler may be told. */
export interface SamplerOptions {
  /** Paths on the filesystems to watch. @default the root of the working directory */
  readonly diskPaths?: readonly string[] | undefined;
  readonly roots?: CgroupRoots | undefined;
}

const RESOLUTION_MS = 20;
// counting the descriptors lists a directory, which may be long
const DESCRIPTORS_EVERY = 10;

const NO_CONTAINER: CgroupReadings = { cpu: undefined, memory: undefined };

interface Before {
  readonly at: number;
  readonly hostCpu: CpuTimes;
  readonly cgroupCpuSeconds: number | undefined;
  readonly processCpuMicros: number;
  readonly loop: EventLoopUtilization;
}

interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** Takes samples of the host it runs on. */
export class HostSampler {
  readonly #disks: Disks;
  readonly #roots: CgroupRoots;
  #cgroups: Cgroups | undefined;
  #delays: ReturnType<typeof monitorEventLoopDelay> | undefined;
  #before: Before | undefined;
  #descriptors: number | undefined;
  #samples = 0;

  constructor({ diskPaths = [parse(process.cwd()).root], roots = SYSTEM_ROOTS }: SamplerOptions = {}) {
    this.#disks = new Disks(diskPaths);
    this.#roots = roots;
  }

  /** Takes a sample; what is measured between two samples is missing in the first one. Never rejects. */
  async sample(): Promise<HostReadings> {
    const disks = await this.#disks.read();
    this.#cgroups ??= Cgroups.find(this.#roots);
    const container = this.#cgroups?.read() ?? NO_CONTAINER;
    if (this.#samples++ % DESCRIPTORS_EVERY === 0) this.#descriptors = this.#countDescriptors();
    const before = this.#before;
    const now: Before = {
      at: performance.now(),
      hostCpu: hostCpuTimes(),
      cgroupCpuSeconds: container.cpu?.usedSeconds,
      processCpuMicros: cpuMicros(),
      loop: performance.eventLoopUtilization(),
    };
    this.#before = now;
    const { memory } = container;
    const totalBytes = totalmem();
    // a limit above what the machine has is none
    const limited = memory !== undefined && memory.limitBytes < totalBytes;
    const { used_heap_size: heapUsedBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics();
    return {
      at: now.at,
      cpu: before === undefined ? undefined : cpuShare(before, now, container.cpu?.limitCores),
      memory: limited ? memory.usedBytes / memory.limitBytes : (totalBytes - freemem()) / totalBytes,
      limitedBy: {
        cpu: container.cpu === undefined ? 'host' : 'container',
        memory: limited ? 'container' : 'host',
      },
      disks,
      eventLoopUtilization:
        before === undefined ? undefined : performance.eventLoopUtilization(now.loop, before.loop).utilization,
      eventLoopDelayMs: this.#delay(),
      heap: heapUsedBytes / heapLimitBytes,
      process: {
        cpuCores:
          before === undefined
            ? undefined
            : (now.processCpuMicros - before.processCpuMicros) / 1_000 / (now.at - before.at),
        rssBytes: process.memoryUsage.rss(),
        heapUsedBytes,
        heapLimitBytes,
        fileDescriptors: this.#descriptors,
        uptimeSeconds: process.uptime(),
      },
    };
  }

  /** Stops what runs between samples. */
  stop(): void {
    this.#delays?.disable();
    this.#delays = undefined;
    this.#before = undefined;
  }

  #countDescriptors(): number | undefined {
    try {
      return readdirSync(`${this.#roots.proc}/self/fd`).length;
    } catch {
      return undefined;
    }
  }

  // The histogram holds the distance of two ticks of a timer, so the timer's own interval is no delay.
  #delay(): number | undefined {
    if (this.#delays === undefined) {
      this.#delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      this.#delays.enable();
      return undefined;
    }
    const p99 = this.#delays.count === 0 ? Number.NaN : this.#delays.percentile(99) / 1e6;
    this.#delays.reset();
    return Number.isNaN(p99) ? undefined : Math.max(0, p99 - RESOLUTION_MS);
  }
}

function cpuShare(before: Before, now: Before, limitCores: number | undefined): number | undefined {
  if (limitCores !== undefined && now.cgroupCpuSeconds !== undefined && before.cgroupCpuSeconds !== undefined) {
    // a limit of more cores than there are cannot be reached
    const cores = Math.min(limitCores, availableParallelism());
    return share((now.cgroupCpuSeconds - before.cgroupCpuSeconds) * 1_000, (now.at - before.at) * cores);
  }
  return share(now.hostCpu.busy - before.hostCpu.busy, now.hostCpu.total - before.hostCpu.total);
}

// The kernel counts in steps, so a short interval may show more than there was.
function share(used: number, of: number): number | undefined {
  return of > 0 ? Math.min(1, Math.max(0, used / of)) : undefined;
}

function hostCpuTimes(): CpuTimes {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const working = times.user + times.nice + times.sys + times.irq;
    busy += working;
    total += working + times.idle;
  }
  return { busy, total };
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
