// HTTP servers compared with bare ones inside one process, in short turns: two processes that do the same differ by more than
// what is to be measured here.
import { overHttp } from './load.ts';
import { median } from './median.ts';
import { Forked } from './process.ts';
import type { Row } from './row.ts';
import { INSTRUMENTED, VARIANTS, type Variant } from './variants.ts';

/** `http` has a server for each request, `session` one server that all requests share. */
export type HttpKind = 'http' | 'session';

const PROCESSES = 3;
const WARM_UP = 30;
// as many as are exported in one batch, so that each turn pays for what it has caused
const CALLS = 512;

/** What calls cost in one process, in µs of CPU, and as ratios to the bare server in the same round. */
interface Figures {
  readonly micros: number;
  readonly ratio: number;
}

/** Compares each variant with the bare server, in so many rounds of each of several processes. */
export async function compareOverHttp(kind: HttpKind, rounds: number): Promise<Row[]> {
  const found = new Map<Variant, Figures[]>(VARIANTS.map((variant) => [variant, []]));
  for (const variant of INSTRUMENTED) {
    for (let process = 0; process < PROCESSES; process++) {
      for (const [name, figures] of await runInTurns(kind, variant, rounds)) found.get(name)?.push(figures);
    }
  }
  return [...found].map(([variant, figures]) => {
    const ratios = figures.map(({ ratio }) => ratio);
    return {
      bench: `${kind} v2`,
      variant,
      micros: median(figures.map(({ micros }) => micros)),
      ratio: median(ratios),
      spread: [Math.min(...ratios), Math.max(...ratios)],
    };
  });
}

async function runInTurns(kind: HttpKind, variant: Variant, rounds: number): Promise<(readonly [Variant, Figures])[]> {
  const [sink, { port }] = await Forked.start<{ port: number }>('sink.ts');
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
  const [worker, { ports }] = await Forked.start<{ ports: number[] }>('http-worker.ts', [kind, variant], env);
  const loads = await Promise.all(ports.map((each) => overHttp(each, kind === 'session')));
  const taken: number[][] = loads.map(() => []);
  for (let round = 0; round < rounds + WARM_UP; round++) {
    // a different one begins each round, so that none is always the one after the same other
    for (let index = 0; index < loads.length; index++) {
      const next = (index + round) % loads.length;
      const before = await worker.ask<{ micros: number }>({});
      await loads[next]?.(CALLS);
      const after = await worker.ask<{ micros: number }>({});
      if (round >= WARM_UP) taken[next]?.push((after.micros - before.micros) / CALLS);
    }
  }
  const { spans } = await sink.ask<{ spans: number }>({});
  worker.stop();
  sink.stop();
  console.error(`${kind} v2, ${variant}: ${spans} spans reached the sink`);
  const [plain = []] = taken;
  return (['plain', 'plain again', variant] as const).map((name, index) => {
    const micros = taken[index] ?? [];
    const ratio = median(micros.map((one, round) => one / (plain[round] ?? Number.NaN)));
    return [name, { micros: median(micros), ratio }];
  });
}
