// What is done through every door: one scenario for each way an operation can go, told apart by the trace that its client names.
import type { Carrier, AnyClient, Peer } from '../harness/matrix.ts';
import type { RequirementId } from '../requirements.ts';

/** A client that is connected through one of the doors. */
export interface ThroughDoor {
  readonly peer: Peer;
  readonly carrier: Carrier;
  readonly client: AnyClient;
  /** Calls a tool; a refusal is an answer like any other. */
  call(name: string, args?: object, signal?: AbortSignal): Promise<unknown>;
  /** `_meta` of this scenario. */
  readonly _meta: { readonly traceparent: string; readonly tracestate: string };
  /** Sends a message past the client. */
  send(message: object): Promise<void>;
}

export interface Scenario {
  readonly name: string;
  /** What it shows, by the ids of test/requirements.ts. */
  readonly shows: readonly RequirementId[];
  readonly run: (door: ThroughDoor) => Promise<unknown>;
  /** False where the combination cannot do it. */
  readonly fits?: (peer: Peer, carrier: Carrier) => boolean;
}

const legacy = (peer: Peer): boolean => peer !== 'v2 modern';
// SDK v2 legacy over createMcpHandler has no way back to the client, and the modern era has none at all
const asks = (peer: Peer, carrier: Carrier): boolean => legacy(peer) && !(peer === 'v2 legacy' && carrier === 'http');

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a tool that fails before anything was listed',
    shows: ['labels.learned'],
    run: ({ call }) => call('fails'),
  },
  {
    name: 'tools and prompts are listed',
    shows: ['span.every-request'],
    async run({ client, _meta }) {
      await (client as unknown as Listing).listTools({ _meta });
      await (client as unknown as Listing).listPrompts({ _meta });
    },
  },
  {
    name: 'a call',
    shows: ['span.call', 'outcome.ok', 'parent.meta', 'span.network', 'span.session-id', 'metrics.operation'],
    run: ({ call }) => call('echo', { text: 'hi' }),
  },
  { name: 'a tool error', shows: ['outcome.tool-error'], run: ({ call }) => call('fails') },
  {
    name: 'a tool that throws',
    shows: ['outcome.thrown', 'exception.once'],
    run: ({ call }) => call('boom'),
  },
  { name: 'a tool that throws no error', shows: ['exception.any-value'], run: ({ call }) => call('boom_later') },
  { name: 'invalid arguments', shows: ['outcome.invalid-arguments'], run: ({ call }) => call('echo', { text: 7 }) },
  {
    name: 'an unknown tool',
    shows: ['outcome.unknown-tool', 'labels.bounded'],
    run: ({ call }) => call('no such tool'),
  },
  {
    name: 'a tool that returns nothing',
    shows: ['outcome.returns-nothing'],
    run: ({ call }) => call('returns_nothing'),
  },
  {
    name: 'a prompt and a resource',
    shows: ['span.prompt-and-resource'],
    async run({ client, _meta }) {
      await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' }, _meta } as never);
      await client.readResource({ uri: 'memo://note', _meta } as never);
    },
  },
  {
    name: 'mistakes of the caller',
    shows: ['outcome.callers-mistake'],
    async run({ client, _meta }) {
      await client.getPrompt({ name: 'greet', arguments: {}, _meta } as never).catch(() => undefined);
      await client.readResource({ uri: 'memo://nothing', _meta } as never).catch(() => undefined);
    },
  },
  {
    name: 'a failure of the server',
    shows: ['outcome.server-fault'],
    run: ({ client, _meta }) => client.readResource({ uri: 'memo://torn', _meta } as never).catch(() => undefined),
  },
  {
    name: 'a call without a tool',
    shows: ['outcome.malformed-params'],
    fits: legacy,
    run: ({ send, _meta }) => send({ jsonrpc: '2.0', id: 'odd 1', method: 'tools/call', params: { _meta } }),
  },
  {
    name: 'an unknown method',
    shows: ['span.every-request'],
    fits: legacy,
    run: ({ send, _meta }) => send({ jsonrpc: '2.0', id: 'odd 2', method: 'no/such/method', params: { _meta } }),
  },
  {
    name: 'two requests with one id',
    shows: ['ids.duplicate', 'ids.zero'],
    fits: (peer, carrier) => legacy(peer) && carrier === 'stdio',
    async run({ send, _meta }) {
      const call = {
        jsonrpc: '2.0',
        id: 0,
        method: 'tools/call',
        params: { name: 'echo', arguments: { text: 'x' }, _meta },
      };
      await Promise.all([send(call), send(call)]);
    },
  },
  {
    name: 'a call that is withdrawn',
    shows: ['outcome.cancelled'],
    async run({ call }) {
      const abort = new AbortController();
      const pending = call('hang', undefined, abort.signal);
      // the call is on its way once another that was sent later is answered
      await call('echo', { text: 'hi' });
      abort.abort();
      await pending;
      await call('echo', { text: 'hi' });
    },
  },
  {
    name: 'a server that asks',
    shows: ['span.server-asks', 'propagation.round-trip'],
    fits: asks,
    async run({ call }) {
      await call('ask');
      await call('think');
    },
  },
  {
    name: 'a round for input',
    shows: ['span.input-required', 'span.rounds'],
    fits: (peer) => !legacy(peer),
    run: ({ call }) => call('ask'),
  },
];

interface Listing {
  listTools(params: object): Promise<unknown>;
  listPrompts(params: object): Promise<unknown>;
}

const ONE_PROCESS = 'it is about the process that records, which each door has of its own';
const IN_PROCESS = 'only code inside the server can see or do it';
const OBSERVER = 'it is about the observer, which all doors share';

/** The requirements of the observer that no scenario shows, and why. */
export const NOT_OF_DOORS: Readonly<Partial<Record<RequirementId, string>>> = {
  'parent.baggage': IN_PROCESS,
  'parent.ambient-link': IN_PROCESS,
  'parent.ambient': IN_PROCESS,
  'parent.http-headers': OBSERVER,
  'parent.not-startup': IN_PROCESS,
  'parent.invalid': OBSERVER,
  'propagation.inject': IN_PROCESS,
  'context.values': OBSERVER,
  'context.call': OBSERVER,
  'outcome.aborted': ONE_PROCESS,
  'outcome.expired': OBSERVER,
  'outcome.undelivered': IN_PROCESS,
  'outcome.slow-pipe': IN_PROCESS,
  'outcome.once': OBSERVER,
  'outcome.notification-handler': IN_PROCESS,
  'ids.sessions': OBSERVER,
  'ids.batch': OBSERVER,
  'exception.any-registration': IN_PROCESS,
  'exception.low-level': IN_PROCESS,
  'exception.unknown-shape': IN_PROCESS,
  'passthrough.arguments': IN_PROCESS,
  'passthrough.answers': 'doors.public-servers and wrap.bytes show it through every door',
  'passthrough.thenable': IN_PROCESS,
  'passthrough.transport': IN_PROCESS,
  'passthrough.public-server': 'doors.public-servers shows it through every door',
  'labels.sizes': OBSERVER,
  'metrics.buckets': OBSERVER,
  'metrics.session': OBSERVER,
  'metrics.active': OBSERVER,
  'metrics.late-provider': IN_PROCESS,
  'doors.twice': IN_PROCESS,
  'doors.foreign': IN_PROCESS,
  'doors.disabled': ONE_PROCESS,
  'doors.bad-target': IN_PROCESS,
  'doors.bad-option': IN_PROCESS,
  'doors.host-unharmed': ONE_PROCESS,
  'doors.too-late': IN_PROCESS,
  'connections.dropped': IN_PROCESS,
  'handler.refusals': 'wrap.http-private shows it for the proxy',
  'handler.listen': IN_PROCESS,
  'clock.wall': OBSERVER,
};
