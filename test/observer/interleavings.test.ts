// Any interleaving of messages, and any garbage: every operation ends once, and nothing is thrown into the host.
import * as fc from 'fast-check';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, vi } from 'vitest';
import { Failures } from '../../src/observer/failures.ts';
import { Figures } from '../../src/observer/figures.ts';
import { RequestHandlers } from '../../src/observer/handlers.ts';
import { Connection } from '../../src/observer/connection.ts';
import { DoorLog } from '../../src/logging/door-log.ts';
import { KnownNames } from '../../src/observer/names.ts';
import { statsOf } from '../../src/state/stats.ts';
import { Signals } from '../../src/telemetry/signals.ts';
import { verifies } from '../harness/verifies.ts';

const ID = fc.oneof(fc.constantFrom<unknown>(0, 1, '0', '1', '', -1, 1.5), fc.anything());
const METHOD = fc.oneof(
  fc.constantFrom('tools/call', 'tools/list', 'initialize', 'ping', 'notifications/cancelled'),
  fc.string(),
);
const META = fc.oneof(
  fc.constant(undefined),
  fc.dictionary(fc.constantFrom('traceparent', 'tracestate', 'baggage', 'x'), fc.anything()),
);
const PARAMS = fc.oneof(
  fc.record({ name: fc.anything(), requestId: ID, _meta: META, reason: fc.anything() }, { requiredKeys: [] }),
  fc.anything(),
);
const MESSAGE = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      { jsonrpc: fc.constant('2.0'), id: ID, method: METHOD, params: PARAMS },
      { requiredKeys: ['method'] },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record({ id: ID, result: fc.anything(), error: fc.anything() }, { requiredKeys: ['id'] }),
  },
  { weight: 1, arbitrary: fc.anything({ withNullPrototype: true, withDate: true, withMap: true }) },
);
function fail(): never {
  throw new Error('a getter that throws');
}

/** The same message, but reading any part of it throws. */
function hostile(message: unknown): unknown {
  return new Proxy(Object(message) as object, { get: fail, has: fail, ownKeys: fail, getPrototypeOf: () => null });
}

function made({ message, hostile: part }: { readonly message: unknown; readonly hostile: string }): unknown {
  if (part === 'message') return hostile(message);
  if (part === 'no' || typeof message !== 'object' || message === null || !('method' in message)) return message;
  if (part === 'params') return { ...message, params: hostile({}) };
  const params = Object.defineProperty({}, 'requestId', { get: () => fail() });
  return { method: 'notifications/cancelled', params };
}

type Step =
  | {
      readonly do: 'receive' | 'send';
      readonly message: unknown;
      readonly hostile: 'no' | 'message' | 'params' | 'id';
      readonly fails: 'no' | 'throws' | 'rejects' | 'never';
    }
  | { readonly do: 'close' }
  | { readonly do: 'wait'; readonly ms: number };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constantFrom('receive' as const, 'send' as const),
      message: MESSAGE,
      hostile: fc.constantFrom(
        'no' as const,
        'no' as const,
        'no' as const,
        'no' as const,
        'message' as const,
        'params' as const,
        'id' as const,
      ),
      fails: fc.constantFrom('no' as const, 'no' as const, 'throws' as const, 'rejects' as const, 'never' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'close' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(2_000) }) },
);

describe('the observer', () => {
  verifies('outcome.once', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await fc.assert(fc.asyncProperty(fc.array(STEP, { maxLength: 40 }), runAndCheck), { numRuns: 1_500 });
  });
});

async function runAndCheck(steps: readonly Step[]): Promise<void> {
  let now = 0;
  const started: unknown[] = [];
  const exporter = new InMemorySpanExporter();
  const counting = {
    onStart: (span: unknown) => void started.push(span),
    onEnd: () => {},
    forceFlush: noop,
    shutdown: noop,
  };
  const tracerProvider = new TracerProvider({ spanProcessors: [counting, new SimpleSpanProcessor({ exporter })] });
  const connection = new Connection(
    {
      signals: new Signals({ tracerProvider, clock: { now: () => now } }),
      names: new KnownNames(),
      failures: new Failures({ mode: 'typed' }),
      log: new DoorLog({ server: 'any', level: 'debug', clientLogs: 'all', offersLogs: () => true }),
      handlers: new RequestHandlers({ _requestHandlers: new Map(), _notificationHandlers: new Map() }),
      figures: new Figures({}, 'interleavings'),
      maxOperationMs: 1_000,
    },
    { network: { transport: undefined, protocol: undefined }, sessionId: () => undefined, sendUnseen: noop },
  );
  const host = new Host();
  for (const step of steps) {
    now += 1;
    if (step.do === 'close') connection.close();
    else if (step.do === 'wait') {
      now += step.ms;
      connection.expire();
    } else host.pass(connection, step);
    if (now % 3 === 0) await Promise.resolve();
  }
  connection.close();
  await new Promise((resolve) => setImmediate(resolve));
  connection.close();
  expect(connection.inFlight).toBe(0);
  for (const { series } of statsOf('interleavings')) expect(series.inFlight).toBe(0);
  const ended = exporter.getFinishedSpans().map((span) => span.spanContext().spanId);
  expect(ended.length).toBe(started.length);
  expect(new Set(ended).size).toBe(ended.length);
}

const noop = () => Promise.resolve();
const OURS = new Error('of the host itself');

/** The host: what it passes arrives as it is, and what it throws comes back, and nothing else does. */
class Host {
  pass(connection: Connection, step: Extract<Step, { message: unknown }>): void {
    const { fails } = step;
    const message = made(step);
    let arrived: unknown = Host;
    const work = (given: unknown): unknown => {
      arrived = given;
      if (fails === 'throws') throw OURS;
      if (fails === 'never') return new Promise(() => {});
      return fails === 'rejects' && step.do === 'send' ? Promise.reject(OURS) : Promise.resolve();
    };
    try {
      const result =
        step.do === 'receive'
          ? connection.receive(message, undefined, work, this)
          : connection.send(message, undefined, work, this);
      if (result instanceof Promise) result.catch((error: unknown) => expect(error).toBe(OURS));
    } catch (error) {
      expect(error).toBe(OURS);
    }
    expect(step.do === 'receive' ? Object.is(arrived, message) : arrived !== Host).toBe(true);
  }
}
