// `npm run bench`: runs all variants in turns, prints the table, and with --save adds the figures to the history.
import { spawnSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { VERSION } from '../src/version.ts';
import { measureDoors } from './doors.ts';
import { compareOverHttp } from './http.ts';
import { overStdio, type Load } from './load.ts';
import { median, spread } from './median.ts';
import { policyCosts } from './policies.ts';
import type { LineCost } from './logging.ts';
import { Forked } from './process.ts';
import type { Row } from './row.ts';
import type { StatsFigures } from './stats.ts';
import { VARIANTS, type Generation, type Transport, type Variant } from './variants.ts';
import { measureViewer } from './viewer.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    save: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const ROUNDS = Number(values.rounds);
// a server that runs for long is what counts: its code is compiled by then
const WARM_UP = 5;
// two processes that do the same differ by a tenth and more for as long as they live, by what was compiled when
const PROCESSES = 5;

/** Runs all variants in turns, each in several processes one after the other; all rounds of all of them count. */
async function compare(transport: Transport, generation: Generation, calls: number): Promise<Row[]> {
  const rounds = new Map<Variant, number[]>(VARIANTS.map((variant) => [variant, []]));
  for (let process = 0; process < PROCESSES; process++) {
    for (const [variant, micros] of await runInTurns(transport, generation, calls, Math.ceil(ROUNDS / PROCESSES)))
      rounds.get(variant)?.push(...micros);
  }
  const plain = rounds.get('plain') ?? [];
  return [...rounds].map(([variant, micros]) => {
    const ratios = micros.map((one, round) => one / (plain[round] ?? Number.NaN));
    const bench = `${transport} ${generation}`;
    return { bench, variant, micros: median(micros), ratio: median(ratios), spread: spread(ratios) };
  });
}

async function runInTurns(
  transport: Transport,
  generation: Generation,
  calls: number,
  rounds: number,
): Promise<(readonly [Variant, number[]])[]> {
  const [sink, { port }] = await Forked.start<{ port: number }>('sink.ts');
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  const workers: { variant: Variant; worker: Forked; load: Load | undefined; taken: number[] }[] = [];
  for (const variant of VARIANTS) {
    const stdio = transport === 'stdio' ? 'pipe' : 'inherit';
    const [worker] = await Forked.start('worker.ts', [transport, variant, generation], env, stdio);
    const load = transport === 'stdio' ? await overStdio(worker.child) : undefined;
    workers.push({ variant, worker, load, taken: [] });
  }
  for (let round = 0; round < rounds + WARM_UP; round++) {
    // a different one begins each round, so that none is always the one after a pause
    for (let index = 0; index < workers.length; index++) {
      const next = workers[(index + round) % workers.length];
      if (next !== undefined) {
        const micros = (await spend(next.worker, next.load, calls)) / calls;
        if (round >= WARM_UP) next.taken.push(micros);
      }
    }
  }
  const { spans } = await sink.ask<{ spans: number }>({});
  for (const { worker } of workers) worker.stop();
  sink.stop();
  console.error(`${transport} ${generation}: ${spans} spans reached the sink`);
  return workers.map(({ variant, taken }) => [variant, taken]);
}

async function spend(worker: Forked, load: Load | undefined, calls: number): Promise<number> {
  if (load === undefined) return (await worker.ask<{ micros: number }>({ do: 'calls', calls })).micros;
  const before = await worker.ask<{ micros: number }>({ do: 'cpu' });
  await load(calls);
  return (await worker.ask<{ micros: number }>({ do: 'cpu' })).micros - before.micros;
}

/** Growth of the heap from 30,000 to 300,000 exported calls, in bytes. */
async function heapGrowth(): Promise<number> {
  const [sink, { port }] = await Forked.start<{ port: number }>('sink.ts');
  const [worker] = await Forked.start('worker.ts', ['memory', 'exporting', 'v2'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  });
  await worker.ask({ do: 'calls', calls: 30_000 });
  const { bytes: before } = await worker.ask<{ bytes: number }>({ do: 'heap' });
  await worker.ask({ do: 'calls', calls: 270_000 });
  const { bytes: after } = await worker.ask<{ bytes: number }>({ do: 'heap' });
  worker.stop();
  sink.stop();
  return after - before;
}

/** What `import 'toolspan'` adds to `import '@opentelemetry/api'`, in ms, by the package as it is built. */
function importCost(): number {
  const entry = new URL('../dist/index.js', import.meta.url).href;
  const time = (imports: readonly string[]) => {
    const code = `const t = performance.now(); ${imports.map((name) => `await import(${JSON.stringify(name)});`).join(' ')} console.log(performance.now() - t);`;
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    if (status !== 0) throw new Error('importing dist failed; run "npm run build" first');
    return Number(stdout);
  };
  const both = Array.from(
    { length: 15 },
    () => [time(['@opentelemetry/api']), time(['@opentelemetry/api', entry])] as const,
  );
  return median(both.map(([, toolspan]) => toolspan)) - median(both.map(([api]) => api));
}

/** What a log line costs; pino's own line is the first. */
async function logging(): Promise<LineCost[]> {
  const [worker, costs] = await Forked.start<LineCost[]>('logging.ts', [], {}, 'silent');
  worker.stop();
  return costs;
}

/** What the figures of the agent's tools cost, in a process of its own. */
function statsFigures(): StatsFigures {
  const script = fileURLToPath(new URL('stats.ts', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`bench/stats.ts failed: ${stderr}`);
  return JSON.parse(stdout) as StatsFigures;
}

const rows: Row[] = [];
const wants = (name: string) => values.only === undefined || values.only.split(',').includes(name);
if (wants('memory')) rows.push(...(await compare('memory', 'v2', 51_200)), ...(await compare('memory', 'v1', 51_200)));
if (wants('stdio')) rows.push(...(await compare('stdio', 'v2', 25_600)));
if (wants('http')) rows.push(...(await compareOverHttp('http', 2 * ROUNDS)));
if (wants('session')) rows.push(...(await compareOverHttp('session', 2 * ROUNDS)));
const heap = wants('heap') ? await heapGrowth() : undefined;
const lines = wants('logging') ? await logging() : [];
const importMs = wants('import') ? importCost() : undefined;
const doors = wants('doors') ? await measureDoors() : undefined;
const stats = wants('stats') ? statsFigures() : undefined;
const policies = wants('policies') ? await policyCosts(ROUNDS) : [];
const viewer = wants('viewer') ? await measureViewer() : undefined;

if (rows.length > 0)
  console.log(`| server | variant | CPU a call | ratio to plain | most lie between |\n|---|---|---|---|---|`);
for (const { bench, variant, micros, ratio, spread: ends } of rows) {
  const [low, high] = ends.map((end) => end.toFixed(2));
  console.log(`| ${bench} | ${variant} | ${micros.toFixed(1)} µs | ${ratio.toFixed(2)} | ${low} to ${high} |`);
}
if (heap !== undefined) console.log(`\nheap growth over 270,000 calls: ${(heap / 1e6).toFixed(1)} MB`);
if (lines.length > 0) console.log(`\n| log line | CPU | ratio to pino |\n|---|---|---|`);
for (const { variant, nanos, ratio } of lines) {
  console.log(`| ${variant} | ${nanos.toFixed(nanos < 10 ? 1 : 0)} ns | ${ratio.toFixed(2)} |`);
}
if (importMs !== undefined) console.log(`importing toolspan: ${importMs.toFixed(1)} ms over @opentelemetry/api`);
if (doors !== undefined) {
  const { start, roundTrip, messagesPerSecond } = doors;
  const added = (ms: number) => `+${(ms - start.bare).toFixed(0)} ms`;
  console.log(
    `\nfirst answer of a stdio server: bare ${start.bare.toFixed(0)} ms, with a compile cache ${start.bareWithCache.toFixed(0)} ms`,
  );
  console.log(`register ${added(start.register)}, wrap ${added(start.wrap)}`);
  console.log(
    `round trip through wrap: +${(roundTrip.wrap - roundTrip.bare).toFixed(3)} ms over ${roundTrip.bare.toFixed(3)} ms`,
  );
  console.log(`wrap on one core: ${messagesPerSecond.toFixed(0)} messages a second`);
}
if (stats !== undefined) {
  const { recordNs, seriesBytes, quantileUs, mergeUs, healthMs, sampleCpuUs } = stats;
  const kb = (bytes: number) => `${(bytes / 1_024).toFixed(1)} KB`;
  console.log(
    [
      `\nrecording an end: ${recordNs.toFixed(0)} ns; a quantile: ${quantileUs.toFixed(1)} µs; adding a distribution: ${mergeUs.toFixed(1)} µs`,
      `all windows of a series: ${kb(seriesBytes.everyBucket)} with every bucket in use, ${kb(seriesBytes.typical)} typical, ${kb(seriesBytes.quiet)} quiet`,
      `get_server_health with 200 busy tools: p50 ${healthMs.p50.toFixed(2)} ms, p99 ${healthMs.p99.toFixed(2)} ms`,
      `a sample each second: ${sampleCpuUs.toFixed(0)} µs of CPU`,
    ].join('\n'),
  );
}
if (policies.length > 0) console.log(`\n| policies | CPU a call | ratio | to |\n|---|---|---|---|`);
for (const { variant, micros, ratio, against } of policies) {
  console.log(`| ${variant} | ${micros.toFixed(2)} µs | ${ratio.toFixed(2)} | ${against} |`);
}
if (viewer !== undefined) {
  console.log(`\nviewer: ${Math.round(viewer.spansPerSecond)} spans/s on one core`);
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  console.log(
    `growth at the bound, over 1.2 million spans: ${megabytes(viewer.growthBytes)} MB held, ${megabytes(viewer.residentGrowthBytes)} MB resident`,
  );
  for (const [name, ms] of Object.entries(viewer.searchesMs)) {
    console.log(`search over ${viewer.spansHeld} spans, ${name}: ${ms.toFixed(1)} ms`);
  }
}

const result = {
  date: new Date().toISOString(),
  version: VERSION,
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  rounds: ROUNDS,
  rows,
  heapGrowthBytes: heap,
  logging: lines,
  importMs,
  doors,
  stats,
  policies,
  viewer,
};
writeFileSync(new URL('latest.json', import.meta.url), `${JSON.stringify(result, undefined, 2)}\n`);
if (values.save) appendFileSync(new URL('history.jsonl', import.meta.url), `${JSON.stringify(result)}\n`);
