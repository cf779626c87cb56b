// What the stack costs under load: node test/stack/cost.ts [calls a second...]. CPU and memory of each program over half a minute, with the settings
// that are shipped. A call is one of the real client and server in one process: two spans, its
// log records and two measurements.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Load } from './load-process.ts';
import { inContainers, type ProgramName } from './programs.ts';
import { Stack } from './stack.ts';

const PROGRAMS: readonly ProgramName[] = ['otelcol', 'jaeger', 'prometheus'];
const RATES = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [0, 100, 1_000, 2_500];
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

/** How many items the collector has accepted so far. */
async function accepted(stack: Stack, what: 'spans' | 'log_records'): Promise<number> {
  const text = await (await fetch(stack.collectorMetrics)).text();
  const counts = text.matchAll(new RegExp(`^otelcol_receiver_accepted_${what}_total\\{.*\\} (\\S+)$`, 'gm'));
  return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
}

for (const rate of RATES) {
  const stack = await Stack.start({ unhurried: true });
  const load = await Load.start('cost', stack.otlp, {
    OTEL_BSP_SCHEDULE_DELAY: '1000',
    OTEL_BLRP_SCHEDULE_DELAY: '1000',
    OTEL_BSP_MAX_QUEUE_SIZE: '20000',
    OTEL_BLRP_MAX_QUEUE_SIZE: '20000',
    OTEL_METRIC_EXPORT_INTERVAL: '10000',
  });
  try {
    await load.callsPerSecond(rate);
    await pause(WARM_MS);
    const pid = (name: ProgramName) => stack.running(name).pid ?? 0;
    const before = PROGRAMS.map((name) => cpuSeconds(pid(name)));
    const stored = folderMiB(join(stack.folder, 'jaeger'));
    const counted = () => Promise.all([accepted(stack, 'spans'), accepted(stack, 'log_records')]);
    const earlier = await counted();
    await pause(MEASURED_MS);
    const seconds = MEASURED_MS / 1_000;
    const cells = PROGRAMS.map((name, index) => {
      const cores = (cpuSeconds(pid(name)) - (before[index] ?? 0)) / seconds;
      return `${name} ${(cores * 100).toFixed(1)} % ${residentMiB(pid(name)).toFixed(0)} MiB`;
    });
    const grown = folderMiB(join(stack.folder, 'jaeger')) - stored;
    const asked = async (expr: string) => (await stack.prometheus.query(expr))[0]?.value ?? 0;
    const [spans = 0, records = 0] = (await counted()).map((count, index) => count - (earlier[index] ?? 0));
    const bytes = spans === 0 ? 0 : (grown * MIB) / spans;
    process.stdout.write(
      `${rate} calls/s, ${(spans / seconds).toFixed(0)} spans/s, ${(records / seconds).toFixed(0)} log records/s: ` +
        `${cells.join(', ')}; Jaeger stores ${bytes.toFixed(0)} bytes a span; ` +
        `${await asked('max(otelcol_exporter_queue_size)')} wait, ${await asked('sum(toolspan_telemetry_dropped_total)')} lost\n`,
    );
  } finally {
    await load.stop();
    await stack.stop();
  }
}
