// What a log line costs, in a process of its own whose stderr nobody reads: the logger with all sinks on, beside pino's own
// line with the trace in it; and a line below the level. Run by `npm run bench -- --only logging`.
import { context, logs, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { pino, type Logger as Pino } from 'pino';
import { configureLogging, instrumentServer, logger } from '../src/index.ts';
import { writeToStderr } from '../src/logging/stderr.ts';
import { pinoOptions } from '../src/node/index.ts';
import { median } from './median.ts';

const LINES = 20_000;
const ROUNDS = 25;
const WARM_UP = 5;
const A_TURN = 100;

const traceIds = () => {
  const span = trace.getSpanContext(context.active());
  return span === undefined
    ? {}
    : { trace_id: span.traceId, span_id: span.spanId, trace_flags: span.traceFlags.toString(16).padStart(2, '0') };
};
const toStderr = pino.destination({ dest: 2, sync: true });
const nowhere = { write: () => {} };
const line = (log: Pino) => () => log.info({ city: 'Paris', attempt: 2 }, 'forecast served');
const own = () => logger.info('forecast served', { city: 'Paris', attempt: 2 });

/** Each with what is set up before its rounds. */
const VARIANTS: Readonly<Record<string, readonly [log: () => void, setUp?: () => void]>> = {
  'pino + trace mixin, stderr': [line(pino({ mixin: traceIds }, toStderr))],
  'logger, all sinks, stderr': [own, () => configureLogging({ format: 'json', level: 'info', write: writeToStderr })],
  'pino + pinoOptions, stderr': [line(pino(pinoOptions(), toStderr))],
  'pino + trace mixin, no write': [line(pino({ mixin: traceIds }, nowhere))],
  'logger, all sinks, no write': [own, () => configureLogging({ write: () => {} })],
  'logger, OpenTelemetry only': [own, () => configureLogging({ format: 'off' })],
  'logger, below a level that a client could ask for': [() => logger.debug('forecast served', { city: 'Paris' })],
};

/** The cost of one variant. */
export interface LineCost {
  readonly variant: string;
  /** CPU time of a line, in ns, the median over the rounds. */
  readonly nanos: number;
  /** To pino's line with the trace in it, taken within a round, the median over the rounds. */
  readonly ratio: number;
}

async function measure(): Promise<LineCost[]> {
  const rounds = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, [log, setUp]] of Object.entries(VARIANTS)) {
      setUp?.();
      const before = process.cpuUsage();
      for (let left = LINES; left > 0; left -= A_TURN) {
        for (let index = 0; index < A_TURN; index++) log();
        // what was put off is part of the cost
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { user, system } = process.cpuUsage(before);
      if (round >= WARM_UP) rounds.set(name, [...(rounds.get(name) ?? []), ((user + system) * 1_000) / LINES]);
    }
  }
  const [pinos = []] = rounds.values();
  return [...rounds].map(([variant, costs]) => ({
    variant,
    nanos: median(costs),
    ratio: median(costs.map((nanos, round) => nanos / (pinos[round] ?? Number.NaN))),
  }));
}

// before anything asks for more than warnings
function measureOff(): number {
  const calls = 2_000_000;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage();
    for (let index = 0; index < calls; index++) logger.info('forecast served', { city: 'Paris', attempt: index });
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, ((user + system) * 1_000) / calls);
  }
  return best;
}

const off = measureOff();
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const done = () => Promise.resolve();
trace.setGlobalTracerProvider(
  new TracerProvider({ spanProcessors: [{ onStart: () => {}, onEnd: () => {}, forceFlush: done, shutdown: done }] }),
);
const exporter = {
  export: (_: unknown, callback: (result: { code: number }) => void) => callback({ code: 0 }),
  forceFlush: done,
  shutdown: done,
};
logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] }));
const server = instrumentServer(new McpServer({ name: 'bench', version: '1' }, { capabilities: { logging: {} } }), {
  clientLogs: 'all',
  logLevel: 'info',
});
server.registerTool('measure', {}, async () => ({
  content: [{ type: 'text', text: JSON.stringify(await measure()) }],
}));
const client = new Client({ name: 'bench', version: '1' });
const [ours, theirs] = InMemoryTransport.createLinkedPair();
await Promise.all([server.connect(theirs), client.connect(ours)]);
await client.setLoggingLevel('info');
const { content } = await client.callTool({ name: 'measure' }, { timeout: 600_000 });
const costs = JSON.parse((content as { text: string }[])[0]?.text ?? '[]') as LineCost[];
process.send?.([...costs, { variant: 'logger, off', nanos: off, ratio: off / (costs[0]?.nanos ?? Number.NaN) }]);
