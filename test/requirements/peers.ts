// Of programs from other ecosystems: clients and servers of the official SDKs for Python and Go.
import type { Requirement } from './requirement.ts';

const SEP_414 = 'https://modelcontextprotocol.io/seps/414';

export const peersRequirements = {
  'peers.client': {
    source: SEP_414,
    behaviour: 'calls of a client in another language are spans in the trace that it names',
  },
  'peers.server': {
    source: SEP_414,
    behaviour: 'a server in another language joins the trace of our client',
  },
  'peers.protobuf': {
    source: 'https://github.com/open-telemetry/opentelemetry-proto',
    behaviour: 'the spans that we send are what the official protobuf classes read',
  },
} as const satisfies Record<string, Requirement>;
