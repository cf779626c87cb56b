// Samples of the host: limits of containers from trees of files as kernels have them, and the real machine.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { Cgroups, type CgroupRoots } from '../../src/host/cgroup.ts';
import { diskReading } from '../../src/host/disks.ts';
import { HostSampler } from '../../src/host/sampler.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';

const MB = 1_048_576;

/** A tree of files below a folder of the test's own. */
function tree(files: Readonly<Record<string, string>>): CgroupRoots & { write(file: string, text: string): void } {
  const root = mkdtempSync(join(tmpdir(), 'cgroup-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  for (const [file, text] of Object.entries(files)) write(file, text);
  return { proc: join(root, 'proc'), cgroup: join(root, 'cgroup'), write };
}

const readingsOf = (roots: CgroupRoots) => Cgroups.find(roots)?.read();

const V2 = {
  'proc/self/cgroup': '0::/\n',
  'cgroup/cgroup.controllers': 'cpu memory\n',
  'cgroup/cpu.max': '150000 100000\n',
  'cgroup/cpu.stat': 'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n',
  'cgroup/memory.max': `${512 * MB}\n`,
  'cgroup/memory.current': `${400 * MB}\n`,
  'cgroup/memory.stat': `anon ${200 * MB}\nfile ${150 * MB}\ninactive_file ${100 * MB}\nactive_file 0\n`,
};

const V1 = {
  'proc/self/cgroup':
    '9:memory:/docker/abc\n4:cpuset:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/\n',
  'cgroup/cpu/cpu.cfs_quota_us': '50000\n',
  'cgroup/cpu/cpu.cfs_period_us': '100000\n',
  'cgroup/cpuacct/cpuacct.usage': '7000000000\n',
  'cgroup/memory/memory.limit_in_bytes': `${256 * MB}\n`,
  'cgroup/memory/memory.usage_in_bytes': `${200 * MB}\n`,
  'cgroup/memory/memory.stat': `cache 1\ninactive_file 5\ntotal_inactive_file ${8 * MB}\n`,
};

describe('control groups', () => {
  verifies(
    'host.cgroup',
    () => {
      expect(readingsOf(tree(V2))).toEqual({
        cpu: { limitCores: 1.5, usedSeconds: 2.5 },
        memory: { limitBytes: 512 * MB, usedBytes: 300 * MB },
      });
    },
    'v2',
  );

  verifies(
    'host.cgroup',
    async () => {
      // the path is the host's: inside the container only the root of each controller is there
      expect(readingsOf(tree(V1))).toEqual({
        cpu: { limitCores: 0.5, usedSeconds: 7 },
        memory: { limitBytes: 256 * MB, usedBytes: 192 * MB },
      });
    },
    'v1',
  );

  verifies(
    'host.cgroup',
    async () => {
      const roots = tree({
        ...V2,
        'proc/self/cgroup': '0::/pod/app\n',
        'cgroup/pod/memory.max': `${128 * MB}\n`,
        'cgroup/pod/memory.current': `${64 * MB}\n`,
        'cgroup/pod/app/memory.max': 'max\n',
        'cgroup/pod/app/memory.current': `${32 * MB}\n`,
        'cgroup/pod/app/cpu.max': '20000 100000\n',
        'cgroup/pod/app/cpu.stat': 'usage_usec 1\n',
      });
      expect(readingsOf(roots)).toEqual({
        cpu: { limitCores: 0.2, usedSeconds: 0.000_001 },
        memory: { limitBytes: 128 * MB, usedBytes: 64 * MB },
      });
    },
    'the tightest limit on the way up',
  );

  verifies(
    'host.cgroup',
    async () => {
      const none = { cpu: undefined, memory: undefined };
      const unlimited = { ...V2, 'cgroup/cpu.max': 'max 100000\n', 'cgroup/memory.max': 'max\n' };
      expect(readingsOf(tree(unlimited))).toEqual(none);
      const unlimitedV1 = {
        ...V1,
        'cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        'cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      };
      expect(readingsOf(tree(unlimitedV1))).toEqual(none);
      const broken = { ...V2, 'cgroup/cpu.max': 'what\n', 'cgroup/memory.max': '-7\n', 'cgroup/memory.stat': '' };
      expect(readingsOf(tree(broken))).toEqual(none);
      expect(readingsOf(tree({ 'proc/self/cgroup': '0::/\n' }))).toEqual(none);
      // no Linux
      expect(readingsOf(tree({}))).toBeUndefined();
    },
    'no limit, broken files, no files',
  );

  verifies(
    'host.cgroup',
    async () => {
      const roots = tree({ ...V2, 'cgroup/cpu.max': '100000 100000\n' });
      const sampler = new HostSampler({ roots });
      const first = await sampler.sample();
      expect(first).toMatchObject({ cpu: undefined, limitedBy: { cpu: 'container', memory: 'container' } });
      expect(first.memory).toBeCloseTo(300 / 512, 10);
      const since = performance.now();
      while (performance.now() - since < 50);
      // a quarter of the one core that it may use
      const spent = (await sampler.sample()).at - first.at;
      roots.write('cgroup/cpu.stat', 'usage_usec 2500000\n');
      const before = (await sampler.sample()).at;
      while (performance.now() - before < 40);
      roots.write('cgroup/cpu.stat', `usage_usec ${2_500_000 + 250 * 40}\n`);
      const { cpu, at } = await sampler.sample();
      expect(cpu).toBeCloseTo((0.25 * 40) / (at - before), 10);
      expect(spent).toBeGreaterThan(0);
      sampler.stop();
    },
    'as shares in a sample',
  );

  verifies(
    'host.cgroup',
    async () => {
      const roots = tree({ ...V2, 'cgroup/memory.max': `${totalmem() * 4}\n` });
      const sampler = new HostSampler({ roots });
      expect((await sampler.sample()).limitedBy.memory).toBe('host');
      sampler.stop();
    },
    'a limit above what the machine has',
  );
});

describe('a sample of this machine', () => {
  verifies('host.readings', async () => {
    const sampler = new HostSampler({ diskPaths: ['/', '/no/such/path'] });
    const first = await sampler.sample();
    expect(first).toMatchObject({ cpu: undefined, eventLoopUtilization: undefined, eventLoopDelayMs: undefined });
    expect(first.process.cpuCores).toBeUndefined();
    // the loop is held up for longer than its timer ticks
    let ticks = 0;
    const timer = setInterval(() => ticks++, 20);
    onTestFinished(() => clearInterval(timer));
    await eventually('the timer ticks', () => ticks > 2 || undefined);
    const blocked = performance.now();
    while (performance.now() - blocked < 200);
    const soFar = ticks;
    await eventually('it ticks again', () => ticks > soFar + 2 || undefined);
    const { cpu, memory, heap, disks, eventLoopUtilization, eventLoopDelayMs, process: own } = await sampler.sample();
    for (const share of [cpu, memory, heap, eventLoopUtilization]) {
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThanOrEqual(1);
    }
    expect(eventLoopDelayMs).toBeGreaterThan(100);
    expect(disks.map(({ path }) => path)).toEqual(['/']);
    expect(own.cpuCores).toBeGreaterThan(0);
    expect(own.cpuCores).toBeLessThan(availableParallelism() * 2);
    expect(own.rssBytes).toBeGreaterThan(10 * MB);
    expect(own.heapUsedBytes).toBeLessThan(own.heapLimitBytes);
    expect(own.fileDescriptors).toBeGreaterThan(2);
    expect(own.uptimeSeconds).toBeGreaterThan(0);
    // the histogram begins anew: the pause is not seen twice
    await eventually('a calmer sample', async () => {
      const since = ticks;
      await eventually('some ticks', () => ticks > since + 5 || undefined);
      const { eventLoopDelayMs: delay } = await sampler.sample();
      return delay !== undefined && delay < (eventLoopDelayMs as number) ? true : undefined;
    });
    sampler.stop();
  });

  verifies('host.disk', () => {
    const figures = { bsize: 4_096, blocks: 1_000, bfree: 300, bavail: 250 };
    expect(diskReading('/', figures)).toEqual({
      path: '/',
      usedBytes: 700 * 4_096,
      freeBytes: 250 * 4_096,
      reservedBytes: 50 * 4_096,
      utilization: 700 / 950,
    });
    // blocks are counted in fragments, where the platform tells their size
    expect(diskReading('/', { ...figures, frsize: 512 }).usedBytes).toBe(700 * 512);
    expect(diskReading('/', { bsize: 4_096, blocks: 0, bfree: 0, bavail: 0 }).utilization).toBe(0);
  });
});
