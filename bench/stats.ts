// What the figures and the agent's tools cost: recording, memory, quantiles, one answer. A process of its own: it prints
// one line of JSON.
import { McpServer } from '@modelcontextprotocol/server';
import { instrumentServer, registerObservabilityTools } from '../src/index.ts';
import { statsOf } from '../src/state/stats.ts';
import { Distribution } from '../src/stats/distribution.ts';
import { endOf, Series } from '../src/stats/series.ts';
import { ServerStats } from '../src/stats/server-stats.ts';
import { monitor } from '../src/health/monitor.ts';
import { healthAnswer } from '../src/tools/health-answer.ts';
import { median } from './median.ts';

/** What `bench/stats.ts` measures. */
export interface StatsFigures {
  /** One end, in its series and that of all calls. */
  readonly recordNs: number;
  /** Of all windows of one series. */
  readonly seriesBytes: { readonly everyBucket: number; readonly typical: number; readonly quiet: number };
  readonly quantileUs: number;
  readonly mergeUs: number;
  /** One `get_server_health` of a server with 200 busy tools. */
  readonly healthMs: { readonly p50: number; readonly p99: number };
  /** One sample of the host and its judgement: CPU time. */
  readonly sampleCpuUs: number;
}

const OK = endOf('ok', undefined, 'none');
const FAILED = endOf('tool_error', 'TIMEOUT', 'failure');
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});

function usedBytes(): number {
  for (let round = 0; round < 4; round++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function nsOf(times: number, run: (index: number) => void): number {
  const rounds = Array.from({ length: 7 }, () => {
    const since = performance.now();
    for (let index = 0; index < times; index++) run(index);
    return ((performance.now() - since) * 1e6) / times;
  });
  return median(rounds);
}

function recordNs(): number {
  const stats = new ServerStats(0);
  let at = 0;
  const durations = Float64Array.from({ length: 1_024 }, () => Math.exp(Math.random() * 8));
  return nsOf(500_000, (index) => {
    at += 0.2;
    const series = stats.series('in', index & 1 ? 'tools/call a' : 'tools/call b');
    stats.record(series, true, index % 20 === 0 ? FAILED : OK, durations[index & 1_023] as number, at);
  });
}

function bytesOf(calls: number, everyMs: number, duration: () => number): number {
  const many = 50;
  const all: Series[] = [];
  const before = usedBytes();
  for (let index = 0; index < many; index++) {
    const series = new Series();
    for (let call = 0; call < calls; call++) series.record(call % 9 === 0 ? FAILED : OK, duration(), call * everyMs);
    all.push(series);
  }
  const bytes = (usedBytes() - before) / all.length;
  return Math.round(bytes);
}

function distributionCosts(): { quantileUs: number; mergeUs: number } {
  const distribution = new Distribution();
  for (let index = 0; index < 100_000; index++) distribution.record(0.1 * 3e6 ** Math.random());
  const into = new Distribution();
  return {
    quantileUs: nsOf(5_000, () => void distribution.quantile(0.99)) / 1_000,
    mergeUs: nsOf(5_000, () => into.add(distribution)) / 1_000,
  };
}

async function healthMs(): Promise<{ p50: number; p99: number }> {
  const server = instrumentServer(new McpServer({ name: 'bench', version: '1' }));
  await registerObservabilityTools(server);
  const stats = statsOf('bench');
  for (let tool = 0; tool < 200; tool++) {
    const series = stats.series('in', `tools/call tool ${tool}`);
    for (let call = 0; call < 2_000; call++) {
      stats.record(
        series,
        true,
        call % 50 === 0 ? FAILED : OK,
        Math.exp(Math.random() * 8),
        performance.now() + call * 150,
      );
    }
  }
  await healthAnswer(server);
  const took: number[] = [];
  for (let call = 0; call < 1_000; call++) {
    const since = performance.now();
    await healthAnswer(server);
    took.push(performance.now() - since);
    // the timer has its turns
    if (call % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  took.sort((a, b) => a - b);
  return { p50: took[500] ?? Number.NaN, p99: took[990] ?? Number.NaN };
}

async function sampleCpuUs(): Promise<number> {
  const before = process.cpuUsage();
  for (let tick = 0; tick < 200; tick++) await monitor.tick();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 200;
}

const figures: StatsFigures = {
  recordNs: recordNs(),
  seriesBytes: {
    everyBucket: bytesOf(40_000, 30, () => 0.001 * 2 ** (Math.random() * 29)),
    typical: bytesOf(40_000, 30, () => 5 + Math.random() * 50),
    quiet: bytesOf(2, 20_000, () => 5),
  },
  ...distributionCosts(),
  healthMs: await healthMs(),
  sampleCpuUs: await sampleCpuUs(),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit();
