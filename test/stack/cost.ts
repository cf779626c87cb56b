// What the stack costs under load, with the settings that are shipped: CPU and memory of each program over half a minute.
// A call is one of a real client and server in one process: two spans, two log records and two measurements. At last spans
// alone are posted, more than those two can make on a machine that also runs the stack.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Load } from './load-process.ts';
import { Poster } from './poster.ts';
import { inContainers, type ProgramName } from './programs.ts';
import { Stack } from './stack.ts';

const PROGRAMS: readonly ProgramName[] = ['otelcol', 'jaeger', 'prometheus'];
const LOADS = [
  { calls: 0, posted: 0 },
  { calls: 100, posted: 0 },
  { calls: 1_000, posted: 0 },
  { calls: 0, posted: 5_000 },
];
const WARM_MS = 15_000;
const MEASURED_MS = 30_000;
const TICKS_PER_SECOND = 100;
const MIB = 1024 * 1024;

if (inContainers) throw new Error('the cost is measured of native programs: set TOOLSPAN_STACK=native');

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** CPU of a process so far, in seconds. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Memory that is not the cache of a file, which the kernel takes back when it needs it. */
function residentMiB(pid: number): number {
  return (Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024) / MIB;
}

/** What a folder takes of the disk; files that are mostly holes count by what is in them. */
function folderMiB(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const blocks = files.map((entry) => statSync(join(entry.parentPath, entry.name)).blocks);
  return (blocks.reduce((sum, count) => sum + count, 0) * 512) / MIB;
}

/** What the collector has accepted so far, and what waits in it now. */
async function collected(stack: Stack): Promise<{ spans: number; records: number; waiting: number }> {
  const text = await (await fetch(stack.collectorMetrics)).text();
  const sum = (name: string) =>
    Array.from(text.matchAll(new RegExp(`^otelcol_${name}\\{.*\\} (\\S+)$`, 'gm')), ([, value]) =>
      Number(value),
    ).reduce((total, value) => total + value, 0);
  return {
    spans: sum('receiver_accepted_spans_total'),
    records: sum('receiver_accepted_log_records_total'),
    waiting: sum('exporter_queue_size'),
  };
}

for (const { calls, posted } of LOADS) {
  const stack = await Stack.start({ unhurried: true });
  let poster: Poster | undefined;
  const load = await Load.start('cost', stack.otlp, {
    OTEL_BSP_SCHEDULE_DELAY: '1000',
    OTEL_BLRP_SCHEDULE_DELAY: '1000',
    OTEL_BSP_MAX_QUEUE_SIZE: '20000',
    OTEL_BLRP_MAX_QUEUE_SIZE: '20000',
    OTEL_METRIC_EXPORT_INTERVAL: '10000',
  });
  try {
    await load.callsPerSecond(calls);
    if (posted > 0) poster = new Poster(stack.otlp, posted);
    await pause(WARM_MS);
    const pid = (name: ProgramName) => stack.running(name).pid ?? 0;
    const before = PROGRAMS.map((name) => cpuSeconds(pid(name)));
    const stored = folderMiB(join(stack.folder, 'jaeger'));
    const earlier = await collected(stack);
    await pause(MEASURED_MS);
    const seconds = MEASURED_MS / 1_000;
    const cells = PROGRAMS.map((name, index) => {
      const cores = (cpuSeconds(pid(name)) - (before[index] ?? 0)) / seconds;
      return `${name} ${(cores * 100).toFixed(1)} % ${residentMiB(pid(name)).toFixed(0)} MiB`;
    });
    const grown = folderMiB(join(stack.folder, 'jaeger')) - stored;
    const later = await collected(stack);
    const spans = later.spans - earlier.spans;
    const records = later.records - earlier.records;
    const bytes = spans === 0 ? 0 : (grown * MIB) / spans;
    const failed = poster?.stop() ?? 0;
    await load.callsPerSecond(0);
    const stopped = performance.now();
    while ((await collected(stack)).waiting > 0) await pause(100);
    const drained = (performance.now() - stopped) / 1_000;
    const [lost] = await stack.prometheus.query('sum(toolspan_telemetry_dropped_total)');
    process.stdout.write(
      `${calls} calls/s and ${posted} posted spans/s, ${(spans / seconds).toFixed(0)} spans/s, ${(records / seconds).toFixed(0)} log records/s: ` +
        `${cells.join(', ')}; Jaeger stores ${bytes.toFixed(0)} bytes a span; ${earlier.waiting} waited before and ` +
        `${later.waiting} after, none ${drained.toFixed(1)} s later, ${lost?.value} lost, ${failed} posts failed\n`,
    );
  } finally {
    poster?.stop();
    await load.stop();
    await stack.stop();
  }
}
